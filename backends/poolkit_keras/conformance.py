"""How the conformance suite works with Keras, on whatever engine Keras runs in this process.

What is tested is what Keras's users hold: a functional model, built on a KerasTensor, called on a tensor of the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np

import poolkit as pk
from poolkit_conformance.case import FLOATS, INTEGERS, numpy_dtype
from poolkit_conformance.harness import HANDFUL, Array, Function, Harness, Which

Tensor = Any

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
    modes: ClassVar[dict[str, Which]] = {"eager": "every", "dynamic": "few", "gradient": HANDFUL, "layer": "few"}

    def __init__(self) -> None:
        self.engine = keras.backend.backend()
        if self.engine == "jax":
            self.dtypes = NARROW  # type: ignore[misc]
            # Outside of a compiled step JAX compiles every operation of a model on its own: a second a case.
            self.modes = self.modes | {"eager": "few", "dynamic": HANDFUL, "layer": HANDFUL}  # type: ignore[misc]

    def index_dtype(self, case: Any) -> str:
        return "int32" if self.engine == "jax" else "int64"

    def from_numpy(self, x: Array) -> Tensor:
        return keras.ops.convert_to_tensor(x, dtype=x.dtype.name)

    def to_numpy(self, t: Tensor) -> Array:
        dtype = keras.backend.standardize_dtype(t.dtype)
        if dtype == "bfloat16":  # not every engine's tensors of it can be arrays
            t = keras.ops.cast(t, "float32")
        return np.asarray(keras.ops.convert_to_numpy(t)).astype(numpy_dtype(dtype))

    def owns(self, t: Any) -> bool:
        return bool(keras.ops.is_tensor(t))

    def pool(self, x: Tensor, spec: pk.PoolSpec) -> Any:
        if isinstance(x, keras.KerasTensor):
            return pk.pool(x, spec)
        return self._model(lambda t: pk.pool(t, spec), x, tuple(x.shape))(x)

    def dynamic(self, function: Function, x: Tensor) -> Function:
        return self._model(function, x, (None,) * len(x.shape))

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor) -> Tensor:
        dtype = keras.backend.standardize_dtype(x.dtype)
        start = _Start(dtype=dtype)
        a, g = (keras.Input(batch_shape=tuple(t.shape), dtype=dtype) for t in (x, cotangent))
        model = keras.Model([a, g], keras.ops.sum(keras.ops.multiply(function(start(a)), g), keepdims=True))
        model.compile(keras.optimizers.SGD(1.0), loss=_itself, run_eagerly=True)
        model.train_on_batch([x, cotangent], np.zeros((1,) * len(cotangent.shape), "float32"))
        return keras.ops.negative(start.moved.value)

    def _model(self, function: Function, x: Tensor, shape: tuple[int | None, ...]) -> Callable[[Tensor], Any]:
        a = keras.Input(batch_shape=shape, dtype=keras.backend.standardize_dtype(x.dtype))
        result = function(a)
        model = keras.Model(a, list(result) if isinstance(result, tuple) else result)
        return lambda t: tuple(model(t)) if isinstance(result, tuple) else model(t)


def _itself(target: Tensor, value: Tensor) -> Tensor:
    return keras.ops.sum(value)


HARNESS = KerasHarness()
