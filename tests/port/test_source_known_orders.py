"""Reductions of counted axes behind what says the order of the axes: they are read in that order, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.helpers.ports import function, ported

HEAD = "import keras\nimport tensorflow as tf\nimport jax.numpy as jnp\nfrom flax import linen as nn\n"
VIDEO = np.random.default_rng(1).normal(size=(2, 4, 8, 6, 3)).astype(np.float32)

# A step before the reduction of (N, H, W, C), and the reduction, whose axes would be H and W of NCHW.
CHANNELS_TAKEN = {
    "a pool of Keras": ("x = keras.layers.MaxPooling2D(2)(x)", "tf.reduce_mean(x, [2, 3])"),
    "a maximum": ("x = keras.layers.MaxPooling2D(2)(x)", "tf.reduce_max(x, axis=[-1, -2], keepdims=True)"),
    "axes behind a name": ("axes = [2, 3]; x = keras.layers.MaxPooling2D(2)(x)", "tf.reduce_mean(x, axes)"),
    "a pool of TensorFlow": ('x = tf.nn.avg_pool2d(x, 2, 2, "VALID")', "tf.reduce_mean(x, [-2, -1])"),
    "a pool of Flax": ("x = nn.max_pool(x, (2, 2), strides=(2, 2))", "jnp.mean(x, axis=(2, 3))"),
    "a convolution": ("x = keras.layers.Conv2D(8, 3)(x)", "keras.ops.mean(x, axis=(2, 3))"),
    "a normalisation behind": (
        "x = keras.layers.BatchNormalization()(keras.layers.MaxPooling2D(2)(x))",
        "tf.reduce_mean(x, [2, 3])",
    ),
    "a sum behind": ("x = tf.nn.relu(0.5 * keras.layers.MaxPooling2D(2)(x) + s)", "tf.reduce_mean(x, [2, 3])"),
    "one branch": ("x = keras.layers.Conv2D(8, 3)(x)\n    if s: x = tf.nn.relu(x)", "tf.reduce_mean(x, [2, 3])"),
    "a loop": ("x = keras.layers.Conv2D(8, 3)(x)\n    for _ in s: x = tf.nn.relu(x)", "tf.reduce_mean(x, [2, 3])"),
    "a slice behind": ("x = keras.layers.MaxPooling2D(2)(x)[:, 1:]", "tf.reduce_mean(x, [2, 3])"),
    "a concatenation behind": (
        "x = tf.concat([keras.layers.MaxPooling2D(2)(x), s], -1)",
        "tf.reduce_mean(x, [2, 3])",
    ),
}


@pytest.mark.parametrize("case", CHANNELS_TAKEN)
def test_axes_of_a_known_order_that_take_the_channels_are_refused(case: str) -> None:
    before, reduction = CHANNELS_TAKEN[case]
    found = ported(f"{HEAD}def f(x, s):\n    {before}\n    return {reduction}\n").rows[-1]

    assert (found.status, found.after) == ("failed", "")
    assert "are W and C of NHWC, the order that" in found.note
    assert "count the axes that are meant" in found.note


def test_a_layer_in_an_attribute_says_the_order_too() -> None:
    source = (
        f"{HEAD}class M(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.pool = keras.layers.MaxPooling2D(2)\n"
        "    def call(self, x):\n        return tf.reduce_mean(self.pool(x), [2, 3])\n"
    )
    assert [one.status for one in ported(source).rows] == ["exact", "failed"]


@pytest.mark.parametrize(("layout", "status"), [("NHWC", "failed"), ("NCHW", "exact"), (None, "exact")])
def test_the_order_that_the_user_knows_says_what_the_axes_are(layout: str | None, status: str) -> None:
    source = f"{HEAD}y = tf.reduce_mean(x, [2, 3])\n"
    assert [one.status for one in ported(source, source_layout=layout).rows] == [status]
    volumes = ported(source, source_layout="NDHWC")
    assert volumes.rows[0].after == "torch.mean(x, dim=(3, 4))"


VOLUME = "import torch\nfrom torch.nn import functional as F\ndef f(x):\n    return F.max_pool3d(x, 2).{}\n"


@pytest.mark.parametrize("reduction", ["mean((-1, -2))", "mean((2, 3))", "amax((2, 3), keepdim=True)"])
def test_volumes_of_torch_are_read_in_their_order(reduction: str) -> None:
    source = VOLUME.format(reduction)
    after = ported(source, "keras").rows[-1].after
    x = torch.from_numpy(np.moveaxis(VIDEO, -1, 1).copy())
    expected = function(source)(x).numpy()
    got = np.asarray(function(ported(source, "keras").text)(VIDEO))
    np.testing.assert_allclose(np.moveaxis(got, -1, 1), expected, rtol=1e-5)
    assert 'layout="NDHWC"' in after


def test_the_mirror_keeps_its_caveat() -> None:
    source = "import torch\nfrom torch.nn import functional as F\nx = F.avg_pool2d(x, 2)\ny = x.mean((1, 2))\n"
    assert ported(source, "tensorflow").rows[-1].status == "caveat"
    behind = ported(source.replace("(1, 2)", "(-3, -2)"), "tensorflow").rows[-1]
    assert behind.status == "failed"
    assert "are C and H of NCHW" in behind.note


@pytest.mark.parametrize(
    "before",
    [
        'x = keras.layers.MaxPooling2D(2, data_format="channels_first")(x)',
        "x = keras.layers.Permute((3, 1, 2))(keras.layers.MaxPooling2D(2)(x))",
        'x = keras.layers.Conv2D(8, 3, data_format="channels_first")(x)',
        "x = keras.layers.Conv2D(8, 3, data_format=df)(x)",
        "x = keras.layers.Dense(8)(x)",
        "x = keras.layers.MaxPooling2D(2)(x)\n    if df: x = tf.transpose(x, [0, 3, 1, 2])",
        'x = keras.layers.MaxPooling2D(2)(x) if df else keras.layers.MaxPooling2D(2, data_format="channels_first")(x)',
        "if df: x = keras.layers.MaxPooling2D(2)(x)",
    ],
)
def test_what_has_its_channels_first_or_says_no_order_is_read_as_before(before: str) -> None:
    found = ported(f"{HEAD}def f(x, df):\n    {before}\n    return tf.reduce_sum(x, [2, 3])\n").rows[-1]
    assert "the order that" not in found.note


RANK_5 = {
    "steps": ("keras.layers.TimeDistributed(keras.layers.MaxPooling2D(2))", "tf.reduce_mean(v, [2, 3])"),
    "steps of a maximum": (
        "keras.layers.TimeDistributed(keras.layers.MaxPooling2D(2))",
        "tf.reduce_max(v, [2, 3], keepdims=True)",
    ),
    "steps from behind": (
        "keras.layers.TimeDistributed(keras.layers.MaxPooling2D(2))",
        "tf.reduce_mean(v, [-2, -3])",
    ),
    "volumes": ("keras.layers.MaxPooling3D(2)", "tf.reduce_mean(v, [2, 3])"),
    "volumes of a maximum": ("keras.layers.MaxPooling3D(2)", "tf.reduce_max(v, [2, 3], keepdims=True)"),
    "the first two of volumes": ("keras.layers.MaxPooling3D(2)", "tf.reduce_sum(v, [1, 2])"),
}


@pytest.mark.parametrize("case", RANK_5)
def test_axes_of_five_are_those_of_the_layer_before(case: str) -> None:
    layer, reduction = RANK_5[case]
    source = f"import keras\nimport tensorflow as tf\ndef f(v):\n    v = {layer}(v)\n    return {reduction}\n"
    at, kept = (2 if "steps" in case else 1), "keepdims" in reduction
    after = ported(source)
    x = torch.from_numpy(np.moveaxis(VIDEO, -1, at).copy())
    got, expected = function(after.text)(x).numpy(), function(source)(tf.constant(VIDEO)).numpy()

    np.testing.assert_allclose(np.moveaxis(got, at if kept else 1, -1) if kept or at == 1 else got, expected, rtol=1e-5)
    moved = at == 1 and not kept
    assert after.rows[-1].status == ("caveat" if moved or "behind" in case else "exact")
    assert ("stays, and the channels move past it" in after.rows[-1].note) == moved


@pytest.mark.parametrize("axes", ["[3, 4]", "[-1, -2]"])
@pytest.mark.parametrize(
    "layer", ["keras.layers.TimeDistributed(keras.layers.Conv2D(3, 2))", "keras.layers.Conv3D(3, 2)"]
)
def test_the_channels_of_five_axes_are_not_pooled(layer: str, axes: str) -> None:
    found = ported(f"{HEAD}def f(v):\n    v = {layer}(v)\n    return tf.reduce_mean(v, {axes})\n").rows[-1]
    assert found.status != "exact"


@pytest.mark.parametrize("reduction", ["amax((-1, -2))", "mean((-2, -1))", "mean((2, 3))", "amax((4, 5))"])
@pytest.mark.parametrize("to", ["keras", "jax"])
def test_windows_of_an_unfold_are_axes_of_no_layout(reduction: str, to: str) -> None:
    source = f"import torch\ndef f(x):\n    return torch.relu(x.unfold(2, 2, 2).unfold(3, 2, 2)).{reduction}\n"
    found = ported(source, to)
    assert [one.status for one in found.rows] == ["left"]
    assert found.text == source


TURNED = "    x = tf.transpose(keras.layers.Conv2D(8, 3)(x), [0, 3, 1, 2])\n"


def test_a_turn_gives_the_axes_behind_it_another_order() -> None:
    assert [one.status for one in ported(f"{HEAD}def f(x):\n{TURNED}    return tf.reduce_mean(x, [2, 3])\n").rows][
        -1
    ] == "exact"
    refused = ported(f"{HEAD}def f(x):\n{TURNED}    return tf.reduce_mean(x, [1, 2])\n").rows[-1]
    assert "are C and H of NCHW, the order that tf.transpose(" in refused.note


def test_a_loop_that_turns_what_it_begins_with_has_no_order() -> None:
    turns = "    for n in s:\n        y = tf.reduce_mean(x, [1, 2])\n        x = tf.transpose(x, [0, 3, 1, 2])\n"
    found = ported(
        f"{HEAD}def f(x, s):\n    x = keras.layers.Conv2D(8, 3)(x)\n{turns}    return tf.reduce_mean(x, [2, 3])"
    )
    assert [one.status for one in found.rows] == ["exact", "exact"]  # as if nothing were known of x


@pytest.mark.parametrize("said", ["channels_first", "channels_last"])
def test_a_data_format_behind_a_name_says_the_order(said: str) -> None:
    layer = f'    order = "{said}"\n    x = keras.layers.Conv2D(8, 3, data_format=order)(x)\n'
    found = ported(f"{HEAD}def f(x):\n{layer}    return tf.reduce_mean(x, [2, 3])\n")
    assert found.rows[-1].status == ("exact" if said == "channels_first" else "failed")


# A step before, a reduction of (N, H, W, C), and what it becomes where the channels come first.
SOME = [
    ("layers.Conv2D(8, 3)", "tf.reduce_mean(x, 2)", "torch.mean(x, dim=3)"),
    ("layers.MaxPooling2D(2)", "tf.reduce_sum(x, [1])", "torch.sum(x, dim=2)"),
    ("layers.MaxPooling2D(2)", "tf.reduce_mean(x, list(range(1, x.shape.ndims - 1)))", "torch.mean(x, dim=(2, 3))"),
    ("layers.ReLU()", "tf.reduce_mean(x, range(1, 3))", "torch.mean(x, dim=(2, 3))"),
    ("layers.ReLU()", "tf.reduce_mean(x, [*range(1, 3)])", "torch.mean(x, dim=(2, 3))"),
    ("layers.ReLU()", "tf.reduce_mean(x, tuple(range(1, len(x.shape) - 1)))", ""),
    ("layers.ReLU()", "tf.reduce_min(x, [h, w])", ""),
    ("layers.Resizing(9, 9)", "tf.reduce_mean(x, 2)", ""),
]


@pytest.mark.parametrize(("step", "reduction", "after"), SOME)
def test_some_axes_of_a_map_are_pooled_or_refused(step: str, reduction: str, after: str) -> None:
    source = f"{HEAD}from keras import layers\ndef f(x):\n    x = {step}(x)\n    return {reduction}\n"
    found = ported(source).rows[-1]
    assert (found.after, found.status == "failed") == (after, not after)
    if after and "[1]" in reduction:
        assert "of the axes of its result W stays" in found.note


def test_axes_that_nobody_knows_have_a_row_for_sums_too() -> None:
    rows = [ported(f"{HEAD}y = tf.reduce_{kind}(x, axes)\n").rows for kind in ("mean", "sum", "min")]
    assert [[one.status for one in each] for each in rows] == [["left"]] * 3


@pytest.mark.parametrize("axes", ["range(0, 3)", "list(range(len(x.shape) - 1))", "range(n, ndim)"])
def test_axes_in_a_row_from_the_batch_on_or_from_anywhere_are_no_pool(axes: str) -> None:
    assert [one.status for one in ported(f"{HEAD}y = tf.reduce_mean(x, {axes})\n").rows] == ["left"]


def test_the_order_that_the_user_knows_says_what_one_axis_of_a_map_is() -> None:
    source = (
        f"{HEAD}from keras import layers\ny = tf.reduce_mean(layers.Resizing(9, 9)(x), 2)\nz = tf.reduce_mean(x, 2)\n"
    )
    rows = ported(source, source_layout="NHWC").rows
    assert [one.after for one in rows] == ["torch.mean(layers.Resizing(9, 9)(x), dim=3)", ""]


def test_one_known_axis_beside_one_that_nobody_knows_is_left() -> None:
    rows = ported(f"{HEAD}x = keras.layers.Conv2D(8, 3)(x)\ny = tf.reduce_mean(x, [h, 2])\n").rows
    assert [one.status for one in rows] == ["left"]
    assert "its axes h are only known" in rows[0].note


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        ("tf.reduce_mean(x, 1)", "tf.reduce_mean(h, 1)", "torch.mean(h, dim=2)"),  # W of N, W, C
        ("tf.reduce_sum(x, [2])", "tf.reduce_max(h, 1)", "torch.amax(h, dim=2)"),
        ("tf.reduce_mean(x, 1)", "tf.reduce_mean(h, 2)", ""),  # C
        ("tf.reduce_mean(x, 1, keepdims=True)", "tf.reduce_mean(h, [1, 2])", "torch.mean(h, dim=(2, 3))"),
        ("tf.reduce_mean(x, 1, keepdims=k)", "tf.reduce_mean(h, 2)", ""),
        ("tf.reduce_mean(x, axis)", "tf.reduce_mean(h, 2)", ""),
    ],
)
def test_what_a_reduction_leaves_has_an_order_too(first: str, second: str, after: str) -> None:
    source = f"{HEAD}x = keras.layers.Conv2D(8, 3)(x)\nh = {first}\ny = {second}\n"
    assert ported(f"{source}z = h\n").rows[-1].after == after


def test_two_reductions_one_after_the_other_give_the_numbers_of_both() -> None:
    steps = "x = keras.layers.MaxPooling2D(2)(x)\n    h = tf.reduce_mean(x, 2)"
    source = f"{HEAD}def f(x):\n    {steps}\n    return tf.reduce_max(h, 1)\n"
    x = VIDEO[0]
    expected = np.asarray(function(source)(tf.constant(x)))
    got = function(ported(source).text)(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-5)
