"""What measuring has to know about each framework: its tensors, gradients and compilers, and when a result is there."""

from __future__ import annotations

import warnings
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
    shipped: ClassVar[tuple[str, ...]] = ()  # what leaves the framework as a graph: measured where it is asked for
    gradients: ClassVar[bool] = True

    @abstractmethod
    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        """An input; with `train` it is one that a gradient is taken with respect to."""

    def made(self, function: Function, mode: str, *, train: bool) -> Function:
        """The function as a mode runs it; with `train` its gradient, of the weights of its result and of the input."""
        return function

    def asked(self, options: Any, usual: tuple[str, ...]) -> list[str]:
        """The modes that are asked for by name, of those that there are; the usual ones where none is."""
        return [mode for mode in options.mode or usual if mode in (*self.modes, *self.shipped)]

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


def _axes(x: Tensor, how: Any) -> dict[int, Any]:
    return {at: how for at, n in enumerate(x.shape) if n > 1}


class Shipped:
    """A function as a graph, made at its first call: by `torch.export`, of unknown sizes too, or by `torch.jit.trace`.

    `nodes` is how many calls it has then.
    """

    def __init__(self, torch: Any, function: Function, mode: str) -> None:
        self.torch, self.function, self.mode = torch, function, mode
        self.graph: Function | None = None
        self.nodes = 0

    def __call__(self, *inputs: Tensor) -> Tensor:
        if self.graph is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that `jit.trace` is old
                example = tuple(x.detach() for x in inputs)
                self.graph = self.traced(example) if self.mode == "traced" else self.exported(example)
        return self.graph(*inputs)

    def traced(self, example: tuple[Tensor, ...]) -> Function:
        named = lambda *inputs: self.function(*inputs)  # noqa: E731  # which a partial function is not
        graph: Any = self.torch.jit.trace(named, example, check_trace=False)
        self.nodes = sum(node.kind().startswith("aten::") for node in graph.inlined_graph.nodes())
        return graph  # type: ignore[no-any-return]

    def exported(self, example: tuple[Tensor, ...]) -> Function:
        module = self.torch.nn.Module()
        module.forward = self.function
        export, dim = self.torch.export.export, self.torch.export.Dim

        def of(how: Any) -> Any:  # an axis of 1 is a constant to PyTorch
            return export(module, example, dynamic_shapes=tuple(_axes(x, how) for x in example))

        if self.mode == "exported":
            program = export(module, example)
        else:
            try:
                program = of(dim.DYNAMIC)
            except self.torch._dynamo.exc.UserError:  # its max_pool1d makes a constant of the length, too
                program = of(dim.AUTO)
        self.nodes = sum(node.op == "call_function" for node in program.graph.nodes)
        made: Function = program.module()
        return made


class Torch(Framework):
    """PyTorch, eager and compiled by Inductor, and as a graph."""

    name = "torch"
    modes = ("eager", "compiled")
    quick = ("eager",)
    shipped = ("exported", "exported-any", "traced")

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def tensor(self, array: Array, *, train: bool = False) -> Tensor:
        return self.torch.from_numpy(array).requires_grad_(train)

    def made(self, function: Function, mode: str, *, train: bool) -> Function:
        if mode == "compiled":
            self.torch.compiler.reset()  # every site is a function of its own, and Dynamo keeps few
            function = self.torch.compile(function)
        elif mode in self.shipped:
            function = Shipped(self.torch, function, mode)
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
