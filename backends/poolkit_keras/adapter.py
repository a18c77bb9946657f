"""What poolkit has to know about KerasTensors, the symbolic tensors of a functional model."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import keras

from poolkit.errors import InputError
from poolkit.lowering.backend import Situation
from poolkit.running.dispatch import pool
from poolkit_keras.layers import Pool
from poolkit_keras.ops import Ops, narrow
from poolkit_keras.routes import ROUTES


class KerasAdapter:
    """Keras: the calls on a KerasTensor are recorded by Keras itself, so lowering is always direct."""

    name = "keras"
    ops = Ops
    routes = ROUTES
    executables: int | None = None

    def check(self, x: Any) -> None:
        if not isinstance(x, keras.KerasTensor) or x.sparse:
            raise InputError(
                f"received a {'sparse ' * (type(x) is keras.KerasTensor)}{type(x).__name__}, "
                "and pooling takes a dense keras.KerasTensor here; "
                "pass the value of a keras.Variable, or a dense keras.Input"
            )

    def dtype(self, x: Any) -> str:
        return str(x.dtype)

    def rank(self, x: Any, letters: int) -> tuple[Any, int]:
        return x, len(x.shape)

    def known_size(self, x: Any, at: int) -> int | None:
        n: int | None = x.shape[at]
        return n

    def situation(self, x: Any) -> Situation:
        return Situation(tracing=True, empty=0 in x.shape)

    def key(self, x: Any, spec: Any) -> Hashable:
        return None

    def widen(self, dtype: str) -> str | None:
        """Sums of small integers are int32; uint64 is missing on PyTorch, and `where` narrows it on TensorFlow."""
        if dtype == "uint64":
            return None
        if dtype == "int64" and narrow():
            return "int32"  # which its tensors are
        return "int32" if dtype in ("bool", "int8", "uint8", "int16", "uint16") else dtype

    def layer(self, spec: Any, *, route: str | None = None, **options: Any) -> Any:
        return Pool(spec, route=route, **options)

    def evaluate(self, spec: Any, array: Any) -> Any:
        inputs = keras.Input(array.shape[1:], batch_size=array.shape[0], dtype=str(array.dtype))
        outputs = pool(inputs, spec)
        result = keras.Model(inputs, list(outputs) if spec.indices else outputs)(array)
        return tuple(map(keras.ops.convert_to_numpy, result)) if spec.indices else keras.ops.convert_to_numpy(result)

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function


ADAPTER = KerasAdapter()
