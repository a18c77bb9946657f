"""Each row of the table of examples/keras_to_torch.py gives what Keras's layer gives, options and ranks included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl

from examples.keras_to_torch import ACTIVATIONS, TABLE, network

# Keras's own, when it saves the variables of TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

LINE, MAP, CUBE, ROW = (9, 4), (7, 6, 4), (5, 6, 4, 4), (8,)


def two(layer: Any) -> Any:
    """A layer of two tensors, given one and twice another."""
    return lambda x: layer([x, kl.Conv2D(4, 1)(x)])


CASES: dict[str, tuple[tuple[int, ...], Any]] = {
    "Conv1D": (LINE, lambda: kl.Conv1D(6, 3, 2, "same")),
    "Conv1D causal": (LINE, lambda: kl.Conv1D(6, 3, padding="causal", dilation_rate=2)),
    "Conv2D": (MAP, lambda: kl.Conv2D(6, (3, 2), (2, 1), "same", groups=2, activation="relu")),
    "Conv2D even": (MAP, lambda: kl.Conv2D(6, 4, padding="same", dilation_rate=2, use_bias=False)),
    "Conv3D": (CUBE, lambda: kl.Conv3D(3, 2, padding="same")),
    "DepthwiseConv1D": (LINE, lambda: kl.DepthwiseConv1D(3, depth_multiplier=2)),
    "DepthwiseConv2D": (MAP, lambda: kl.DepthwiseConv2D(3, 2, "same", depth_multiplier=3)),
    "SeparableConv1D": (LINE, lambda: kl.SeparableConv1D(5, 3, padding="same")),
    "SeparableConv2D": (MAP, lambda: kl.SeparableConv2D(5, 3, 2, "same", depth_multiplier=2)),
    "Conv2DTranspose": (MAP, lambda: kl.Conv2DTranspose(5, 4, 2, "same")),
    "Conv2DTranspose odd": (MAP, lambda: kl.Conv2DTranspose(5, 3, 2, "same", use_bias=False)),
    "Conv2DTranspose valid": (MAP, lambda: kl.Conv2DTranspose(5, 3, 2)),
    "Conv2DTranspose small": (MAP, lambda: kl.Conv2DTranspose(5, 1, 3, bias_initializer="ones")),
    "Conv2DTranspose small same": (MAP, lambda: kl.Conv2DTranspose(5, 2, 3, "same", bias_initializer="ones")),
    "Dense": (ROW, lambda: kl.Dense(5, activation="softmax")),
    "Dense of a map": (MAP, lambda: kl.Dense(5)),
    "BatchNormalization": (MAP, lambda: kl.BatchNormalization(scale=False)),
    "BatchNormalization of a row": (ROW, lambda: kl.BatchNormalization(center=False)),
    "LayerNormalization": (MAP, lambda: kl.LayerNormalization(epsilon=1e-3)),
    "GroupNormalization": (MAP, lambda: kl.GroupNormalization(2)),
    "Normalization": (MAP, lambda: kl.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 2, 3, 4])),
    "Rescaling": (MAP, lambda: kl.Rescaling([0.5, 1, 2, 3], offset=-1.0)),
    "PReLU": (MAP, lambda: kl.PReLU("uniform")),
    "ReLU": (MAP, lambda: kl.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.1)),
    "LeakyReLU": (MAP, lambda: kl.LeakyReLU()),
    "ELU": (MAP, lambda: kl.ELU(0.5)),
    "Softmax": (MAP, lambda: kl.Softmax()),
    "Softmax of rows": (MAP, lambda: kl.Softmax(axis=1)),
    **{kind: (MAP, lambda kind=kind: two(getattr(kl, kind)())) for kind in ("Add", "Subtract", "Multiply", "Average")},
    **{kind: (MAP, lambda kind=kind: two(getattr(kl, kind)())) for kind in ("Maximum", "Minimum")},
    "Concatenate": (MAP, lambda: two(kl.Concatenate(axis=2))),
    "ops": (MAP, lambda: lambda x: (1 - x / 3) * (x + 2) - kl.Conv2D(4, 1)(x)),
    "ops.Mean": (MAP, lambda: lambda x: keras.ops.mean(x, (1, 2), keepdims=True)),
    "ops.Max": (MAP, lambda: lambda x: keras.ops.max(x, [1, 2])),
    "ops.Resize": (MAP, lambda: lambda x: keras.ops.image.resize(x, (9, 11), antialias=False)),
    "UpSampling1D": (LINE, lambda: kl.UpSampling1D(3)),
    "UpSampling2D": (MAP, lambda: kl.UpSampling2D((2, 3))),
    "UpSampling2D bilinear": (MAP, lambda: kl.UpSampling2D(4, interpolation="bilinear")),
    "Resizing smaller": (MAP, lambda: kl.Resizing(3, 4)),
    "Resizing nearest": (MAP, lambda: kl.Resizing(9, 11, interpolation="nearest")),
    "ZeroPadding1D": (LINE, lambda: kl.ZeroPadding1D((1, 2))),
    "ZeroPadding2D": (MAP, lambda: kl.ZeroPadding2D(((1, 2), (3, 0)))),
    "ZeroPadding3D": (CUBE, lambda: kl.ZeroPadding3D(((1, 2), (3, 0), (0, 1)))),
    "Cropping1D": (LINE, lambda: kl.Cropping1D((1, 2))),
    "Cropping2D": (MAP, lambda: kl.Cropping2D(((1, 2), (0, 3)))),
    "Cropping3D": (CUBE, lambda: kl.Cropping3D(1)),
    "Reshape": (MAP, lambda: kl.Reshape((14, -1))),
    "Reshape to a map": (ROW, lambda: kl.Reshape((1, 2, 4))),
    "Flatten": (MAP, lambda: kl.Flatten()),
    "Permute": (MAP, lambda: kl.Permute((3, 1, 2))),
    "Dropout": (MAP, lambda: kl.Dropout(0.5)),
    "SpatialDropout2D": (MAP, lambda: kl.SpatialDropout2D(0.5)),
    "a maximum": (MAP, lambda: kl.MaxPooling2D(3, 2, "same")),
    "a line's average": (LINE, lambda: kl.AveragePooling1D(2)),
    "a cube's maximum": (CUBE, lambda: kl.GlobalMaxPooling3D()),
    "bins": (MAP, lambda: kl.AdaptiveAveragePooling2D((2, 3))),
    **{f"activation {name}": (MAP, lambda name=name: kl.Activation(name)) for name in ACTIVATIONS},
}


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_the_table_is_the_layer_of_keras(tmp_path: Path, name: str) -> None:
    shape, make = CASES[name]
    keras.utils.set_random_seed(0)
    image = keras.Input(shape)
    model = keras.Model(image, make()(image))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, one.shape) for one in model.get_weights()])
    model.save(tmp_path / "model.keras")
    x = rng.normal(size=(2, *shape)).astype("float32")
    given = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    with torch.no_grad():
        found = network(tmp_path / "model.keras")(given).numpy()

    expected = np.asarray(keras.ops.convert_to_numpy(model(x, training=False)))
    found = np.moveaxis(found, 1, -1) if found.ndim > 2 else found
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max())


def test_no_row_of_the_table_is_without_a_case() -> None:
    here = {name.split(" ")[0] for name in CASES}
    elsewhere = {
        "InputLayer",
        "Activation",
        "LayerScale",
        "CustomScaleLayer",
        "StochasticDepth",
    }  # whole networks have them
    like = {"GaussianNoise", "SpatialDropout1D", "SpatialDropout3D", "ops.Sum"}
    operators = {"ops.Add", "ops.Subtract", "ops.Multiply", "ops.Divide", "ops.TrueDivide"}
    assert set(TABLE) - here - elsewhere - like - operators == set()
