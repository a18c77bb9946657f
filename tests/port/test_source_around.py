"""What stands around a pool: the data format of the file, masks, wrappers, and means in pairs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.ports import MAP, ported, row, same_numbers

KERAS = "import keras\nfrom keras import layers\nfrom keras import backend as K\n"
TORCH = "import torch\nimport torch.nn.functional as F\n"
FIRST = 'K.set_image_data_format("channels_first")\n'


def test_the_data_format_of_the_file() -> None:
    assert str(row(f"{KERAS}{FIRST}y = layers.MaxPooling2D(2)(x)\n").spec).endswith("layout=NCHW")
    source = f"{KERAS}keras.config.set_image_data_format('channels_first')\ny = layers.GlobalAveragePooling2D()(x)\n"
    found = ported(source, None).rows[0]
    assert found.spec is not None
    assert str(found.spec).endswith("layout=NCHW keepdims=false")


@pytest.mark.parametrize(
    ("window", "status"),
    [("(x.shape[2], x.shape[3])", "exact"), ("(x.shape[1], x.shape[2])", "exact"), ("x.shape[2:]", "exact")],
)
def test_windows_by_a_shape_in_that_format(window: str, status: str) -> None:
    found = row(f"{KERAS}{FIRST}y = layers.AveragePooling2D({window})(x)\n")
    assert found.status == status
    assert ("AdaptiveAvgPool2d" in found.after) == ("1" not in window)


def test_a_layer_that_says_its_own_format_keeps_it() -> None:
    by_name = f"{KERAS}{FIRST}y = layers.MaxPooling2D(2, data_format='channels_last')(x)\n"
    assert str(row(by_name).spec).endswith("layout=NHWC")
    by_place = f"{KERAS}{FIRST}y = layers.MaxPooling2D(2, 2, 'same', 'channels_last')(x)\n"
    assert str(row(by_place).spec).endswith("layout=NHWC")


@pytest.mark.parametrize(
    "more", ["K.set_image_data_format(form)\n", f'{FIRST}K.set_image_data_format("channels_last")\n']
)
def test_a_format_that_is_not_known_fails(more: str) -> None:
    found = row(f"{KERAS}{more}y = layers.MaxPooling2D(2)(x)\n")
    assert found.status == "failed"
    assert "data_format" in found.note


@pytest.mark.parametrize(
    "lines",
    [
        "y = layers.GlobalAveragePooling1D()(x, m)\n",
        "pool = layers.GlobalAveragePooling1D()\ny = pool(x, mask=m)\n",
        "class A:\n    def __init__(self):\n        self.p = layers.GlobalAveragePooling1D()\n"
        "    def call(self, x, mask=None):\n        return self.p(x, mask=mask)\n",
    ],
)
def test_a_mask_fails(lines: str) -> None:
    found = row(KERAS + lines)
    assert found.status == "failed"
    assert "mask" in found.note


def test_a_mask_that_is_given_at_once() -> None:
    source = f"{KERAS}def f(x, m):\n    return layers.GlobalAveragePooling1D()(x, mask=m)\n"
    steps, mask = MAP[:, :, 0], np.arange(16).reshape(2, 8) % 3 > 0
    same_numbers(source, mask, x=steps)
    assert row(source).after == 'pk.PoolSpec("avg", output_size=1, layout="NCL", keepdims=False)(x, mask=m)'


def test_no_mask_and_an_embedding_that_makes_one() -> None:
    assert row(f"{KERAS}y = layers.GlobalAveragePooling1D()(x, mask=None)\n").status == "exact"
    embedded = "layers.GlobalAveragePooling1D()(layers.Embedding(9, 4, mask_zero=True)(x))"
    assert "mask_zero" in row(f"{KERAS}y = {embedded}\n").note


@pytest.mark.parametrize("layer", ["MaxPooling2D(2)", "GlobalAveragePooling2D()", "AveragePooling2D(3, 1, 'same')"])
def test_a_layer_for_every_step_has_one_axis_more(layer: str) -> None:
    source = f"{KERAS}def f(x):\n    return layers.TimeDistributed(layers.{layer}, name='t')(x)\n"
    steps = np.stack([MAP, MAP * 2, MAP - 1], axis=1)
    same_numbers(source, x=steps, at=2)
    assert "pools every step, as one spec does with layout=...HWC" in row(source).note


def test_a_layer_for_every_step_of_every_clip() -> None:
    source = f"""{KERAS}def f(x):
    pool = layers.TimeDistributed(layers.TimeDistributed(layers.MaxPooling2D(2)), name="clips")
    return pool(x)
