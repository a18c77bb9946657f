"""How the conformance suite works with Keras, on whatever engine Keras runs in this process.

What is tested is what Keras's users hold: a functional model, built on a KerasTensor, called on a tensor of the engine.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np

import poolkit as pk
from poolkit.spec.operation import Operation
from poolkit_conformance.case import FLOATS, INTEGERS, Case
from poolkit_conformance.harness import HANDFUL, Function, Harness, Share, Tensor, Which

# JAX has eight-byte types only where the whole process is set to them.
NARROW = frozenset(FLOATS + INTEGERS + ("complex64",)) - {"float64", "int64"}


class _Start(keras.layers.Layer):  # type: ignore[misc]
    """Adds a weight of zeros: what it has learned after one step of size one is the negative gradient by the input."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.moved = self.add_weight(shape=input_shape, initializer="zeros", dtype=self.dtype)

    def call(self, x: Tensor) -> Tensor:
        return keras.ops.subtract(x, keras.ops.negative(self.moved))  # add may become bias_add


class KerasHarness(Harness):
    """Models of known and of unknown sizes, gradients by a step of training, layers."""

    backend = "keras"
    same_bits = False
    modes: ClassVar[dict[str, Which]] = {
        "eager": "every",
        "dynamic": "few",
        "gradient": (*HANDFUL, "struct_padded"),
        "layer": "few",
    }

    def __init__(self) -> None:
        self.engine = keras.backend.backend()
        if self.engine == "jax":
            self.dtypes = NARROW  # type: ignore[misc]
            # Outside of a compiled step JAX compiles every operation of a model on its own: a second a case.
            fewer = {"eager": (*HANDFUL, Share(0, 2)), "dynamic": HANDFUL, "layer": HANDFUL}
            self.modes = self.modes | fewer  # type: ignore[misc]

    def index_dtype(self, case: Any) -> str:
        return "int32" if self.engine == "jax" else "int64"

    def owns(self, t: Any) -> bool:
        return bool(keras.ops.is_tensor(t))

    def pool(self, x: Tensor, spec: Operation, **tensors: Tensor) -> Any:
        if isinstance(x, keras.KerasTensor):
            return pk.pool(x, spec, **tensors)
        given = (x, *tensors.values())
        model = _model(lambda t, *more: pk.pool(t, spec, **dict(zip(tensors, more, strict=True))), given, sized=True)
        return model(*given)

    def dynamic(self, function: Function, *tensors: Tensor, case: Case | None = None) -> Function:
        return _model(function, tensors, sized=False)

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor, *others: Tensor) -> Tensor:
        start = _Start(dtype=keras.backend.standardize_dtype(x.dtype))
        # A single number has no batch, by which a step of training counts what it is given.
        given = [t if len(t.shape) > 0 else keras.ops.reshape(t, (1,)) for t in (x, cotangent, *others)]
        a, g, *more = inputs = [_input(t, sized=True) for t in given]
        more = [keras.ops.reshape(t, other.shape) for t, other in zip(more, others, strict=True)]
        model = keras.Model(inputs, keras.ops.sum(keras.ops.multiply(function(start(a), *more), g), keepdims=True))
        model.compile(keras.optimizers.SGD(1.0), loss=lambda target, value: keras.ops.sum(value), run_eagerly=True)
        model.train_on_batch(given, np.zeros((1,) * len(cotangent.shape), "float32"))
        return keras.ops.negative(start.moved.value)


def _input(t: Tensor, sized: bool) -> Any:
    shape = tuple(t.shape) if sized else (None,) * len(t.shape)
    return keras.Input(batch_shape=shape, dtype=keras.backend.standardize_dtype(t.dtype))


def _model(function: Function, tensors: tuple[Tensor, ...], sized: bool) -> Function:
    inputs = [_input(t, sized) for t in tensors]
    result = function(*inputs)
    model = keras.Model(inputs, list(result) if isinstance(result, tuple) else result)
    if isinstance(result, tuple) and len(result) == 1:
        return lambda *given: (model(list(given)),)  # Keras hands on the one output of a model by itself
    return lambda *given: tuple(model(list(given))) if isinstance(result, tuple) else model(list(given))


HARNESS = KerasHarness()
