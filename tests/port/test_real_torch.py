"""The pooling modules of real PyTorch architectures, ported to Keras: the same outputs, the same gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import torch

from poolkit.dialects.reading import read
from poolkit.port.target import target_of
from poolkit.spec.mix import Mix
from tests.helpers.vision import timm, torchvision

Network = Callable[[], torch.nn.Module]

TORCHVISION = {
    "alexnet": {},
    "vgg11": {},
    "resnet18": {},
    "squeezenet1_1": {},
    "densenet121": {},
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": False, "init_weights": False},
    "efficientnet_b0": {},
    "regnet_y_400mf": {},
    "convnext_tiny": {},
}
TIMM = {
    "resnet26d": {},  # averages of 2x2 with ceil_mode, padding left out, in its shortcuts
    "tf_efficientnet_b0": {},
    "dm_nfnet_f0": {"global_pool": "avgmax"},  # AvgPool2dSame
    "nasnetalarge": {},  # MaxPool2dSame and AvgPool2dSame
    "resnet18": {"global_pool": "catavgmax"},
}

NETWORKS: dict[str, Network] = {
    **{
        f"torchvision-{name}": partial(getattr(torchvision.models, name), weights=None, **o)
        for name, o in TORCHVISION.items()
    },
    **{f"timm-{name}": partial(timm.create_model, name, **options) for name, options in TIMM.items()},
}
SIZE = 224


def pools_of(network: torch.nn.Module) -> dict[str, tuple[torch.nn.Module, tuple[int, ...]]]:
    """Each pooling module of a network by its name, with the shape of its input; alike ones are listed once."""
    found: dict[str, tuple[torch.nn.Module, tuple[int, ...]]] = {}
    seen: set[str] = set()

    def note(name: str, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        shape = tuple(args[0].shape)
        if f"{module}{shape}" not in seen:
            seen.add(f"{module}{shape}")
            found[name] = module, shape

    hooks = []
    for name, module in network.named_modules():
        parent = network.get_submodule(name.rpartition(".")[0])
        if "Pool" in type(module).__name__ and "Pool" not in type(parent).__name__:
            hooks.append(module.register_forward_pre_hook(partial(note, name)))
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, SIZE, SIZE))
    for hook in hooks:
        hook.remove()  # a module with hooks may do something else, and is not read
    return found


def in_keras(layer: Any, x: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """The output of a Keras layer, and the gradient of its sum with these weights, on the engine of this process."""
    assert keras.config.backend() == "tensorflow"
    import tensorflow as tf

    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = layer(given)
    return y.numpy(), tape.gradient(y, given, tf.constant(weights)).numpy()


def last(array: Any) -> Any:
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_pooling_modules_in_keras(name: str) -> None:
    pools = pools_of(NETWORKS[name]())
    assert pools
    for where, (module, shape) in pools.items():
        spec = read(module)
        target = target_of(spec, "keras")
        layer = target.spec.layer("keras") if target.call is None else target.call.make()
        x = torch.rand(shape, requires_grad=True)
        y = module(x)
        weights = torch.rand_like(y)
        (gradient,) = torch.autograd.grad(y, x, weights)
        expected, slope = last(y.detach().numpy()), last(gradient.numpy())

        got, got_slope = in_keras(layer, last(x.detach().numpy()), last(weights.numpy()))

        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-6, err_msg=f"{where}: {spec}")
        np.testing.assert_allclose(got_slope, slope, rtol=1e-5, atol=1e-6, err_msg=f"{where}: {spec}")
        assert spec.output_shape(shape) == tuple(y.shape)


@pytest.mark.slow
def test_what_was_met() -> None:
    """The architectures hold what is hard: ceil mode, windows that count their padding or don't, mixed heads."""
    specs = [read(module) for network in NETWORKS.values() for module, _ in pools_of(network()).values()]
    windows = [spec for spec in specs if not isinstance(spec, Mix)]

    assert any(spec.ceil_mode for spec in windows)
    assert any(spec.kind == "avg" and spec.padding == "same" and spec.count_include_pad for spec in windows)
    assert any(spec.kind == "max" and spec.padding == "same" for spec in windows)
    assert {spec.how for spec in specs if isinstance(spec, Mix)} == {"add", "cat"}
