"""What poolkit has to know about KerasTensors, the symbolic tensors of a functional model."""

from __future__ import annotations

from typing import Any

import keras

from poolkit.errors import InputError
from poolkit.lowering.backend import Adapter, Situation
from poolkit_keras.layers import Pool
from poolkit_keras.learned import Learned
from poolkit_keras.ops import Ops, narrow
from poolkit_keras.routes import ROUTES


class KerasAdapter(Adapter):
    """Keras: the calls on a KerasTensor are recorded by Keras itself, so lowering is always direct."""

    name = "keras"
    ops = Ops
    layers = Pool
    learned = Learned
    routes = ROUTES

    def check(self, x: Any) -> None:
        if not isinstance(x, keras.KerasTensor) or x.sparse:
            raise InputError(
                f"received a {'sparse ' * (type(x) is keras.KerasTensor)}{type(x).__name__}, "
                "and pooling takes a dense keras.KerasTensor here; "
                "pass the value of a keras.Variable, or a dense keras.Input"
            )

    def dtype(self, x: Any) -> str:
        return str(keras.backend.standardize_dtype(x.dtype))

    def rank(self, x: Any, letters: int) -> tuple[Any, int]:
        return x, len(x.shape)

    def known_size(self, x: Any, at: int) -> int | None:
        n: int | None = x.shape[at]
        return n

    def situation(self, x: Any) -> Situation:
        return Situation(tracing=True, shipped=True, empty=0 in x.shape)

    def widen(self, dtype: str) -> str | None:
        """Sums of small integers are int32; uint64 is missing on PyTorch, and `where` narrows it on TensorFlow."""
        if dtype == "uint64":
            return None
        if dtype == "int64" and narrow():
            return "int32"  # which its tensors are
        return "int32" if dtype in ("bool", "int8", "uint8", "int16", "uint16") else dtype

    def from_numpy(self, array: Any) -> Any:
        return keras.ops.convert_to_tensor(array, dtype=array.dtype.name)

    def to_numpy(self, t: Any) -> Any:
        brain = self.dtype(t) == "bfloat16"  # not every engine's tensors of it can be arrays
        return keras.ops.convert_to_numpy(keras.ops.cast(t, "float32") if brain else t)


ADAPTER = KerasAdapter()
