"""Values of a type that a framework does not take, or takes in its own way: what it does itself is what is read."""

from __future__ import annotations

from typing import Any

import pytest

import poolkit as pk
from poolkit.dialects.calls import Call, Expression
from poolkit.port.python.source import port_source

MAX, AVG, HAIKU = "-jnp.inf, lax.max", "[[0, 0], [1, 1], [1, 0], [0, 0]]", "hk.max_pool(x, (2, 2, 1)"

# Each of them is refused by its framework, in the versions of constraints.txt, as was found by calling it.
REFUSED = [
    ("nnx.max_pool(x, 2)", "window_shape=2 is not what the framework takes, which is a tuple or a list"),
    ("nnx.max_pool(x, (2, 2), 2)", "strides=2 is not what"),
    ("nnx.max_pool(x, (2, 2), (2, 2), 1)", "padding=1 is not what the framework takes, which is text or a tuple"),
    ("nnx.max_pool(x, (2, 2), (2, 2), None)", "padding=None is not what"),
    (f"lax.reduce_window(x, {MAX}, 2)", "window_dimensions=2 is not what"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), 2)", "window_strides=2 is not what"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), (), 'VALID')", "window has 4 entries, and"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), (1, 2, 1))", "window has 4 entries, and"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), None, 1)", "padding=1 is not what"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), None, 'VALID', 1)", "base_dilation=1 is not what"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), None, 'VALID', None, 2)", "window_dilation=2 is not what"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), strides)", "window_strides=strides is not known here"),
    (f"lax.reduce_window(x, {MAX}, (1, 2, 2, 1), window_dilation=rates)", "rates is not known here"),
    ("hk.max_pool(x, 2, None, 'VALID')", "strides=None is not what the framework takes, which is an integer or a"),
    ("hk.max_pool(x, 2.0, 2, 'VALID')", "window_shape=2.0 is not what"),
    (f"{HAIKU}, 2, 1)", "padding=1 is not what the framework takes, which is text"),
    (f"{HAIKU}, 2, 'VALID', 'C')", 'channel_axis="C" is not what'),
    ("eqx.nn.Pool(0, lax.add, 4, 2)", "num_spatial_dims=4, and poolkit reads one to three"),
    ("eqx.nn.AdaptivePool(1, 2.0, jnp.max)", "num_spatial_dims=2.0 is not what"),
    ("keras.ops.adaptive_average_pool(x, (1, 2, 2, 1))", "it has 4 sizes, and Keras's pools take one to three"),
    ("keras.ops.average_pool(x, (1, 2, 2, 1), 2)", "it has 4 sizes"),
    ("keras.layers.MaxPooling2D(2, data_format=['channels_last'])", "is none of Keras's"),
    ("tf.nn.pool(x, (1, 2, 2, 1), 'MAX')", "has 4 sizes, and tf.nn.pool takes one for each of one to three"),
    ("tf.nn.pool(x, 2, 'MAX')", "window_shape=2 is not what"),
    ("tf.nn.pool(x, [2, 2], 'MAX', 2)", "strides=2 is not what"),
    ("tf.nn.pool(x, [2, 2], 'MAX', dilations=2)", "dilations=2 is not what"),
    ("tf.nn.max_pool2d(x, 2, 2, 1)", "padding=1 is not what"),
    ("tf.nn.max_pool2d(x, 2, 2, None)", "padding=None is not what"),
    ("tf.nn.max_pool2d(x, 2, 2, [0, 1, 1, 0])", "received tensorflow.nn.max_pool2d"),
    (f"tf.nn.avg_pool2d(x, 2, 2, {AVG})", "is refused by TensorFlow, which takes numbers for 1-d and 2-d maxima"),
    ("tf.nn.max_pool(x, 2, 2, 'VALID', ['NHWC'])", r"is not what the framework takes, which is text"),
    ("keras.ops.max_pool(x, None)", "pool_size=None is no size"),
    ("keras.ops.max_pool(x, 2, (1, 2, 2, 1))", "it has 4 sizes"),
    ("nnx.max_pool(x, (2, 2), None, (1, 1))", "each entry of padding=1 is not what"),
    ("eqx.nn.MaxPool2d(2, None)", "stride=None is not what"),
    ("eqx.nn.AvgPool2d(2, padding='same')", 'padding="same" is not what'),
    ("eqx.nn.AdaptiveAvgPool3d((1, 1))", "has to have 3 sizes"),
    ("onnx.MaxPool(kernel_shape=2)", "kernel_shape=2 is not what"),
    ("onnx.MaxPool(kernel_shape=[2, 2], pads=1)", "pads=1 is not what"),
    ("onnx.MaxPool(kernel_shape=[2, 2], auto_pad=1)", "auto_pad=1 is not what"),
    ("onnx.ReduceMean(axes=2)", "axes=2 is not what"),
    ("einops.reduce(x, None, 'mean')", "pattern=None is not what"),
    ("timm.layers.select_adaptive_pool2d(x, 1)", "pool_type=1 is not what"),
]


@pytest.mark.parametrize(("source", "text"), REFUSED)
def test_a_value_that_the_framework_refuses(source: str, text: str) -> None:
    with pytest.raises(pk.NotExactError, match=text):
        pk.read(source)


# Each was compared with what the framework gives.
READ = [
    ("nnx.max_pool(x, (2, 2), ())", pk.MaxPool(2, 1, layout="NHWC")),
    ("tf.nn.max_pool2d(x, 2, None, 'VALID')", pk.MaxPool(2, 1, layout="NHWC")),
    (f"tf.nn.max_pool(x, 2, 2, {AVG})", pk.MaxPool(2, 2, ((1, 1), (1, 0)), layout="NHWC")),
    ("F.avg_pool2d(x, 2, [])", pk.AvgPool(2, layout="NCHW")),
    ("nn.MaxPool2d(2, ())", pk.MaxPool(2, layout="NCHW")),
    ("F.max_pool1d(x, 3, stride=[])", pk.MaxPool(3, layout="NCL")),
    ("keras.layers.MaxPooling2D(2, data_format='Channels_First')", pk.MaxPool(2, layout="NCHW")),
]


@pytest.mark.parametrize(("source", "spec"), READ)
def test_a_value_that_the_framework_takes_in_its_own_way(source: str, spec: pk.PoolSpec) -> None:
    assert pk.read(source) == spec


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("nn.MaxPool2d(2)", 3), "received the layout 3"),
        (("b (h ²) c -> b h c", "max"), "received"),
        (("b h c -> b c", ["mean"]), "einops reduces by"),
        (("b" * 10_000 + " -> b", "mean"), "a pattern of 10005 characters, and one has at most 500"),
        ((Call("torch.nn.MaxPool2d", (2, Expression("s"), {3})),), "received"),
        (({"class_name": "MaxPooling2D", "config": {"pool_size": {2}}},), "received"),
    ],
)
def test_what_is_no_value_at_all(args: tuple[Any, ...], text: str) -> None:
    with pytest.raises(pk.PoolkitError, match=text) as raised:
        pk.read(*args)
    assert len(str(raised.value)) < 2000


def test_one_bad_call_does_not_end_the_port_of_a_file() -> None:
    source = "import flax.linen as nn\n\na = nn.max_pool(x, 2)\nb = nn.max_pool(x, (2, 2), (2, 2))\n"
    bad, good = port_source(source, "torch").rows
    assert (bad.status, good.after) == ("failed", "torch.nn.functional.max_pool2d(x, 2)")
    assert "window_shape=2 is not what the framework takes" in bad.note
