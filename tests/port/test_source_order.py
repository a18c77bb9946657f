"""What goes by the order of the axes around a pool: in its argument, and by the rank that a reduction leaves open."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

from poolkit.dialects.reading import call_of
from poolkit.port.check import check
from poolkit.port.python.source import port_source
from tests.helpers.ports import MAP, function, ported, row

TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
OTHERS = "import keras, einops\nimport jax.numpy as jnp\nimport tensorflow as tf\n"
ORDERED = [
    *(
        (TORCH, call, to)
        for to in ("keras", "jax", "tensorflow")
        for call in (
            "F.adaptive_avg_pool2d(x.permute(0,3,2,1), 1).flatten(1)",
            "F.max_pool2d(x.permute(0,3,1,2), 2)",
            "F.max_pool2d(x[:, 1:].permute(0,3,1,2), 2).permute(0,2,3,1)",
            "nn.AdaptiveAvgPool2d(1)(x.transpose(1,2))",
            "F.max_pool2d(torch.swapaxes(x, 1, 2), 2)",
            "F.max_pool2d(nn.ReLU()(torch.movedim(x, -1, 1)), 2)",
            "x.mT.amax((2, 3))",
            "F.max_pool2d(x[:, :2], 2)",
            "F.max_pool2d(x[..., 1:], 2)",
            "F.max_pool1d(x[:, None], 2)",
            "F.max_pool1d(x.unsqueeze(1), 2)",
        )
    ),
    (OTHERS, "tf.reduce_max(x[:, 1:4, 2:6], axis=(1,2))", "torch"),
    (OTHERS, "keras.layers.GlobalAveragePooling2D()(keras.layers.Permute((2, 1, 3))(x))", "torch"),
    (OTHERS, "jnp.mean(jnp.moveaxis(x, 1, 2), axis=(1, 2))", "torch"),
    (OTHERS, "jnp.mean(x.T, axis=(1, 2))", "torch"),
    (OTHERS, "jnp.mean(x[1:], axis=(-3, -2))", "torch"),  # of a map without a batch it cuts rows
    (OTHERS, "tf.reduce_max(x[::2, :], axis=[-3, -2], keepdims=True)", "torch"),
    (OTHERS, "einops.reduce(jnp.transpose(x, (0, 3, 2, 1)), 'b h w c -> b c', 'mean')", "torch"),
    (OTHERS, "jnp.mean(einops.rearrange(x, 'a b c d -> a c d b'), axis=(1, 2))", "torch"),
]


@pytest.mark.parametrize("before", ["Permute((2, 1, 3))", "Reshape((8, 9, 3))"])
def test_a_layer_before_a_pool_that_goes_by_the_order_of_the_axes(before: str) -> None:
    source = f"{OTHERS}m = keras.Sequential([keras.layers.{before}, keras.layers.MaxPooling2D((2, 3))])\n"
    found = row(source, "torch")
    assert (found.status, found.after) == ("caveat", "torch.nn.MaxPool2d((2, 3))")
    assert f"keras.layers.{before} before it takes the axes in the order of the original" in found.note
    assert row(source, "jax").status == "exact"


@pytest.mark.parametrize(("head", "call", "to"), ORDERED)
def test_an_argument_that_goes_by_the_order_of_the_axes(head: str, call: str, to: str) -> None:
    source = f"{head}y = {call}\n"
    found = row(source, to)
    assert (found.status, found.after) == ("failed", "")
    assert "in its argument goes by the order of the axes" in found.note
    assert ported(source, to).text == source


@pytest.mark.parametrize(
    "body",
    [
        "y = x.reshape(2, 8, 6, 3).permute(0, 3, 1, 2).contiguous()\n    return F.max_pool2d(F.relu(y), 2)",
        "y = ops.reshape(x, [2, 3, 8, 6])\n    return F.max_pool2d(y, 2)",
        "return F.avg_pool2d(x.view(2, 3, 8, 6), k)",
        "y = x.view((2, 6, 8, 3))\n    y = y if k else y.permute(0, 3, 1, 2)\n    return F.max_pool2d(y, (3, 1), 2)",
        "return x.reshape(2, 3, 8, 6).mean((2, 3))",
    ],
)
def test_what_is_reshaped_to_its_axes_is_pooled_in_their_order(body: str) -> None:
    source = f"{TORCH}def f(x, k=2):\n    {body}\n"
    found = row(source, "tensorflow")
    assert "so it stays NCHW" in found.note
    assert "NCHW" in found.after or "axis=(2, 3)" in found.after


@pytest.mark.parametrize(
    "body",
    [
        "x = x.transpose(1, 2)\n        return self.pool2(x)",
        "return self.pool2(x.transpose(1, 2))",
        "h = x.transpose(1, 2)\n        return F.max_pool2d(h, 2)",
        "return self.net(x.permute(0, 2, 1))",
        "return self.pool(x.permute(0, 2, 1)) + self.pool(x)",
    ],
)
def test_a_layer_that_is_called_with_such_an_argument(body: str) -> None:
    source = f"""{TORCH}class Net(nn.Module):
    def __init__(self):
        self.pool = nn.MaxPool1d(2)
        self.pool2 = nn.MaxPool2d(2)
        self.net = nn.Sequential(nn.ReLU(), nn.MaxPool1d(2))
    def forward(self, x):
        {body}
