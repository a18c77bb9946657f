"""Keras's layers, their configs and keras.ops, read: Keras's own output against what their specs give."""

from __future__ import annotations

import functools
import json
from typing import Any

import keras
import numpy as np
import pytest

import poolkit as pk
from poolkit import InputError, NotExactError, PoolSpec
from tests.helpers.support import python

SHAPES = {1: (2, 11, 3), 2: (2, 7, 10, 3), 3: (1, 5, 7, 6, 2)}
LAST = {1: "NLC", 2: "NHWC", 3: "NDHWC"}
FIRST = {1: "NCL", 2: "NCHW", 3: "NCDHW"}


def numbers(n: int, data_format: str = "channels_last") -> np.ndarray:
    x = np.random.default_rng(0).standard_normal(SHAPES[n]).astype("float32")
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1).copy()


def assert_same(layer: Any, spec: pk.PoolSpec | pk.Mix, x: np.ndarray) -> None:
    expected = keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(x)))
    given = pk.pool(x, spec)
    assert given.shape == expected.shape
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)


WINDOWS: list[dict[str, Any]] = [
    {"pool_size": 2},
    {"pool_size": 3, "strides": 2},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 2, "strides": 1, "padding": "same"},
    {"pool_size": 3, "strides": 1, "padding": "SAME"},
]

SIZES: dict[int, tuple[Any, ...]] = {1: (1, 4), 2: (1, 3, (2, 4)), 3: (1, 2, (2, 3, 4))}

LAYERS: list[tuple[int, str, dict[str, Any]]] = [
    *((n, f"{kind}Pooling", options) for n in (1, 2, 3) for kind in ("Max", "Average") for options in WINDOWS),
    *(
        (n, f"Global{kind}Pooling", options)
        for n in (1, 2, 3)
        for kind in ("Max", "Average")
        for options in ({}, {"keepdims": True})
    ),
    *(
        (n, f"Adaptive{kind}Pooling", {"output_size": size})
        for n in (1, 2, 3)
        for kind in ("Max", "Average")
        for size in SIZES[n]
        if (kind, size) != ("Max", 1)  # on TensorFlow's engine Keras's adaptive maximum of one bin ends the process
    ),
    (2, "MaxPooling", {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}),
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("n", "name", "options"), LAYERS, ids=str)
def test_a_layer_its_config_and_its_line(n: int, name: str, options: dict[str, Any], data_format: str) -> None:
    layer = getattr(keras.layers, f"{name}{n}D")(**options, data_format=data_format)
    spec = pk.read(layer)
    assert spec.layout == (LAST if data_format == "channels_last" else FIRST)[n]
    assert_same(layer, spec, numbers(n, data_format))
    assert pk.read(keras.layers.serialize(layer)) == spec
    assert pk.read(json.loads(json.dumps(keras.layers.serialize(layer)))) == spec
    assert pk.read({"class_name": type(layer).__name__, "config": layer.get_config()}) == spec
    arguments = ", ".join(f"{key}={value!r}" for key, value in {**options, "data_format": data_format}.items())
    for prefix in ("keras.layers", "layers", "tf.keras.layers"):
        assert pk.read(f"{prefix}.{name}{n}D({arguments})") == spec


def test_the_default_data_format_is_that_of_the_configuration() -> None:
    assert pk.read("keras.layers.MaxPooling2D()").layout == "NHWC"
    keras.config.set_image_data_format("channels_first")
    try:
        assert pk.read("keras.layers.MaxPooling2D()").layout == pk.read(keras.layers.MaxPooling2D()).layout == "NCHW"
    finally:
        keras.config.set_image_data_format("channels_last")


def test_other_names() -> None:
    assert pk.read("keras.layers.AvgPool2D(2)") == pk.read("keras.layers.AveragePooling2D(2)")
    assert pk.read("keras.layers.GlobalMaxPool1D()") == pk.read(keras.layers.GlobalMaxPool1D())
    assert pk.read("tf.keras.layers.GlobalAvgPool2D(keepdims=True)(x)") == pk.read(
        keras.layers.GlobalAveragePooling2D(keepdims=True)
    )


OPS = [
    ("max_pool", "((3, 2), 2, 'same')", {"pool_size": (3, 2), "strides": 2, "padding": "same"}),
    ("average_pool", "((2, 2), strides=1, padding='valid')", {"pool_size": (2, 2), "strides": 1}),
    ("max_pool", "(2)", {"pool_size": 2}),
    ("average_pool", "(3, 2)", {"pool_size": 3, "strides": 2}),
    ("adaptive_max_pool", "((3, 2))", {"output_size": (3, 2)}),
    ("adaptive_average_pool", "(3)", {"output_size": 3}),
    ("mean", "(axis=(1, 2))", {"axis": (1, 2)}),
    ("mean", "([1, 2], True)", {"axis": [1, 2], "keepdims": True}),
    ("max", "(axis=(-3, -2), keepdims=True)", {"axis": (-3, -2), "keepdims": True}),
    ("amin", "((1, 2))", {"axis": (1, 2)}),
    ("sum", "(axis=(1, 2))", {"axis": (1, 2)}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), OPS, ids=lambda v: str(v)[:40])
