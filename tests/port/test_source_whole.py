"""Windows that are sizes of what they pool: of all its axes, of some, through functions that keep the shape."""

from __future__ import annotations

import pytest

from tests.helpers.ports import MAP, ported, row, same_numbers

HEAD = "import torch\nimport torch.nn.functional as F\ndef f(x, p=3.0, eps=1e-6):\n    "
LINES = [
    "return F.avg_pool2d(x, (1, x.size(3)))",
    "return F.avg_pool2d(x, (x.shape[2], 1), stride=1)",
    "h = x.size(2)\n    return F.max_pool2d(x, [h, 1])",
    "return F.avg_pool2d(x.clamp(min=eps).pow(p), (x.size(-2), x.size(-1)))",
    "return F.avg_pool2d(torch.clamp(x, min=eps) ** p, x.shape[-2:])",
    "return F.max_pool2d(-x.abs(), x.size()[2:])",
]


@pytest.mark.parametrize("body", LINES)
@pytest.mark.parametrize("to", ["keras", "jax"])
def test_sizes_of_its_own_axes(body: str, to: str) -> None:
    source = HEAD + body + "\n"
    found = row(source, to)
    assert found.status != "failed", found.note
    assert "size" not in found.after.replace("output_size", "").rpartition(")(")[0]


@pytest.mark.parametrize("body", LINES[:2])
def test_the_numbers_of_one_axis(body: str) -> None:
    source = HEAD + body + "\n"
    same_numbers(source, of="torch", to="jax")


def test_the_window_of_one_axis_is_the_whole() -> None:
    source = "import torch.nn.functional as F\ndef f(h):\n    return F.max_pool1d(h, h.size(2))\n"
    assert row(source, "jax").after == row(source.replace("h.size(2))", "h.shape[-1:])"), "jax").after
    same_numbers(source, of="torch", to="keras", x=MAP[:, 0])


@pytest.mark.parametrize(
    "line", ["from keras.layers import *\n", "from mine import TimeDistributed\nfrom keras.layers import *\n"]
)
def test_a_wrapper_from_a_star(line: str) -> None:
    found = row(f"{line}y = TimeDistributed(GlobalAveragePooling2D())(x)\n")
    assert found.after == 'pk.PoolSpec("avg", output_size=1, layout="...CHW", keepdims=False)(x)'


def test_a_shape_has_as_many_sizes_as_the_layer_before_says() -> None:
    head = "import tensorflow as tf\nfrom keras import layers\n"
    pool = 'y = tf.nn.avg_pool(x, x.shape[1:-1], 1, "VALID")\n'
    assert row(f"{head}x = layers.Conv2D(8, 3)(x)\n{pool}").after == "torch.nn.functional.adaptive_avg_pool2d(x, 1)"
    sequences = ported(f"{head}x = layers.Conv1D(8, 3)(x)\n{pool}")  # of which they are one, and no window of an image
    assert [(one.status, one.note.partition(",")[0]) for one in sequences.rows] == [
        ("failed", "x.shape[1:-1] may be one number")
    ]
    assert [(one.before, one.after) for one in sequences.lines] == [("x.shape[1:-1]", "x.shape[2:3]")]
