"""Zeros before a maximum, which become the target's own padding."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.ports import MAP, ported, same_numbers

KERAS = "import keras\nfrom keras import layers, backend as K\nimport tensorflow as tf\n"
TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

OF_KERAS = [
    "return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(padding=((1, 0), (2, 1)))(x))",
    "x = layers.ZeroPadding2D((1, 2), name='pad')(x)\n    x = layers.MaxPooling2D(3, 2)(x)\n    return x",
    "return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D()(x))",
    "return tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]]), 3, 2, 'VALID')",
    "return layers.MaxPooling2D(3, 2)(keras.ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))",
    "pad = layers.ZeroPadding2D(1)\n    return layers.MaxPooling2D(3, 2)(pad(x))",
    "return keras.Sequential([layers.ZeroPadding2D(1), layers.MaxPooling2D(3, 2)])(x)",
    "y = layers.ZeroPadding2D(1)(x)\n    return layers.MaxPooling2D(3, 2)(y) + layers.MaxPooling2D(3, 2)(y)",
]


@pytest.mark.parametrize("body", OF_KERAS)
def test_zeros_of_keras_in_torch(body: str) -> None:
    source = f"{KERAS}def f(x):\n    x = x * 0 - 1\n    {body}\n"
    text = ported(source).text
    assert "ZeroPadding" not in text
    assert "tf.pad" not in text
    if "Sequential" in body:
        assert "Sequential([torch.nn.ConstantPad2d(1, 0.0), torch.nn.MaxPool2d(3, 2)])" in text
        return
    got = same_numbers(source)
    assert (got == 0).any()  # of the zeros, among numbers that are all -1


OF_TORCH = [
    "return F.max_pool2d(F.pad(x, (1, 2, 0, 1)), 3, 2)",
    "return F.max_pool2d(F.pad(x, (1, 1), mode='constant', value=0.0), 3, 2)",
    "return nn.MaxPool2d(3, 2)(nn.ZeroPad2d((1, 2, 0, 1))(x))",
    "return nn.MaxPool2d(3, 2)(nn.ZeroPad2d(1)(x))",
]


@pytest.mark.parametrize("body", OF_TORCH)
def test_zeros_of_torch_in_keras(body: str) -> None:
    source = f"{TORCH}def f(x):\n    {body}\n"
    assert "keras.layers.ZeroPadding2D(" in ported(source, "keras").text
    x = -np.abs(MAP) - 1
    same_numbers(source, of="torch", to="keras", x=x)


STAY = [
    (KERAS, "layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(n)(x))", "torch"),
    (KERAS, "layers.AveragePooling2D(3, 2)(layers.ZeroPadding2D(1)(x))", "torch"),
    (KERAS, "layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))", "tensorflow"),
    (KERAS, "layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))", "jax"),
    (KERAS, "tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [1, 0]]), 3, 2, 'VALID')", "torch"),
    (
        KERAS,
        "tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], 'CONSTANT', 2.), 3, 2, 'VALID')",
        "torch",
    ),
    (KERAS, "tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode='REFLECT'), 3, 2, 'VALID')", "torch"),
    (TORCH, "F.max_pool2d(F.pad(x, (-1, 1)), 3, 2)", "keras"),
    (TORCH, "F.max_pool2d(F.pad(x, (1, 1, 1)), 3, 2)", "keras"),
    (TORCH, "F.max_pool2d(F.pad(x, (1, 1, 1, 1, 1, 1)), 3, 2)", "keras"),
]


@pytest.mark.parametrize(("head", "call", "to"), STAY)
def test_other_paddings_stay_and_are_told(head: str, call: str, to: str) -> None:
    (row,) = ported(f"{head}y = {call}\n", to).rows
    assert "take part like any number; keep that padding as a step of its own" in row.note
    assert "pad(" in row.after.lower() or "zeropadding2d(" in row.after.lower()


def test_zeros_before_a_sequential_whose_first_layer_pools() -> None:
    source = f"{TORCH}m = nn.Sequential(nn.MaxPool2d(3, 2), nn.ReLU())\ny = m(F.pad(x, (1, 1, 1, 1)))\n"
    text = ported(source, "keras").text
    assert text.endswith("y = m(keras.layers.ZeroPadding2D(((1, 1), (1, 1)))(x))\n")
