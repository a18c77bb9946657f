"""For each framework: its tensors, its gradients, and the pooling call that its documentation shows for a site.

Where a framework pools one layout only, data in the other goes through the transposition that its user would write.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

import poolkit as pk
from benchmarks.sites import Site

Function = Callable[..., Any]  # of an input, or of an input and the weights of its result

TO_CHANNELS_LAST = (0, 2, 3, 1)
TO_CHANNELS_FIRST = (0, 3, 1, 2)


class Framework(ABC):
    """A framework under measurement."""

    modes: tuple[str, ...] = ("eager",)
    gradients: ClassVar[bool] = True

    def tensor(self, array: np.ndarray[Any, Any], *, train: bool) -> Any:
        """An input; with `train` it is one that a gradient is taken with respect to."""
        return array

    @abstractmethod
    def native(self, site: Site, layout: str) -> Function:
        """The documented call."""

    def poolkit(self, site: Site, layout: str) -> Function:
        spec = site.spec(layout)
        return lambda x: pk.pool(x, spec)

    def weights(self, like: Any) -> Any:
        """Random weights for a result."""
        raise NotImplementedError

    def with_gradient(self, function: Function) -> Function:
        """The gradient of a function's weighted result; the weights are its second argument.

        As a constant, a compiler that knows an average's gradient would compute all of it when it compiles.
        """
        raise NotImplementedError

    def compiled(self, function: Function, mode: str) -> Function:
        return function

    def finish(self, y: Any) -> Any:
        """Wait until a result has been computed."""
        return y


# -------------------------------------------------------------------------------------------------------------- NumPy


class NumPy(Framework):
    """NumPy documents no pooling: a mean, or a reduction of `sliding_window_view`."""

    gradients: ClassVar[bool] = False

    def native(self, site: Site, layout: str) -> Function:
        h = layout.index("H")
        if site.output_size == 1:
            return lambda x: x.mean(axis=(h, h + 1), keepdims=True)
        window, stride = site.window_and_stride
        reduce = np.nanmean if site.kind == "avg" else np.max
        # NaN is left out by nanmean, as padding has to be.
        fill = np.nan if site.kind == "avg" else -np.inf
        around = [(site.pad, site.pad) if letter in "HW" else (0, 0) for letter in layout]
        step = tuple(slice(None, None, stride) if letter in "HW" else slice(None) for letter in layout)

        def pool(x: Any) -> Any:
            padded = np.pad(x, around, constant_values=fill) if site.pad else x
            windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(h, h + 1))
            return reduce(windows[step], axis=(-2, -1))

        return pool


# ------------------------------------------------------------------------------------------------------------ PyTorch


class Torch(Framework):
    """torch.nn.functional, which pools channels first."""

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def tensor(self, array: np.ndarray[Any, Any], *, train: bool) -> Any:
        return self.torch.from_numpy(array).requires_grad_(train)

    def native(self, site: Site, layout: str) -> Function:
        F = self.torch.nn.functional  # noqa: N806 - the name that every PyTorch user gives it
        pool: Function
        if site.output_size is not None:
            pool = lambda x: F.adaptive_avg_pool2d(x, site.output_size)  # noqa: E731
        elif site.kind == "avg":
            pool = lambda x: F.avg_pool2d(x, site.window, site.stride, site.pad, count_include_pad=False)  # noqa: E731
        else:
            pool = lambda x: F.max_pool2d(x, site.window, site.stride, site.pad)  # noqa: E731
        if layout == "NCHW":
            return pool
        return lambda x: pool(x.permute(TO_CHANNELS_FIRST)).permute(TO_CHANNELS_LAST)

    def weights(self, like: Any) -> Any:
        return self.torch.rand_like(like)

    def with_gradient(self, function: Function) -> Function:
        return lambda x, weights: self.torch.autograd.grad(function(x), x, weights)


# --------------------------------------------------------------------------------------------------------- TensorFlow


class TensorFlow(Framework):
    """tf.nn, which pools channels last on a CPU."""

    modes: tuple[str, ...] = ("eager", "function")

    def __init__(self) -> None:
        import tensorflow

        self.tf = tensorflow

    def tensor(self, array: np.ndarray[Any, Any], *, train: bool) -> Any:
        return self.tf.constant(array)

    def native(self, site: Site, layout: str) -> Function:
        tf = self.tf
        if site.output_size == 1:
            h = layout.index("H")
            return lambda x: tf.reduce_mean(x, axis=(h, h + 1), keepdims=True)
        window, stride = site.window_and_stride
        call = tf.nn.avg_pool2d if site.kind == "avg" else tf.nn.max_pool2d
        padding: Any = site.padding.upper() if isinstance(site.padding, str) else None
        if padding is None:
            padding = [[0, 0], [site.pad, site.pad], [site.pad, site.pad], [0, 0]]
        if layout == "NHWC":
            return lambda x: call(x, window, stride, padding)

        def channels_first(x: Any) -> Any:
            y = call(tf.transpose(x, TO_CHANNELS_LAST), window, stride, padding)
            return tf.transpose(y, TO_CHANNELS_FIRST)

        return channels_first

    def weights(self, like: Any) -> Any:
        return self.tf.random.uniform(like.shape)

    def with_gradient(self, function: Function) -> Function:
        tf = self.tf

        def run(x: Any, weights: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            return tape.gradient(y, x, weights)

        return run

    def compiled(self, function: Function, mode: str) -> Function:
        # One function for one call site, as in a user's model; what it traces has a known shape.
        result: Function = self.tf.function(function) if mode == "function" else function
        return result


# ---------------------------------------------------------------------------------------------------------------- JAX


class Jax(Framework):
    """jax.lax.reduce_window, which flax's pooling calls too, and jnp.mean; under jit, as JAX is used."""

    modes: tuple[str, ...] = ("jit",)

    def __init__(self) -> None:
        import jax

        self.jax = jax

    def tensor(self, array: np.ndarray[Any, Any], *, train: bool) -> Any:
        return self.jax.numpy.asarray(array)

    def native(self, site: Site, layout: str) -> Function:
        lax, jnp = self.jax.lax, self.jax.numpy
        if site.output_size == 1:
            h = layout.index("H")
            return lambda x: jnp.mean(x, axis=(h, h + 1), keepdims=True)
        window, stride = site.window_and_stride
        dims = tuple(window if letter in "HW" else 1 for letter in layout)
        steps = tuple(stride if letter in "HW" else 1 for letter in layout)
        around = tuple((site.pad, site.pad) if letter in "HW" else (0, 0) for letter in layout)

        def total(x: Any) -> Any:
            return lax.reduce_window(x, 0.0, lax.add, dims, steps, around)

        if site.kind == "max":
            return lambda x: lax.reduce_window(x, -jnp.inf, lax.max, dims, steps, around)
        return lambda x: total(x) / total(jnp.ones_like(x))

    def weights(self, like: Any) -> Any:
        return self.jax.random.uniform(self.jax.random.key(0), like.shape)

    def with_gradient(self, function: Function) -> Function:
        return lambda x, weights: self.jax.vjp(function, x)[1](weights)

    def compiled(self, function: Function, mode: str) -> Function:
        result: Function = self.jax.jit(function)
        return result

    def finish(self, y: Any) -> Any:
        for array in self.jax.tree.leaves(y):
            array.block_until_ready()
        return y


