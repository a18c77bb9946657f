"""Means over axes that fit several layouts, and partials of layer classes: what is not sure is not read."""

from __future__ import annotations

from functools import partial

import keras
import pytest
import torch
from torch import nn

import poolkit as pk
from poolkit.dialects.dialect import NotPooling
from poolkit.errors import NotExactError
from tests.test_port_source import ported, row

LOSSES = [
    ("import tensorflow as tf\n", "tf.reduce_mean(tf.square(x), axis=[1, 2, 3])", "torch"),
    ("import tensorflow as tf\n", "tf.reduce_mean(x, [1, 2, 3])", "keras"),
    ("import tensorflow as tf\n", "tf.reduce_max(x, [-3, -2, -1])", "torch"),
    ("import jax.numpy as jnp\n", "jnp.mean(x ** 2, axis=(1, 2, 3))", "torch"),
    ("import jax.numpy as jnp\n", "jnp.mean(x, axis=(2, 3, 4))", "torch"),
    ("import torch\n", "(x ** 2).mean(dim=[1, 2, 3])", "keras"),
    ("import torch\n", "torch.mean(x, dim=(-3, -2, -1))", "jax"),
    ("import keras\n", "keras.ops.mean(x, axis=(1, 2, 3))", "torch"),
]


@pytest.mark.parametrize(("head", "loss", "to"), LOSSES)
def test_a_mean_over_three_axes_of_unknown_rank_is_left(head: str, loss: str, to: str) -> None:
    found = row(f"{head}y = {loss}\n", to)
    assert found.status == "left"
    assert "unknown rank" in found.note
    with pytest.raises(NotPooling, match="unknown rank"):
        pk.read(loss.replace("tf.square(x)", "x").replace("(x ** 2)", "x").replace("x ** 2", "x"))


@pytest.mark.parametrize("loss", ["tf.reduce_sum(tf.square(x), axis=[1, 2, 3])", "tf.reduce_sum(x, [1, 2, 3], True)"])
def test_a_sum_over_three_axes_stays(loss: str) -> None:
    source = f"import tensorflow as tf\ny = {loss}\n"
    assert ported(source).text == source


def test_a_layout_says_what_the_axes_are() -> None:
    volumes = pk.GlobalAvgPool(layout="NDHWC", keepdims=False)
    assert pk.read("tf.reduce_mean(x, [1, 2, 3])", "NDHWC") == volumes
    assert pk.read("jnp.mean(x, axis=(-4, -3, -2))") == volumes
    assert pk.read("x.mean(dim=(1, 2))", layout="CHW").layout == "CHW"
    assert row("import torch\ny = x.mean((2, 3, 4))\n", "keras").after == "keras.layers.GlobalAveragePooling3D()(x)"


@pytest.mark.parametrize("mean", ["x[0].mean(dim=(1, 2))", "torch.mean(x, (1, 2))", "x.amax((1, 2), keepdim=True)"])
def test_the_second_and_third_axis_of_torch_are_not_spatial(mean: str) -> None:
    found = row(f"import torch\ny = {mean}\n", "keras")
    assert found.status == "failed"
    assert "NCHW they are not" in found.note


# ------------------------------------------------------------------------------------------------------- partials


def test_a_partial_of_a_layer_class_is_the_layer_that_it_makes() -> None:
    assert pk.read(partial(nn.MaxPool2d, 2)) == pk.read("nn.MaxPool2d(2)")
    assert pk.read(partial(nn.MaxPool2d, kernel_size=3, stride=2)) == pk.read("nn.MaxPool2d(3, 2)")
    assert pk.read(partial(keras.layers.GlobalAveragePooling2D, keepdims=True)) == pk.GlobalAvgPool(
        layout="NHWC", keepdims=True
    )
    assert pk.read("partial(nn.AvgPool2d, 2)") == pk.read(nn.AvgPool2d(2))
    assert pk.read(partial(torch.mean, dim=(2, 3))) == pk.read("x.mean((2, 3))")


@pytest.mark.parametrize("made", [partial(nn.AvgPool2d, ceil_mode=True), "partial(nn.AvgPool2d, ceil_mode=True)"])
def test_a_partial_without_its_window_is_not_read(made: object) -> None:
    with pytest.raises(NotExactError, match="kernel_size"):
        pk.read(made)


@pytest.mark.parametrize(
    ("head", "made"),
    [
        ("import torch.nn as nn\n", "nn.AvgPool2d, ceil_mode=True"),
        ("import torch.nn as nn\n", "nn.AdaptiveAvgPool2d, 1"),
        ("from torch import nn\n", "nn.MaxPool2d, kernel_size=2"),
    ],
)
def test_a_partial_of_a_layer_class_fails(head: str, made: str) -> None:
    source = f"from functools import partial\n{head}P = partial({made})\ny = P(2)(x)\n"
    found = row(source, "keras")
    assert (found.status, found.where) == ("failed", "line 3")
    assert ported(source, "keras").text == source


def test_a_partial_of_a_function_is_a_layer() -> None:
    source = (
        "from functools import partial\nimport torch.nn.functional as F\np = partial(F.max_pool2d, kernel_size=2)\n"
    )
    assert row(source, "keras").after == "keras.layers.MaxPooling2D(2)"


def test_what_undoes_a_pool_is_left() -> None:
    assert row("import torch.nn as nn\nu = nn.MaxUnpool2d(2)\n", "keras").status == "left"
    assert row("import torch.nn.functional as F\nu = F.max_unpool2d(x, i, 2)\n", "jax").status == "left"
