"""Every pooling layer of every network of keras.applications, ported to PyTorch: Keras's own outputs and gradients."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from poolkit.dialects.reading import read
from poolkit.port.target import target_of

NETWORKS = sorted(name for name, value in vars(keras.applications).items() if inspect.isfunction(value))


def layers_of(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from layers_of(layer)
        else:
            yield layer


def pools_of(model: Any) -> dict[str, Any]:
    """The pooling layers; those that are alike, on maps of one shape, are listed once."""
    pools: dict[str, Any] = {}
    for layer in layers_of(model):
        if "Pool" in type(layer).__name__:
            config = {key: value for key, value in layer.get_config().items() if key != "name"}
            pools[f"{type(layer).__name__} {config} {layer.input.shape}"] = layer
    return pools


def in_keras(layer: Any, x: np.ndarray[Any, Any], seed: int) -> tuple[Any, Any, Any]:
    """The output of a layer, random weights for it, and the gradient of the sum that they make."""
    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = layer(given)
    weights = np.random.default_rng(seed).random(y.shape, dtype="float32")
    return y.numpy(), weights, tape.gradient(y, given, tf.constant(weights)).numpy()


def moved(array: np.ndarray[Any, Any], *axes: int) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(axes) if array.ndim == 4 else array))


def in_torch(layer: torch.nn.Module, x: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """The same of a layer of PyTorch, which takes channels first, in the layout of Keras."""
    given = moved(x, 0, 3, 1, 2).requires_grad_()
    y = layer(given)
    (gradient,) = torch.autograd.grad(y, given, moved(weights, 0, 3, 1, 2))
    return moved(y.detach().numpy(), 0, 2, 3, 1).numpy(), moved(gradient.numpy(), 0, 2, 3, 1).numpy()


def test_the_networks_are_all_there() -> None:
    assert len(NETWORKS) >= 38
    assert {"ResNet50V2", "MobileNet", "NASNetLarge", "ConvNeXtTiny", "EfficientNetV2S"} <= set(NETWORKS)
    assert keras.config.backend() == "tensorflow"  # `in_keras` takes the gradient with its tape


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_pooling_layers_in_torch(name: str) -> None:
    pools = pools_of(getattr(keras.applications, name)(weights=None))
    assert pools
    for seed, (where, layer) in enumerate(pools.items()):
        shape = [size or 1 for size in layer.input.shape]
        x = np.random.default_rng(seed).standard_normal(shape, dtype="float32")
        expected, weights, slope = in_keras(layer, x, seed)

        target = target_of(read(layer), "torch")
        pool = target.spec.layer("torch") if target.call is None else target.call.make()
        got, gradient = in_torch(pool, x, weights)

        # tf.reduce_mean of a map of 300x300 is 50 eps of the mean of |x| off; a wrong bin or divisor by far more.
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=where)
        np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6, err_msg=where)
    keras.backend.clear_session()
