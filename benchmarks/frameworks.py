"""What measuring has to know about each framework: its tensors, gradients and compilers, and when a result is there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray[Any, Any]
Tensor = Any
Function = Callable[..., Any]  # of an input and a mask, where there is one


class Framework(ABC):
    """A framework under measurement."""

    name: ClassVar[str]
    modes: ClassVar[tuple[str, ...]]
    quick: ClassVar[tuple[str, ...]]  # those that do not take seconds to compile
    gradients: ClassVar[bool] = True

    @abstractmethod
    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        """An input; with `train` it is one that a gradient is taken with respect to."""

    def made(self, function: Function, mode: str, *, train: bool) -> Function:
        """The function as a mode runs it; with `train` its gradient, of the weights of its result and of the input."""
        return function

    def copy(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def finish(self, y: Any) -> Any:
        """Wait until a result has been computed."""
        return y

    def numbers(self, y: Tensor) -> Array:
        return np.asarray(y)


class NumPy(Framework):
    """NumPy takes no derivative."""

    name = "numpy"
    modes = quick = ("eager",)
    gradients = False

    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        return array

    def copy(self, x: Tensor) -> Tensor:
        return x.copy()


class Torch(Framework):
    """PyTorch, eager and compiled by Inductor."""

    name = "torch"
    modes = ("eager", "compiled")
    quick = ("eager",)

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        return self.torch.from_numpy(array).requires_grad_(train)

    def made(self, function: Function, mode: str, *, train: bool) -> Function:
        if mode == "compiled":
            self.torch.compiler.reset()  # every site is a function of its own, and Dynamo keeps few
            function = self.torch.compile(function)
        if not train:
            return function
        return lambda weights, x, *rest: self.torch.autograd.grad(function(x, *rest), x, weights)[0]

    def copy(self, x: Tensor) -> Tensor:
        return x.detach().clone()

    def numbers(self, y: Tensor) -> Array:
        found: Array = y.detach().numpy()
        return found


class TensorFlow(Framework):
    """TensorFlow, eager and in a `tf.function`, whose traces know their shapes."""

    name = "tensorflow"
    modes = quick = ("eager", "function")

    def __init__(self) -> None:
        import tensorflow

        self.tf = tensorflow

    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        return self.tf.constant(array)

    def made(self, function: Function, mode: str, *, train: bool) -> Function:
        tf = self.tf

        def gradient(weights: Tensor, x: Tensor, *rest: Tensor) -> Tensor:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x, *rest)
            return tape.gradient(y, x, weights)

        made = gradient if train else function
        compiled: Function = tf.function(made) if mode == "function" else made
        return compiled

    def copy(self, x: Tensor) -> Tensor:
        return self.tf.raw_ops.DeepCopy(x=x)


class Jax(Framework):
    """JAX under `jit`, as it is used."""

    name = "jax"
    modes = quick = ("jit",)

    def __init__(self) -> None:
        import jax

        self.jax = jax

    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        return self.jax.numpy.asarray(array)

    def made(self, function: Function, mode: str, *, train: bool) -> Function:
        def gradient(weights: Tensor, x: Tensor, *rest: Tensor) -> Tensor:
            return self.jax.vjp(lambda x: function(x, *rest), x)[1](weights)[0]

        made: Function = self.jax.jit(gradient if train else function)
        return made

    def copy(self, x: Tensor) -> Tensor:
        return self.jax.numpy.array(x, copy=True)

    def finish(self, y: Any) -> Any:
        return y.block_until_ready()


FRAMEWORKS: dict[str, type[Framework]] = {f.name: f for f in (NumPy, Torch, TensorFlow, Jax)}