"""
    rows = port_source(source, "keras").rows
    assert [one.status for one in rows].count("failed") == 1, rows


def test_where_nothing_moves_both_stay() -> None:
    call = "F.avg_pool1d(x.permute(0, 2, 1), 2).permute(0, 2, 1)"
    kept = ported(f"{TORCH}y = {call}\n", "keras", layout="NCHW").text
    assert 'AveragePooling1D(2, data_format="channels_first")(x.permute(0, 2, 1)).permute(0, 2, 1)' in kept
    source = f"{OTHERS}def f(x):\n    return tf.reduce_mean(x[:, 1:4, 2:6, :], axis=(1, 2))\n"
    got = np.asarray(function(ported(source, "jax").text)(jnp.asarray(MAP)))
    np.testing.assert_allclose(got, function(source)(tf.constant(MAP)).numpy(), rtol=1e-5, atol=1e-6)


def test_an_index_of_the_batch_alone_and_of_a_dictionary_stay() -> None:
    for tensor in ("x[0]", "x[1:]", 'x["a"]', 'x["a", "b"]', "x.shape", "self.blocks[2](x)"):
        assert row(f"{TORCH}y = F.max_pool2d({tensor}, 2)\n", "jax").status == "exact"
    for call in ("jnp.mean(x[1:], axis=(1, 2))", "jnp.mean(x[0], axis=(-3, -2), keepdims=True)"):
        assert row(f"{OTHERS}y = {call}\n").after, call


def test_what_counts_an_axis_is_told() -> None:
    found = row(f"{TORCH}y = F.max_pool2d(torch.cat([x, z], dim=1), 2)\n", "jax")
    assert found.status == "caveat"
    assert "torch.cat([x, z], dim=1) in its argument counts the axes" in found.note
    after = row(f"{TORCH}y = F.max_pool1d(x, 2).transpose(1, 2)\n", "jax")
    assert "transpose after it takes the axes in the order of the original" in after.note


# ------------------------------------------------------------------------------------------------- the rank


REDUCTIONS = {
    "tf.math.reduce_max(x, [-1, -2])": "torch.amax(x, dim=(-2, -1))",
    "tf.reduce_min(x, [-2, -1])": "torch.amin(x, dim=(-2, -1))",
    "jnp.sum(x, axis=(1, 2))": "torch.sum(x, dim=(2, 3))",
    "keras.ops.mean(x, axis=(2, 3))": "torch.mean(x, dim=(2, 3))",
    "tf.reduce_mean(x, [-1, -2], keepdims=True)": "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
}


@pytest.mark.parametrize("before", REDUCTIONS)
def test_a_reduction_is_one_in_torch(before: str) -> None:
    found = row(f"{OTHERS}y = {before}\n")
    assert (found.after, found.status) == (REDUCTIONS[before], "exact")
    checked = check(found, "torch")
    assert checked is not None
    assert checked.agrees, checked


@pytest.mark.parametrize("to", ["jax", "torch", "keras", "tensorflow"])
@pytest.mark.parametrize("axis", ["(-2, -1)", "(-3, -2)", "(1, 2)", "(2, 3)"])
@pytest.mark.parametrize("keepdims", ["", ", keepdims=True"])
def test_a_check_agrees_at_every_rank(to: str, axis: str, keepdims: str) -> None:
    checked = check(row(f"{OTHERS}import numpy as np\ny = np.mean(x, axis={axis}{keepdims})\n", to), to)
    assert checked is None or checked.agrees, checked


def test_positions_from_behind_stay_so_where_nothing_moves() -> None:
    found = row(f"{OTHERS}y = tf.reduce_mean(x, [-3, -2], keepdims=True)\n", "jax")
    assert found.after == "jnp.mean(x, axis=(-3, -2), keepdims=True)"


@pytest.mark.parametrize("keepdims", [True, False])
def test_a_matrix_a_batch_gives_the_same_numbers(keepdims: bool) -> None:
    source = f"{OTHERS}def f(x):\n    return tf.math.reduce_max(x, [-1, -2], {keepdims})\n"
    after = function(ported(source).text)
    for x in (MAP[0], MAP):
        np.testing.assert_array_equal(after(torch.from_numpy(x)).numpy(), function(source)(tf.constant(x)).numpy())


def test_positions_of_maps_fail_for_a_matrix_a_batch() -> None:
    source = f"{OTHERS}def f(x):\n    return tf.reduce_mean(x, [1, 2])\n"
    with pytest.raises(IndexError):
        function(ported(source).text)(torch.from_numpy(MAP[0]))


def test_a_check_runs_the_other_rank() -> None:
    found = row(f"{OTHERS}y = tf.math.reduce_max(x, [-1, -2])\n")
    wrong = "torch.nn.Sequential(torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten())"
    checked = check(dataclasses.replace(found, after=wrong, ported=call_of(wrong)), "torch")
    assert checked is not None
    assert not checked.agrees
    assert "on (4, 5, 6) the original gives the shape (4,)" in str(checked)


FORMATS = [
    ('x if data_format == "channels_last" else x.permute(0, 3, 1, 2)', True),
    ('x if data_format != "channels_first" else x.permute(0, 3, 1, 2)', True),
    ('x.permute(0, 3, 1, 2) if data_format == "channels_first" else x', True),
    ('x if data_format == "channels_first" else x.permute(0, 3, 1, 2)', False),  # the other way around
    ('x if data_format == "channels_last" else x.permute(0, 2, 3, 1)', False),
    ('y if data_format == "channels_last" else x.permute(0, 3, 1, 2)', False),  # another tensor
    ('x if training == "channels_last" else x.permute(0, 3, 1, 2)', False),
]


@pytest.mark.parametrize(("turn", "ports"), FORMATS)
def test_what_has_the_order_of_the_data_format_is_pooled_in_the_ports(turn: str, ports: bool) -> None:
    source = f"from keras import layers\ndef f(x, data_format):\n    x = {turn}\n    return layers.MaxPooling2D(2)(x)\n"
    result = ported(source)
    (found,) = result.rows
    assert found.status == ("caveat" if ports else "failed")
    if ports:
        assert found.differs == (f"{turn} gives what it pools the order of the data format; set that to the port's",)
        theirs = np.asarray(function(source)(MAP.transpose(0, 2, 3, 1), "channels_last"))
        ours = function(result.text)(torch.tensor(MAP.transpose(0, 2, 3, 1).copy()), "channels_first")
        np.testing.assert_array_equal(ours.numpy(), theirs.transpose(0, 3, 1, 2))
    assert ported(source, layout="NHWC").complete
