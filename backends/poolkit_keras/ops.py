"""Keras's primitives: `keras.ops` calls that are right on every engine, also on KerasTensors whose sizes are None."""

from __future__ import annotations

import functools
import math
import struct
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from poolkit.lowering.operators import Arithmetic
from poolkit.lowering.primitives import Tensor
from poolkit.programs.recorder import Value


def narrow() -> bool:
    """Whether the engine has no 64-bit numbers: JAX, unless it is set to have them."""
    return keras.backend.backend() == "jax" and not sys.modules["jax"].config.jax_enable_x64


def _fits_float32(value: float) -> bool:
    return not math.isfinite(value) or (
        abs(value) < 2.0**127 and struct.unpack("f", struct.pack("f", value))[0] == value
    )


def _extreme(x: Tensor, sign: int) -> float | int | None:
    """The lowest or the highest number of a tensor's dtype; None in a recording, which is made for no batch of 0."""
    if isinstance(x, Value):
        return None
    dtype = keras.backend.standardize_dtype(x.dtype)
    if "float" in dtype:
        return sign * math.inf
    if dtype == "uint32":
        return None if sign > 0 else 0  # 2**32 - 1 overflows on JAX
    highest = (1 << (int(dtype.removeprefix("int")) - 1)) - 1
    return highest if sign > 0 else -highest - 1


