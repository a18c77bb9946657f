"""What becomes part of a pool: an index or a reshape that surely only drops its axes or brings them back."""

from __future__ import annotations

import textwrap

import pytest

from tests.helpers.ports import ported, row, same_numbers

TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
KERAS = "import tensorflow as tf\nfrom keras import layers\n"
GAP = "keras.layers.GlobalAveragePooling2D()(x)"


@pytest.mark.parametrize(
    "before",
    [
        "F.adaptive_avg_pool2d(x, 1)[:, :, 0, 0]",
        "nn.AdaptiveAvgPool2d(1)(x)[..., 0, 0]",
        "x.mean((2, 3), keepdim=True)[:, :, 0, 0]",
        "F.adaptive_avg_pool2d(x, 1)[:, :, 0].squeeze(-1)",
        "F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1)",
        "F.adaptive_avg_pool2d(x, 1).view(len(x), -1)",
        "F.adaptive_avg_pool2d(x, 1).reshape(x.shape[0], c)",
        "F.adaptive_avg_pool2d(x, 1).view((-1, 16))",
    ],
)
def test_axes_that_an_index_or_a_reshape_drops(before: str) -> None:
    assert row(f"{TORCH}y = {before}\n", "keras").after == GAP


def test_numbers_of_an_index() -> None:
    index = "layers.GlobalAveragePooling2D(keepdims=True)(x)[:, 0, 0, :]"
    assert same_numbers(f"{KERAS}def f(x):\n    return {index}\n").shape == (2, 3)
    window = "layers.AveragePooling2D((x.shape[1], x.shape[2]))(x)[:, 0, 0]"
    assert same_numbers(f"{KERAS}def f(x):\n    return {window}\n").shape == (2, 3)


@pytest.mark.parametrize(
    "lines",
    [
        ["return F.adaptive_avg_pool2d(x, 1).view(b, -1)"],
        ["y = x.flatten(0, 1)", "return F.adaptive_avg_pool2d(y, 1).view(x.size(0), -1)"],
        ["b = x.size(0)", "x = x.flatten(0, 1)", "return F.adaptive_avg_pool2d(x, 1).view(b, -1)"],
        ["b, t = x.shape[:2]", "return F.adaptive_avg_pool2d(x.flatten(0, 1), 1).view(b, -1)"],
        ["return F.adaptive_avg_pool2d(x, 1).view(1, -1)"],
        ["return F.adaptive_avg_pool2d(x, 1)[:, :, 0, 1]"],
    ],
)
def test_a_reshape_to_another_batch_stays(lines: list[str]) -> None:
    source = f"{TORCH}def f(x, b=1):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"
    found = row(source, "keras")
    assert "keepdims=True" in found.after
    assert lines[-1].rpartition(")")[0][-3:] in ported(source, "keras").text.splitlines()[-1]


@pytest.mark.parametrize("shape", ["[1, 1, 1, -1]", "[b, 1, 1, -1]", "[-1, 1, 1, 1]", "[x.shape[1], 1, 1, -1]"])
def test_a_reshape_that_may_change_the_batch_is_no_step(shape: str) -> None:
    source = f"{KERAS}def f(x, b=1):\n    return tf.reshape(tf.reduce_mean(x, [1, 2]), {shape})\n"
    assert "tf.reshape(" in ported(source).text


@pytest.mark.parametrize("shape", ["[-1, 1, 1, 3]", "[tf.shape(x)[0], 1, 1, 3]", "(x.shape[0], 1, 1, -1)"])
def test_a_reshape_with_the_batch_of_its_own_tensor_is_one(shape: str) -> None:
    source = f"{KERAS}def f(x):\n    return tf.reshape(tf.reduce_mean(x, [1, 2]), {shape})\n"
    assert "reshape" not in ported(source).text
    assert same_numbers(source).shape == (2, 1, 1, 3)


def test_the_sizes_of_a_squeeze_and_excitation_block() -> None:
    source = f"""\
{TORCH}class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.gap = nn.AdaptiveAvgPool2d(1)
    def forward(self, x):
        b, c, _, _ = x.size()
        y = F.adaptive_avg_pool2d(x, 1).view(b, c)
        return y
"""
    assert f"y = {GAP}\n" in ported(source, "keras").text


def test_the_row_of_a_folded_reshape_says_what_a_dense_layer_becomes() -> None:
    source = (
        f"{KERAS}s = layers.GlobalAveragePooling2D()(x)\ns = layers.Reshape((1, 1, 8))(s)\ny = layers.Dense(4)(s)\n"
    )
    assert "1x1 convolution" in ported(source).rows[1].note


# ------------------------------------------------------------------------------------------- layers that others use

BLOCK = """\
from tensorflow.keras import layers
class Block(layers.Layer):
    def __init__(self, c):
        self.gap = layers.GlobalAveragePooling2D()
    def call(self, x):
        return x * self.gap(x)[:, None, None, :]
"""


@pytest.mark.parametrize(
    "more",
    [
        "class Head(Block):\n    def call(self, x):\n        return self.gap(x)\n",
        "block = Block(3)\ny = block.gap(z)\n",
        "def f(block, x):\n    return block.gap(x)\n",
        "class Head(Block):\n    def __init__(self):\n        self.gap = None\n",
    ],
)
def test_a_stored_pool_that_others_use_stays_as_it_is(more: str) -> None:
    after = ported(BLOCK + more).text
    assert "self.gap = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())\n" in after
    assert "self.gap(x)[:, None, None, :]" in after


def test_a_stored_pool_beside_another_class_of_its_own() -> None:
    other = "class Other:\n    def __init__(self):\n        self.gap = 3\n        print(self.gap)\n"
    assert "self.gap = torch.nn.AdaptiveAvgPool2d(1)\n" in ported(BLOCK + other).text


@pytest.mark.parametrize("loop", ["for x in xs:", "while xs:"])
def test_a_value_of_the_turn_before(loop: str) -> None:
    source = f"""\
from keras import layers
def f(x, xs, use):
    s = None
    {loop}
        use(s)
        s = layers.GlobalAveragePooling2D()(x)
        t = layers.Reshape((1, 1, 8))(s)
        use(t)
"""
    after = ported(source).text
    assert "layers.Reshape((1, 1, 8))(s)" in after
    assert "torch.nn.Flatten()" in after


def test_a_value_that_has_its_axes_again_in_the_next_turn() -> None:
    source = """\
from keras import layers
def f(x, xs):
    for conv in xs:
        x = conv(x)
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Reshape((1, 1, 8))(x)
    return x
"""
    assert "Reshape" not in ported(source).text


def test_an_index_leaves_the_batch_where_it_is() -> None:
    source = "import torch\ndef f(x):\n    return x.mean((2, 3))[:, :, None].view(x.size(0), -1, 1, 1)\n"
    assert "return keras.layers.GlobalAveragePooling2D(keepdims=True)(x)\n" in ported(source, "keras").text
    other = source.replace("x.size(0)", "x.size(2)")
    assert ".view(x.size(2), -1, 1, 1)\n" in ported(other, "keras").text