def test_ops(name: str, arguments: str, options: dict[str, Any]) -> None:
    function = getattr(keras.ops, name)
    spec = pk.read(f"keras.ops.{name}(x, {arguments[1:]}", "NHWC")
    assert_same(lambda x: function(x, **options), spec, numbers(2))
    assert pk.read(functools.partial(function, **options), "NHWC") == spec


def test_a_channels_first_op() -> None:
    spec = pk.read("keras.ops.max_pool(x, (2, 2), data_format='channels_first')")
    assert spec == PoolSpec("max", window=2, layout="NCHW")
    assert pk.read("ops.max_pool(inputs=x, pool_size=2)") == PoolSpec("max", window=2, layout="channels_last")


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.GlobalAveragePooling2D):
    def call(self, inputs: Any) -> Any:
        return 2 * super().call(inputs)


NOT_LAYERS = [
    (lambda: keras.layers.Conv2D(3, 2), "convolution"),
    (lambda: keras.layers.ZeroPadding2D(1), "zeros around"),
    (keras.layers.UpSampling2D, "repeats"),
    (keras.layers.Flatten, "makes a vector"),
    (lambda: keras.layers.Resizing(2, 2), "interpolates"),
    (lambda: keras.layers.Dense(2), "no pooling called keras.layers.Dense"),
    (lambda: keras.Sequential([keras.layers.MaxPooling2D()]), "no pooling called keras.layers.Sequential"),
    (lambda: keras.layers.serialize(Doubled()), "may pool otherwise"),
]


@pytest.mark.parametrize(("make", "text"), NOT_LAYERS, ids=[text for _, text in NOT_LAYERS])
def test_layers_that_no_spec_says(make: Any, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(make())


NOT_LINES = [
    ("keras.ops.mean(x)", "every axis"),
    ("keras.ops.max(x, axis=(1, 2), initial=0)", "initial"),
    ("keras.ops.mean(x, axis=-1)", "not the spatial ones"),
    ("keras.layers.MaxPooling2D(2, padding=mode)", "padding=mode is not known"),
    ("keras.layers.MaxPooling2D(2, data_format=order)", "data_format=order is not known"),
    ("keras.layers.GlobalAveragePooling2D(keepdims=keep)", "keepdims=keep is not known"),
    ("keras.layers.MaxPooling2D((size, size))", r"window=\(size, size\) is not known"),
    ("keras.layers.MaxPooling2D(2, dilation=2)", "dilation is no argument"),
    ("keras.layers.MaxPooling2D(2, data_format='NHWC')", "none of Keras's"),
    ("keras.layers.Lambda(f)", "runs code"),
    ("keras.layers.AdaptiveMaxPooling2D()", "missing a required argument: 'output_size'"),
]


@pytest.mark.parametrize(("source", "text"), NOT_LINES)
def test_lines_that_no_spec_says(source: str, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(source)


def test_what_cannot_be_read() -> None:
    with pytest.raises(InputError, match="Doubled"):
        pk.read(Doubled())
    with pytest.raises(InputError, match="class_name and config"):
        pk.read(keras.layers.MaxPooling2D().get_config())
    with pytest.raises(NotExactError, match="channels last"):
        pk.read(keras.layers.MaxPooling2D(), "NCHW")


CODE = """
import json, sys
sys.modules["keras"] = sys.modules["tensorflow"] = None
import poolkit as pk
for config in json.loads(sys.stdin.read()):
    print(repr(pk.read(config)))
"""


def test_configs_are_read_without_keras() -> None:
    layers = [getattr(keras.layers, f"{name}{n}D")(**options) for n, name, options in LAYERS]
    configs = json.dumps([keras.layers.serialize(layer) for layer in layers])
    code = CODE.replace("sys.stdin.read()", repr(configs))
    assert python(code).splitlines() == [repr(pk.read(layer)) for layer in layers]


def test_a_config_of_keras_2() -> None:
    config = {
        "class_name": "MaxPooling2D",
        "config": {
            "name": "pool",
            "trainable": True,
            "dtype": "float32",
            "batch_input_shape": [None, 32, 32, 3],
            "pool_size": [2, 2],
            "padding": "same",
            "strides": [2, 2],
            "data_format": "channels_last",
        },
    }
    assert pk.read(config) == PoolSpec("max", window=2, padding="same", layout="NHWC")