class Ops(Arithmetic):
    """The primitives of `poolkit.lowering.backend` in `keras.ops`. Where a size is None it is data: a sum of ones."""

    imports: ClassVar[dict[str, str]] = {"ops": "from keras import ops"}
    ops: Any = keras.ops
    module = "ops"
    spelled: ClassVar[dict[str, str]] = {"abs": "absolute"}
    pairwise_sums = True  # a model of known sizes is then right on any engine that it is loaded under
    sizes_are_data = True
    drop = Arithmetic.drop_in_turn

    def __init__(self, rank: int, dtype: str) -> None:
        super().__init__(rank, dtype)
        self.index = "int32" if narrow() else "int64"

    def size(self, x: Tensor, at: int) -> Any:
        return self.ops.sum(self._ones(x, at))

    def slice(self, x: Tensor, at: int, start: int, stop: int | None, step: int) -> Tensor:
        if stop == start + 1 or (start, stop) == (-1, None):  # of an axis of no known size Keras knows none
            return self.expand(x[(slice(None),) * at + (start,)], at)
        return x[(slice(None),) * at + (slice(start, stop, step),)]

    def merge(self, x: Tensor, n: int, size: Any) -> Tensor:
        """By places in a flat tensor where several sizes are not known: `reshape` takes one such."""
        if self.rank - n < 2 and isinstance(size, int) and size > 0:
            return self.ops.reshape(x, (*(-1,) * (self.rank - n), size))
        left, places, step = self.rank - n, [self.iota(x, 0)] * self.rank, 1
        for at in reversed(range(self.rank)):
            places[at], step = self.multiply(self.iota(x, at), step), self.multiply(self.size(x, at), step)
        inner = self.ops.reshape(functools.reduce(self.add, places[left:]), (1,) * left + (-1,))
        outer = [self.ops.squeeze(line, tuple(range(left + 1, self.rank))) for line in places[:left]]
        return self.ops.take(self.ops.reshape(x, (-1,)), functools.reduce(self.add, outer, inner), 0)

    def split(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        """By places: of the sizes that `reshape` is given one at the most is not known."""
        at = self.rank - 1
        return self.ops.take(x, self.ops.reshape(self.iota(x, at), sizes), axis=at)

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor:
        return self.ops.concatenate(list(parts), at)

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return self.add(x, self.ops.zeros_like(like, dtype=self.index))

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        return self.ops.where(condition, self._filled(a, b), self._filled(b, a))

    def _filled(self, value: Any, like: Tensor) -> Any:
        """JAX takes a Python number for an int32, which 2**32 - 1 is not."""
        big = isinstance(value, int) and not -(2**31) <= value < 2**31
        return self.ops.full_like(like, value) if big else self.literal(value)

    def literal(self, b: Any) -> Any:
        """On its PyTorch engine Keras makes a float32 of a Python number, whatever it is multiplied with."""
        if self.dtype != "float64" or not isinstance(b, float) or _fits_float32(b):
            return b
        return self.ops.convert_to_tensor(b, "float64")

    def whole(self, n: Any) -> Any:
        """On KerasTensors Keras's bitwise operations take no Python number."""
        return self.ops.convert_to_tensor(n, "int32") if isinstance(n, int) else n

    def add(self, a: Tensor, b: Any) -> Tensor:
        # ops.add on TensorFlow is bias_add, along a wrong axis, where b has one size but 1, a.shape[1] or a.shape[-1].
        return self.subtract(a, -b if isinstance(b, int | float) else self.ops.negative(b))

    def floor(self, a: Tensor) -> Tensor:
        # ops.floor makes float32 of float64 on Keras's PyTorch engine; ops.trunc does not.
        whole = self.ops.trunc(a)
        return self.where(self.less(a, whole), self.subtract(whole, 1), whole)

    def order(self, x: Tensor, at: int) -> Tensor:
        return self.ops.cast(self.ops.argsort(x, axis=at), "int32")

    def running_sum(self, x: Tensor, at: int) -> Tensor:
        return self.ops.cast(self.ops.cumsum(x, at), "int32")

    def integer_sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.ops.cast(self.ops.sum(x, axis=ats, keepdims=True), "int32")

    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        # Keras makes float32 of float64 here on its PyTorch engine.
        return super().matmul(a, b) if self.dtype == "float64" else self.ops.matmul(a, b)

    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        # Of unknown lengths. TensorFlow's is 37 eps off at 512x512 in float32; JAX has no float64 as a rule.
        if self.dtype != "float32" or narrow():
            return self.ops.sum(x, axis=ats, keepdims=True)
        return self.ops.cast(self.ops.sum(self.ops.cast(x, "float64"), axis=ats, keepdims=True), "float32")

    def max(self, x: Tensor, at: int) -> Tensor:
        return self._extreme("max", x, at, -1)

    def min(self, x: Tensor, at: int) -> Tensor:
        return self._extreme("min", x, at, 1)

    def _extreme(self, which: str, x: Tensor, at: int, sign: int) -> Tensor:
        # Over an empty batch two engines refuse without `initial`, and PyTorch gives shape (1, 1, …) with it.
        if not isinstance(x, Value) and 0 in x.shape:
            return self.slice(x, at, 0, 1, 1)
        start = _extreme(x, sign)
        initial = {} if start is None else {"initial": start}
        return getattr(self.ops, which)(x, axis=at, keepdims=True, **initial)

    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        return self.ops.sum(self.ops.cast(chosen, dtype), axis=at, keepdims=True)

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        return self.ops.sum(self.ops.where(chosen, x, self.ops.zeros_like(x)), axis=at, keepdims=True)

    def iota(self, x: Tensor, at: int) -> Tensor:
        return self.ops.subtract(self.ops.cumsum(self._ones(x, at), axis=at), 1)

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        return self.ops.reshape(self.ops.convert_to_tensor(list(values), dtype), self.along(at))

    def copy(self, x: Tensor) -> Tensor:
        return self.ops.copy(x)

    def _ones(self, x: Tensor, at: int) -> Tensor:
        """Ones along one axis, of known rank and right for an empty batch, for which a slice by index would fail."""
        cut = x[tuple(slice(None) if i == at else slice(0, 1) for i in range(self.rank))]
        rest = [i for i in range(self.rank) if i != at]
        return self.ops.ones_like(self.ops.sum(self.ops.zeros_like(cut, dtype="int32"), axis=rest, keepdims=True))