# -------------------------------------------------------------------------------------------------------------- Keras


class Keras(Framework):
    """keras.layers against poolkit's layer, on the engine that Keras was started with."""

    def __init__(self) -> None:
        import keras

        self.keras = keras
        engines: dict[str, type[Framework]] = {"torch": Torch, "tensorflow": TensorFlow, "jax": Jax}
        self.engine = engines[keras.config.backend()]()
        self.modes = self.engine.modes

    def tensor(self, array: np.ndarray[Any, Any], *, train: bool) -> Any:
        return self.engine.tensor(array, train=train)

    def native(self, site: Site, layout: str) -> Function:
        layers = self.keras.layers
        data_format = "channels_first" if layout == "NCHW" else "channels_last"
        average = site.kind == "avg"
        pool: Function
        if site.output_size == 1:
            pool = layers.GlobalAveragePooling2D(keepdims=True, data_format=data_format)
        elif site.output_size is not None:
            pool = layers.AdaptiveAveragePooling2D(site.output_size, data_format=data_format)
        else:
            layer = layers.AveragePooling2D if average else layers.MaxPooling2D
            padding = site.padding if isinstance(site.padding, str) else "valid"
            pool = layer(site.window, site.stride, padding, data_format=data_format)
        if not isinstance(site.padding, int):
            return pool
        # As keras.applications writes ResNet's stem; the map is not negative there, so that its zeros win no maximum.
        around = layers.ZeroPadding2D(site.padding, data_format=data_format)
        return lambda x: pool(around(x))

    def poolkit(self, site: Site, layout: str) -> Function:
        layer: Function = site.spec(layout).layer("keras")
        return layer

    def weights(self, like: Any) -> Any:
        return self.engine.weights(like)

    def with_gradient(self, function: Function) -> Function:
        return self.engine.with_gradient(function)

    def compiled(self, function: Function, mode: str) -> Function:
        return self.engine.compiled(function, mode)

    def finish(self, y: Any) -> Any:
        return self.engine.finish(y)


FRAMEWORKS: dict[str, type[Framework]] = {
    "numpy": NumPy,
    "torch": Torch,
    "tensorflow": TensorFlow,
    "jax": Jax,
    "keras-torch": Keras,
    "keras-tensorflow": Keras,
    "keras-jax": Keras,
}


def framework(name: str) -> Framework:
    """The framework of that name; for Keras the engine stands behind the hyphen."""
    if name.startswith("keras-"):
        os.environ["KERAS_BACKEND"] = name.removeprefix("keras-")
    return FRAMEWORKS[name]()
