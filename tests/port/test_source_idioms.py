"""What people really write: several calls that are one pool, and the numbers of their ports."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from tests.helpers.ports import line, ported, row, same_numbers

HEAD = """\
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from tensorflow.keras import backend as K

"""


def body(*lines: str) -> str:
    return HEAD + "def f(x):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


# ------------------------------------------------------------------------------------------- windows as large as a map

WHOLE = {
    "negative axes": ["return layers.AveragePooling2D(pool_size=(x.shape[-3], x.shape[-2]))(x)"],
    "a slice": ["return layers.AveragePooling2D(x.shape[1:3])(x)"],
    "unpacked": ["height, width = x.shape[1:3]", "return layers.AveragePooling2D((height, width))(x)"],
    "all unpacked": ["_, h, w, _ = x.shape", "return layers.AveragePooling2D((h, w))(x)"],
    "the shape by name": [
        "dims = x.shape",
        "x = layers.AveragePooling2D(pool_size=(dims[-3], dims[-2]))(x)",
        "return x",
    ],
    "a pair by name": ["size = (x.shape[1], x.shape[2])", "return layers.AveragePooling2D(size)(x)"],
    "one by one": ["h, w = x.shape[1], x.shape[2]", "return layers.AveragePooling2D([h, w])(x)"],
    "apart": ["h = x.shape[1]", "w = x.shape[2]", "return layers.AveragePooling2D((h, w))(x)"],
    "int": ["h = int(x.shape[1])", "return layers.AveragePooling2D((h, int(x.shape[2])))(x)"],
    "K.int_shape": ["size = K.int_shape(x)[1:3]", "return layers.AveragePooling2D(size, strides=1)(x)"],
    "ops.shape": ["s = ops.shape(x)", "return layers.AveragePooling2D(pool_size=(s[1], s[2]))(x)"],
    "tf.nn": ["return tf.nn.avg_pool(x, [1, x.shape[1], x.shape[2], 1], 1, 'VALID')"],
    "max": ["return layers.MaxPooling2D(pool_size=(x.shape[1], x.shape[2]))(x)"],
}


@pytest.mark.parametrize("lines", WHOLE.values(), ids=WHOLE)
def test_a_window_as_large_as_the_map_is_global(lines: list[str]) -> None:
    assert same_numbers(body(*lines)).shape == (2, 1, 1, 3)
    after = ported(body(*lines)).text
    assert ("AdaptiveAvgPool2d(1)(x)" in after) + ("adaptive_avg_pool2d(x, 1)" in after) + (
        "AdaptiveMaxPool2d(1)(x)" in after
    ) == 1


def test_tf_shape_by_name() -> None:
    source = body("shape = tf.shape(x)", "return layers.AveragePooling2D((shape[1], shape[2]))(x)")
    assert line(source) == "return torch.nn.AdaptiveAvgPool2d(1)(x)"


def test_the_shape_of_what_is_inside_a_relu() -> None:
    source = "import torch.nn.functional as F\ny = F.avg_pool2d(F.relu(x), x.size()[2:])\n"
    assert line(source, "keras") == "y = keras.layers.GlobalAveragePooling2D(keepdims=True)(F.relu(x))"


@pytest.mark.parametrize("size", ["x.size()[2:]", "x.shape[-2:]", "(x.size(2), x.size(3))", "[x.shape[2], x.shape[3]]"])
def test_from_torch(size: str) -> None:
    source = f"import torch.nn.functional as F\n\ndef f(x):\n    return F.avg_pool2d(x, kernel_size={size})\n"
    assert line(source, "keras") == "return keras.layers.GlobalAveragePooling2D(keepdims=True)(x)"
    assert line(source, "jax") == "return jnp.mean(x, axis=(1, 2), keepdims=True)"


@pytest.mark.parametrize(
    "lines",
    [
        ["return layers.AveragePooling2D((y.shape[1], y.shape[2]))(x)"],
        ["def build(input_shape):", "    return layers.AveragePooling2D((input_shape[1], input_shape[2]))"],
    ],
    ids=["another tensor", "a parameter"],
)
def test_sizes_of_other_axes_or_maps_are_not_carried_over(lines: list[str]) -> None:
    found = row(body(*lines))
    assert found.status == "failed"
    assert "shape" in found.note or "square" in found.note
    assert "layers.AveragePooling2D(" in ported(body(*lines)).text
    assert row(body(*lines), "jax").status != "failed"  # which has the same order of the axes


# ------------------------------------------------------------------------------------------- axes that come back

RESTORED = {
    "reshape": ["x = layers.GlobalAveragePooling2D()(x)", "x = layers.Reshape((1, 1, 3))(x)", "return x"],
    "another name": ["gap = layers.GlobalAveragePooling2D()(x)", "se = layers.Reshape((1, 1, -1))(gap)", "return se"],
    "used in place": ["gap = layers.GlobalAveragePooling2D()(x)", "return layers.Reshape((1, 1, -1))(gap)"],
    "nested": ["return layers.Reshape((1, 1, x.shape[-1]))(layers.GlobalAveragePooling2D()(x))"],
    "lambda": [
        "x = layers.GlobalAveragePooling2D()(x)",
        "x = layers.Lambda(lambda t: ops.expand_dims(ops.expand_dims(t, 1), 1))(x)",
        "return x",
    ],
    "lambda index": ["return layers.Lambda(lambda t: t[:, None, None, :])(layers.GlobalAveragePooling2D()(x))"],
    "expand_dims": ["return tf.expand_dims(tf.expand_dims(layers.GlobalAveragePooling2D()(x), 1), 1)"],
    "expand_dims in turn": [
        "x = layers.GlobalAveragePooling2D()(x)",
        "x = tf.expand_dims(x, axis=1)",
        "x = tf.expand_dims(x, axis=-2)",
        "return x",
    ],
    "None": ["return layers.GlobalAveragePooling2D()(x)[:, None, None, :]"],
    "tf.newaxis": ["return layers.GlobalAveragePooling2D()(x)[:, tf.newaxis, tf.newaxis, :]"],
    "np.newaxis": ["return layers.GlobalAveragePooling2D()(x)[:, np.newaxis, np.newaxis]"],
    "tf.reshape": ["return tf.reshape(tf.reduce_mean(x, [1, 2]), [-1, 1, 1, 3])"],
    "a shape by name": [
        "se_shape = (1, 1, x.shape[-1])",
        "se = layers.GlobalAveragePooling2D()(x)",
        "se = layers.Reshape(se_shape, name='r')(se)",
        "return se",
    ],
    "sequential": [
        "return keras.Sequential([layers.GlobalAveragePooling2D(), layers.Reshape((1, 1, 3))])(x)",
    ],
    "model.add": [
        "model = keras.Sequential()",
        "model.add(layers.GlobalAveragePooling2D())",
        "model.add(layers.Reshape((1, 1, 3)))",
        "return model(x)",
    ],
}


@pytest.mark.parametrize("name", [name for name in RESTORED if name not in ("sequential", "model.add")])
def test_a_global_pool_whose_axes_come_back(name: str) -> None:
    source = body(*RESTORED[name])
    assert same_numbers(source).shape == (2, 1, 1, 3)
    after = ported(source)
    assert after.rows[0].after in ("torch.nn.AdaptiveAvgPool2d(1)(x)", "torch.nn.functional.adaptive_avg_pool2d(x, 1)")
    assert all(word not in after.text for word in ("Reshape", "expand_dims", "None", "newaxis", "Lambda", "flatten"))


def test_a_layer_that_is_kept_in_a_class() -> None:
    source = """\
    import tensorflow as tf
    from keras import layers

    class Block(layers.Layer):
        def __init__(self, c):
            self.gap = layers.GlobalAveragePooling2D()
            self.top = layers.GlobalMaxPooling2D()
            self.shape = layers.Reshape((1, 1, c))

        def call(self, x):
            s = self.gap(x)[:, tf.newaxis, tf.newaxis, :]
            y = self.shape(self.gap(x + 1))
            return x * s + y + self.top(x)
    """
    after = ported(source).text
    assert "self.gap = torch.nn.AdaptiveAvgPool2d(1)\n" in after
    assert "self.top = torch.nn.Sequential(torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten())\n" in after
    assert "s = self.gap(x)\n" in after
    assert "y = self.gap(x + 1)\n" in after
    assert "tensorflow" not in after


@pytest.mark.parametrize(
    "before",
    [
        "F.adaptive_avg_pool2d(x, 1).flatten(1)",
        "torch.flatten(nn.AdaptiveAvgPool2d(1)(x), 1)",
        "F.adaptive_avg_pool2d(x, (1, 1)).squeeze(-1).squeeze(-1)",
        "x.mean((2, 3), keepdim=True).squeeze((2, 3))",
        "F.avg_pool2d(x, x.shape[2:]).flatten(1)",
    ],
)
def test_axes_that_are_dropped_at_once(before: str) -> None:
    source = f"import torch\nfrom torch import nn\nimport torch.nn.functional as F\ny = {before}\n"
    assert row(source, "keras").after == "keras.layers.GlobalAveragePooling2D()(x)"


def test_a_folded_call_has_a_row_that_says_where_it_went() -> None:
    pool, reshape = ported(body(*RESTORED["another name"])).rows
    assert (pool.where, reshape.where) == ("line 8", "line 9")
    assert (reshape.before, reshape.after, reshape.status) == ("layers.Reshape((1, 1, -1))(gap)", "gap", "exact")
    assert "line 8" in reshape.note


def test_items_of_a_sequential() -> None:
    after = ported(body(*RESTORED["sequential"]))
    assert after.text.splitlines()[-1].strip() == "return keras.Sequential([torch.nn.AdaptiveAvgPool2d(1)])(x)"
    assert [r.status for r in after.rows] == ["exact", "exact"]


def test_layers_that_are_added_one_by_one() -> None:
    after = ported(body(*RESTORED["model.add"])).text
    assert "    model.add(torch.nn.AdaptiveAvgPool2d(1))\n    return model(x)\n" in after


@pytest.mark.parametrize(
    "lines",
    [
        ["g = layers.GlobalAveragePooling2D()(x)", "y = layers.Reshape((1, 1, 3))(g)", "return y + g"],
        ["g = layers.GlobalAveragePooling2D()(x)", "return layers.Reshape((3, 1, 1))(g)"],
        ["g = layers.GlobalAveragePooling2D()(x)", "if x is None:", "    g = x", "return layers.Reshape((1, 1, 3))(g)"],
    ],
    ids=["used twice", "channels elsewhere", "may be another"],
)
def test_what_is_no_such_pattern_stays_two_calls(lines: list[str]) -> None:
    after = ported(body(*lines))
    assert len(after.rows) == 1
    assert "torch.nn.Flatten()" in after.text
    assert "layers.Reshape" in after.text


# ------------------------------------------------------------------------------------------- means inside a Lambda


@pytest.mark.parametrize(
    "layer",
    [
        "layers.Lambda(lambda t: tf.reduce_mean(t, axis=[1, 2]))",
        "layers.Lambda(lambda t: ops.mean(t, axis=(1, 2), keepdims=True), name='gap')",
        "layers.Lambda(lambda t: tf.reduce_mean(t, [1, 2])[:, None, None])",
    ],
)
def test_a_spatial_mean_inside_a_lambda(layer: str) -> None:
    same_numbers(body(f"return {layer}(x)"))
    assert row(body(f"return {layer}(x)")).before == f"{layer}(x)"
    made = row(body(f"return [{layer}]")).after
    assert made.startswith(("torch.nn.AdaptiveAvgPool2d(1)", "torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), "))


# ------------------------------------------------------------------------------------------- what the report says


@pytest.mark.parametrize(
    "lines",
    [
        ["return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))"],
        ["x = layers.ZeroPadding2D(1)(x)", "x = layers.MaxPooling2D(3, 2)(x)"],
        ["return keras.Sequential([layers.ZeroPadding2D(1), layers.MaxPooling2D(3, 2)])"],
        ["m = keras.Sequential()", "m.add(layers.ZeroPadding2D(1))", "m.add(layers.MaxPooling2D(3, 2))"],
    ],
)
def test_the_zeros_of_a_padding_before_take_part(lines: list[str]) -> None:
    pad, pool = sorted(ported(body(*lines)).rows, key=lambda one: "Max" in one.before.partition("(")[0])
    assert pool.after.startswith("torch.nn.MaxPool2d(3, 2)")
    assert "padding=1" not in pool.after
    assert (pad.before, pad.after) == ("layers.ZeroPadding2D(1)", "torch.nn.ConstantPad2d(1, 0.0)")
    assert "takes these zeros for numbers" in pad.note
    assert "zeros of layers.ZeroPadding2D(1)" in ported(body(*lines), "jax").rows[0].note
    assert "layers.ZeroPadding2D(1)" in ported(body(*lines), "jax").text


def test_zeros_around_other_axes_stay() -> None:
    lines = ['return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(data_format="channels_first")(x))']
    found = ported(body(*lines))
    assert "ConstantPad2d" not in found.text
    assert "keep that padding as a step of its own" in found.rows[0].note
    assert [line.after for line in found.lines] == ['layers.ZeroPadding2D(data_format="channels_last")']


def test_squeeze_after_a_pool() -> None:
    source = "import torch.nn as nn\ny = nn.AdaptiveAvgPool2d(1)(x).squeeze()\n"
    assert "batch of 1" in row(source, "keras").note
    assert line(source, "keras") == "y = keras.layers.GlobalAveragePooling2D(keepdims=True)(x).squeeze()"
    assert "batch of 1" in row("from keras import layers\nimport tensorflow as tf\n"
                               "y = tf.squeeze(layers.GlobalAveragePooling2D(keepdims=True)(x))\n").note  # fmt: skip
    two = "import torch.nn as nn\ndef f(x):\n    x = nn.AvgPool2d(2)(x)\n    return x.squeeze()\n"
    assert "batch of 1" in row(two, "keras").note


@pytest.mark.parametrize("source", ["torch.nn.AvgPool2d(7, stride=1)", "keras.layers.AveragePooling2D((7, 7))"])
def test_a_window_that_is_the_whole_map_at_one_size_only(source: str) -> None:
    to = "keras" if source.startswith("torch") else "torch"
    found = row(f"import keras\nimport torch\npool = {source}\n", to)
    assert "7x7" in found.note
    assert found.status in ("exact", "caveat")  # Keras averages long windows in another order
    assert "Pool2d(7" in found.after or found.after == "keras.layers.AveragePooling2D(7, 1)"


def test_numbers_of_a_whole_head() -> None:
    got = same_numbers(
        body(
            "y = layers.ZeroPadding2D(1)(x)" if False else "y = x",
            "a = layers.GlobalAveragePooling2D(keepdims=True)(y)",
            "b = layers.GlobalMaxPooling2D()(y)[:, None, None, :]",
            "return a + b",
        )
    )
    assert np.isfinite(got).all()
