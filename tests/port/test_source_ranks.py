"""Means over axes that fit several layouts, and partials of layer classes: what is not sure is not read."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest
import torch
from torch import nn

import poolkit as pk
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import call_of
from poolkit.errors import NotExactError
from poolkit.port.check import check
from poolkit.port.models.layers import Layer, row_of
from poolkit.port.runner import runner
from poolkit.port.target import target_of
from tests.helpers.ports import ported, row

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


ONE_AXIS = [  # of a tensor of which nothing is known: the steps of a sequence, or classes, or anything
    ("import tensorflow as tf\n", "tf.reduce_mean(x, 1)", "torch", "NLC"),
    ("import keras\n", "keras.ops.max(x, axis=1)", "torch", "NLC"),
    ("import jax.numpy as jnp\n", "jnp.mean(x, axis=1)", "torch", "NLC"),
    ("import torch\n", "x.mean(2)", "keras", "NCL"),
    ("import torch\n", "x.mean(dim=-1)", "keras", "NCL"),
]


@pytest.mark.parametrize(("head", "mean", "to", "layout"), ONE_AXIS)
def test_a_mean_of_one_axis_of_which_nothing_is_known_is_told_of(head: str, mean: str, to: str, layout: str) -> None:
    source = f"{head}y = {mean}\n"
    found = ported(source, to)
    assert (found.text, found.complete) == (source, True)
    assert [(one.status, one.group) for one in found.rows] == [("left", "check these")]
    assert "may be the steps of a sequence" in found.rows[0].note
    assert f"--source-layout {layout}" in found.rows[0].note
    # The word that the row asks for makes a pool of it.
    after = ported(source, to, source_layout=layout)
    assert [one.status for one in after.rows if one.after] in (["exact"], ["caveat"])
    assert "Pool" in after.text or "dim=2" in after.text


@pytest.mark.parametrize(
    ("head", "mean"),
    [
        ("import torch\n", "x.view(b, c, h, w, 2).mean(2)"),
        ("import torch\nimport numpy as np\n", "np.max(x, axis=1)"),
        ("import torch\n", "x.mean(1)"),
        ("import tensorflow as tf\n", "tf.reduce_mean(x, -1)"),
    ],
)
def test_a_mean_of_one_axis_that_is_no_sequence_s(head: str, mean: str) -> None:
    for layout in (None, "NLC", "NCL")[: 3 if "view" in mean else 1]:
        (found,) = ported(f"{head}y = {mean}\n", "keras", source_layout=layout).rows
        assert (found.status, found.after) == ("left", "")
        assert "sequence" not in found.note


def test_a_mean_of_one_axis_moves_with_the_pools_of_its_file() -> None:
    found = ported("import keras\ny = keras.layers.MaxPooling1D(2)(x)\nz = keras.ops.mean(a, axis=1)\n", "torch")
    assert [(line.before, bool(line.after)) for line in found.lines] == [("keras.ops.mean(a, axis=1)", True)]


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


@pytest.mark.parametrize(
    ("mean", "after"),
    [
        ("x[0].mean(dim=(1, 2))", "keras.ops.mean(x[0], axis=(1, 2))"),
        ("torch.mean(x, (1, 2))", "keras.ops.mean(x, axis=(1, 2))"),
        ("x.mean((1, 2), keepdim=True)", "keras.ops.mean(x, axis=(1, 2), keepdims=True)"),
        ("x.sum((1, 2))", "keras.ops.sum(x, axis=(1, 2))"),
    ],
)
def test_the_second_and_third_axis_of_torch_stay_where_they_are(mean: str, after: str) -> None:
    found = row(f"import torch\ny = {mean}\n", "keras")

    assert (found.status, found.after) == ("caveat", after)
    assert "those of CHW or of NHWC: they stay" in found.note
    assert "(x, axis=(1, 2)" in row(f"import torch\ny = {mean.replace('x[0]', 'x')}\n", "jax").after


def test_a_maximum_over_them_is_not_read() -> None:
    found = row("import torch\ny = x.amax((1, 2), keepdim=True)\n", "keras")

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
def test_a_partial_of_a_layer_class_is_one_of_a_stand_in(head: str, made: str) -> None:
    source = f"from functools import partial\n{head}P = partial({made})\ny = P(2)(x)\n"
    name, _, rest = made.partition(",")
    assert f'P = partial(pk.stand_in("torch.{name}", "keras"),{rest})' in ported(source, "keras").text


@pytest.mark.parametrize(
    ("made", "after"),
    [
        ("jnp.mean, axis=(1, 2)", "partial(torch.mean, dim=(2, 3))"),
        ("jnp.max, axis=(1, 2)", "partial(torch.amax, dim=(2, 3))"),
        ("jnp.mean, axis=(-3, -2)", "partial(torch.mean, dim=(-2, -1))"),
    ],
)
def test_a_partial_of_a_reduction_is_one_of_the_targets_reduction(made: str, after: str) -> None:
    """A layer would take a tensor of another rank for a map, where a reduction fails or stays right."""
    found = row(f"from functools import partial\nimport jax.numpy as jnp\np = partial({made})\n")
    assert found.after == after
    assert found.status == ("caveat" if "-3" in made else "exact")


def test_a_partial_of_a_function_is_a_layer() -> None:
    source = (
        "from functools import partial\nimport torch.nn.functional as F\np = partial(F.max_pool2d, kernel_size=2)\n"
    )
    assert row(source, "keras").after == "keras.layers.MaxPooling2D(2)"


# --------------------------------------------------------------------------------------- reductions stay reductions

TF = "import tensorflow as tf\nfrom keras import layers, ops\n"
LAMBDAS = [
    ("tf.reduce_mean(t, [1, 2])", "torch.mean(x, dim=(2, 3))"),
    ("ops.max(t, axis=(1, 2))", "torch.amax(x, dim=(2, 3))"),
    ("tf.reduce_sum(t, axis=[-3, -2])", "torch.sum(x, dim=(-2, -1))"),
    ("tf.reduce_mean(t, axis=(-2, -1))", "torch.mean(x, dim=(-2, -1))"),
]


@pytest.mark.parametrize(("body", "after"), LAMBDAS)
def test_a_reduction_in_a_lambda_stays_one(body: str, after: str) -> None:
    found = row(f"{TF}y = layers.Lambda(lambda t: {body})(x)\n", "torch")
    checked = check(found, "torch")

    assert found.after == after
    assert found.ranks
    assert checked is not None
    assert checked.share is not None
    assert checked.agrees


MORE = "of a tensor with three axes it takes the first for channels, and gives an axis more than the reduction"


@pytest.mark.parametrize("whole", ["pool = {}", "m = keras.Sequential([{}])", "self.pool = {}"])
def test_a_lambda_that_becomes_a_module_says_what_its_rank_changes(whole: str) -> None:
    made = whole.format("layers.Lambda(lambda t: tf.reduce_mean(t, [1, 2]))")
    found = row(f"import keras\n{TF}{made}\n", "torch")

    assert (found.status, found.note) == ("caveat", MORE)
    assert found.after == "torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())"


@pytest.mark.parametrize("shape", [None, [None, 8, 8, 3]])
def test_a_reduction_of_a_model_says_so_too_where_the_rank_is_not_known(shape: list[int | None] | None) -> None:
    call = call_of("keras.ops.mean(x, axis=(1, 2))")
    layer = Layer("mean", "Mean", call, shape=None if shape is None else tuple(shape))
    found = row_of(layer, lambda spec: target_of(spec, "torch"))

    assert (found.status, found.note) == (("caveat", MORE) if shape is None else ("exact", ""))


FROM_BEHIND = [
    ("import torch\n", "x.mean((-2, -1))", "jax", "jnp.mean(x, axis=(-3, -2))", "NCHW"),
    ("import torch\n", "torch.sum(x, dim=[-1, -2])", "tensorflow", "tf.reduce_sum(x, axis=(-3, -2))", "NCHW"),
    ("import jax.numpy as jnp\n", "jnp.mean(x, axis=(-3, -2))", "torch", "torch.mean(x, dim=(-2, -1))", "NHWC"),
    ("import jax.numpy as jnp\n", "jnp.max(x, axis=(-3, -2))", "torch", "torch.amax(x, dim=(-2, -1))", "NHWC"),
]
FROM_BEHIND += [
    ("import tensorflow as tf\n", "tf.reduce_max(x, [-4, -3, -2])", "torch", "torch.amax(x, dim=(-3, -2, -1))", "NDHWC")
]


@pytest.mark.parametrize(("head", "call", "to", "after", "layout"), FROM_BEHIND)
def test_axes_from_behind_stay_so_where_channels_move(head: str, call: str, to: str, after: str, layout: str) -> None:
    found = row(f"{head}y = {call}\n", to)
    original, ported = runner(call_of(call)), runner(call_of(after))
    other = {"NCHW": "NHWC", "NHWC": "NCHW", "NDHWC": "NCDHW"}[layout]

    assert found.after == after
    assert "it counts the axes from behind, and the channels move past them" in found.note
    for have, want in ((layout[1:], other[1:]), (layout, other), (f"U{layout}", f"U{other}")):
        x = np.random.default_rng(1).standard_normal(range(2, 2 + len(have))).astype("float32")
        moved = np.ascontiguousarray(x.transpose([have.index(letter) for letter in want]))
        np.testing.assert_allclose(np.asarray(ported(moved)), np.asarray(original(x)), rtol=1e-5, atol=1e-5)
