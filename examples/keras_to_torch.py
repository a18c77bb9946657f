"""A whole Keras network in PyTorch: pooling layers by `poolkit port`, the rest by hand, the weights carried over.

    python examples/keras_to_torch.py                # ResNet50V2 and MobileNet
    python examples/keras_to_torch.py MobileNet

Both networks are built with random but fixed weights, saved, and ported; then Keras and PyTorch classify the packaged
photograph, and their logits are compared. ResNet50V2 pools a map that is padded with zeros and not rectified before, so
that its padding has to stay a layer of its own; MobileNet's global pooling keeps its axes.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  # its usual name

from poolkit.tools.demo import photograph

Layer = Any
Tensor = torch.Tensor
Function = Callable[..., Tensor]
Pools = dict[str, torch.nn.Module]

MODELS = ("ResNet50V2", "MobileNet")

# Some hundred layers one after the other, each right to a few eps of float32 (1.2e-7) of its own largest number.
TOLERANCE = 1e-4


# --------------------------------------------------------------------------------- what Keras's layers are in PyTorch


def tensor(weight: Any, *axes: int) -> Tensor:
    array = keras.ops.convert_to_numpy(weight)
    return torch.from_numpy(np.ascontiguousarray(array.transpose(axes) if axes else array))


def bias_of(layer: Layer) -> Tensor | None:
    return tensor(layer.bias) if layer.use_bias else None


def convolution(layer: Layer) -> Function:
    kernel, bias = tensor(layer.kernel, 3, 2, 0, 1), bias_of(layer)  # height, width, in, out -> out, in, height, width
    return lambda x: F.conv2d(same(x, layer), kernel, bias, layer.strides)


def depthwise_convolution(layer: Layer) -> Function:
    kernel, bias = tensor(layer.kernel, 2, 3, 0, 1), bias_of(layer)
    return lambda x: F.conv2d(same(x, layer), kernel, bias, layer.strides, groups=x.shape[1])


def same(x: Tensor, layer: Layer) -> Tensor:
    """Zeros around a map as Keras's "same" has them: more behind than in front where their number is odd."""
    if layer.padding != "same":
        return x
    around: list[int] = []
    for n, k, s in zip(x.shape[2:], layer.kernel_size, layer.strides, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        around = [total // 2, total - total // 2, *around]
    return F.pad(x, around)


def normalization(layer: Layer) -> Function:
    mean, variance = tensor(layer.moving_mean), tensor(layer.moving_variance)
    gamma = tensor(layer.gamma) if layer.scale else None
    beta = tensor(layer.beta) if layer.center else None
    return lambda x: F.batch_norm(x, mean, variance, gamma, beta, eps=layer.epsilon)


def dense(layer: Layer) -> Function:
    kernel, bias = tensor(layer.kernel, 1, 0), bias_of(layer)
    return lambda x: F.linear(x, kernel, bias)


def padding(layer: Layer) -> Function:
    (top, bottom), (left, right) = layer.padding
    return lambda x: F.pad(x, (left, right, top, bottom))


def reshape(layer: Layer) -> Function:
    """Only from 1x1 maps to vectors here; a Reshape of anything larger would read its axes in another order."""
    assert np.prod(layer.target_shape) == layer.target_shape[-1]
    return lambda x: x.flatten(1)


def activation(layer: Layer) -> Function:
    functions: dict[str, Function] = {"relu": F.relu, "linear": lambda x: x}
    return functions[layer.activation.__name__]


FUNCTIONS: dict[str, Callable[[Layer], Function]] = {
    "Conv2D": convolution,
    "DepthwiseConv2D": depthwise_convolution,
    "BatchNormalization": normalization,
    "Dense": dense,
    "ZeroPadding2D": padding,
    "Reshape": reshape,
    "Activation": activation,
    "ReLU": lambda layer: lambda x: x.clamp(0, layer.max_value),
    "Add": lambda layer: lambda xs: sum(xs[1:], xs[0]),
    "Dropout": lambda layer: lambda x: x,  # nothing is dropped when it predicts
    "InputLayer": lambda layer: lambda x: x,
}


def in_torch(model: Any, pools: Pools) -> Function:
    """A functional Keras model as a function of a channels-first tensor; pooling layers are those of `pools`."""

    def convert(layer: Layer) -> Function:
        return pools.get(layer.name) or FUNCTIONS[type(layer).__name__](layer)

    functions = {layer.name: convert(layer) for layer in model.layers}

    def run(x: Tensor) -> Tensor:
        values: dict[str, Tensor] = {}
        for layer in model.layers:
            sources = [node.operation.name for node in layer._inbound_nodes[0].parent_nodes]
            inputs = [values[name] for name in sources] or [x]
            values[layer.name] = functions[layer.name](inputs[0] if len(inputs) == 1 else inputs)
        return values[model.layers[-1].name]

    return run


# ------------------------------------------------------------------------------------------------------- the port


def ported(model: Any, folder: Path) -> Pools:
    """The pooling layers of a saved model, by the module that `poolkit port` writes."""
    file, pools = str(folder / "model.keras"), str(folder / "pools.py")
    model.save(file)
    subprocess.run([sys.executable, "-m", "poolkit.cli", "port", file, "--to", "torch", "--output", pools], check=True)
    spec = importlib.util.spec_from_file_location("pools", pools)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    layers: Pools = module.layers()
    return layers


def build(name: str) -> Any:
    """A network with random weights, statistics of its normalizations included, that are the same on every run."""
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, classifier_activation=None)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def compare(name: str) -> float:
    """The largest difference between the logits of both, relative to the largest logit."""
    model = build(name)
    image = photograph() * 2 - 1
    with tempfile.TemporaryDirectory() as folder:
        network = in_torch(model, ported(model, Path(folder)))
    expected = keras.ops.convert_to_numpy(model(image, training=False))
    with torch.no_grad():
        logits = network(torch.from_numpy(image).permute(0, 3, 1, 2)).numpy()
    difference = float(np.abs(logits - expected).max() / np.abs(expected).max())
    print(f"{name}: {expected.size} logits up to {np.abs(expected).max():.3g}, relative difference {difference:.1e}")
    return difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all by default")
    names = parser.parse_args().models or MODELS
    if max(map(compare, names)) > TOLERANCE:
        raise SystemExit("the logits differ")


if __name__ == "__main__":
    main()