"""
    steps = np.stack([np.stack([MAP, MAP * 2, MAP - 1], axis=1)] * 2, axis=1)
    same_numbers(source, x=steps, at=3)
    found = row(source)
    assert (found.status, found.note.count("TimeDistributed pools every step")) == ("exact", 1)
    assert "TimeDistributed" not in found.after


def test_a_wrapper_that_makes_more_of_a_layer_fails() -> None:
    found = row(f"{KERAS}y = layers.Bidirectional(layers.MaxPooling2D(2))(x)\n")
    assert found.status == "failed"
    assert "every step" in found.note


# ------------------------------------------------------------------------------------------- what is read of a layer

LATER = """
from torch import nn

class Net:
    def __init__(self, given):
        self.pool = nn.MaxPool2d(2)
        self.head = self.pool.{read}

class Other:
    def f(self, pool):
        self.pool = given
        return self.pool.stride, pool.stride
"""


@pytest.mark.parametrize("read", ["kernel_size", "forward(given)", "__class__", "stride"])
def test_what_is_read_of_a_layer_is_told_of_where_the_port_s_has_it_not(read: str) -> None:
    found = row(LATER.format(read=read), "keras")
    told = [note for note in found.differs if "reads" in note]
    name = read.partition("(")[0]
    expected = [f"line 7 reads {name} of it, which the layer that it becomes has not; write there what it is"]
    assert told == ([] if name == "__class__" else expected)
    assert (found.status, found.after) == ("caveat", "keras.layers.MaxPooling2D(2)")
    assert row(LATER.format(read=read), "torch").differs == ()


# ------------------------------------------------------------------------------------------------- means in pairs

PAIRS = [
    "x.mean(3).mean(2)",
    "x.mean(-1).mean(-1)",
    "x.mean(2).mean(2)",
    "x.mean(dim=2).mean(dim=-1)",
    "torch.mean(torch.mean(x, 3), 2)",
    "x.mean(3, keepdim=True).mean(2, keepdim=True)",
    "x.mean(-1, True).mean(-2, True)",
    "torch.mean(torch.mean(x, 2, keepdim=True), 3, keepdim=True)",
]


@pytest.mark.parametrize("mean", PAIRS)
def test_two_means_are_a_global_average(mean: str) -> None:
    source = f"{TORCH}def f(x):\n    return {mean}\n"
    found = row(source, "tensorflow")
    assert found.before == mean
    assert found.status in ("exact", "caveat")  # TensorFlow sums halves in another order
    same_numbers(source, of="torch", to="tensorflow")


@pytest.mark.parametrize(
    "mean",
    [
        "x.mean(-1).mean(-2)",
        "x.mean(3).mean(3)",
        "x.mean(3, keepdim=True).mean(2)",
        "x.mean(3).sum(2)",
        "x.mean(3).mean(1)",
        "x.mean(3).relu().mean(2)",
    ],
)
def test_two_means_that_are_none(mean: str) -> None:
    source = f"{TORCH}y = {mean}\n"
    assert {found.status for found in ported(source, "keras").rows} == {"left"}
    assert ported(source, "keras").text == source


OTHER_PAIRS = [
    ("torch", "torch.max(torch.max(x, 3)[0], 2)[0]"),
    ("torch", "x.max(3)[0].max(2)[0]"),
    ("torch", "x.min(dim=2, keepdim=True).values.min(dim=3, keepdim=True).values"),
    ("torch", "x.amin(3).amin(2)"),
    ("torch", "x.sum(3).sum(2)"),
    ("tensorflow", "tf.reduce_mean(tf.reduce_mean(x, 1), 1)"),
    ("tensorflow", "tf.reduce_max(tf.reduce_max(x, 2), 1)"),
    ("tensorflow", "tf.reduce_sum(tf.reduce_sum(x, -2), -2)"),
    ("tensorflow", "tf.reduce_min(tf.reduce_min(x, 1, keepdims=True), [2], keepdims=True)"),
    ("keras", "keras.ops.mean(keras.ops.mean(x, axis=1), axis=1)"),
]


@pytest.mark.parametrize(("of", "reduction"), OTHER_PAIRS)
def test_two_reductions_of_one_axis_are_a_pool_of_both(of: str, reduction: str) -> None:
    source = f"{KERAS}{TORCH}import tensorflow as tf\ndef f(x):\n    return {reduction}\n"
    to = "tensorflow" if of == "torch" else "torch"
    assert row(source, to).before == reduction
    same_numbers(source, of=of, to=to)


ON_LINES = [
    "v, _ = torch.max(x, 3)\n    return torch.max(v, 2)[0]",
    "v, places = x.max(3)\n    y, _ = v.max(2)\n    return y",
    "x, _ = torch.max(x, 3)\n    x, _ = torch.max(x, 2)\n    return x",
    "v = x.mean(3)\n    v = v.mean(2)\n    return v",
    "v = torch.max(x, 3)[0]\n    y = 2\n    return torch.max(v, 2).values * y",
    "v = x.sum(2, keepdim=True)\n    return v.sum(3, keepdim=True)",
]


@pytest.mark.parametrize("body", ON_LINES)
def test_two_reductions_on_lines_of_their_own(body: str) -> None:
    source = f"{TORCH}def f(x):\n    {body}\n"
    after = ported(source, "tensorflow")
    assert after.complete
    assert not any(one in after.text for one in ("x, 3", "x.mean", "x.sum", "x.max", ", _"))
    same_numbers(source, of="torch", to="tensorflow")


@pytest.mark.parametrize(
    "body",
    [
        "v, at = torch.max(x, 3)\n    return torch.max(v, 2)[0], at",
        "v, _ = torch.max(x, 3)\n    v, at = torch.max(v, 2)\n    return v, at",
        "v = x.mean(3)\n    x = x * 2\n    return v.mean(2)",
        "v = x.mean(3)\n    return v.mean(2), v",
        "v = x.mean(3)\n    if v is None:\n        return v\n    return v.mean(2)",
        "v = (x + 1).mean(3)\n    return v.mean(2)",
        "v = x.mean(3); w = 2\n    return v.mean(2) * w",
        "for v in x:\n        v = v.mean(3)\n    return v.mean(2)",
    ],
)
def test_two_reductions_whose_first_is_used_otherwise(body: str) -> None:
    source = f"{TORCH}def f(x):\n    {body}\n"
    assert ported(source, "keras").text == source


@pytest.mark.parametrize("reduction", ["x.max(1)[0].max(1)[0]", "x.mean(1).mean(1)"])
def test_of_an_image_or_of_a_batch_two_reductions_are_told_of(reduction: str) -> None:
    found = row(f"{TORCH}y = {reduction}\n", "keras")
    assert found.status in ("failed", "caveat")
    assert "CHW" in found.note


@pytest.mark.parametrize("reduction", ["torch.max(torch.max(x, 3)[1], 2)[0]", "torch.max(torch.max(x, 3)[0], y)[0]"])
def test_positions_of_a_maximum_are_no_values(reduction: str) -> None:
    assert {one.status for one in ported(f"{TORCH}y = {reduction}\n", "keras").rows} == {"left"}


def test_two_sums_of_all_axes_but_the_batch_stay() -> None:
    source = "import tensorflow as tf\ny = tf.reduce_sum(tf.reduce_sum((a - b) ** 2, axis=1), axis=1)\n"
    assert ported(source).text == source  # of similarities, which have three axes


def test_of_steps_two_means_are_one_pool_and_a_mean_of_channels() -> None:
    source = f"{KERAS}import tensorflow as tf\ny = tf.reduce_mean(tf.reduce_mean(layers.Conv1D(8, 3)(x), 1), 1)\n"
    assert "y = tf.reduce_mean(torch.mean(layers.Conv1D(8, 3)(x), dim=2), 1)" in ported(source).text
