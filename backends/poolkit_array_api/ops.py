"""The primitives in the words of the array API standard (2024.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poolkit.lowering.derived import Derived
from poolkit.lowering.operators import Operators
from poolkit.lowering.primitives import Tensor


class Ops(Operators):
    """The primitives of `poolkit.lowering.primitives.Ops`; a subclass for each namespace gives `xp` and `imports`."""

    xp: Any
    module = "xp"
    devices = True  # whether arrays say on which they are

    def __init__(self, rank: int, dtype: str) -> None:
        super().__init__(rank, dtype)
        self.pairwise_sums = dtype == "float64"  # which has no wider type to accumulate in

    def typed(self, dtype: str) -> Any:
        return getattr(self.xp, dtype)

    def pad(self, x: Tensor, at: int, low: Any, high: Any, value: float) -> Tensor:
        edge = self.xp.full_like(self.slice(x, at, 0, 1, 1), value)  # the standard has no pad
        parts = [self.xp.repeat(edge, n, axis=at) for n in (low, high)]
        return self.concat([parts[0], x, parts[1]], at)

    def slice(self, x: Tensor, at: int, start: int, stop: int | None, step: int) -> Tensor:
        return x[(slice(None),) * at + (slice(start, stop, step), ...)]

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor:
        return self.xp.concat(list(parts), axis=at)

    def drop(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.xp.squeeze(x, axis=ats)

    def expand(self, x: Tensor, at: int) -> Tensor:
        return self.xp.expand_dims(x, axis=at)

    def reshape(self, x: Tensor, shape: tuple[Any, ...]) -> Tensor:
        return self.xp.reshape(x, shape)

    def permute(self, x: Tensor, order: tuple[int, ...]) -> Tensor:
        return self.xp.permute_dims(x, order)

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return self.copy(self.xp.broadcast_to(x, like.shape))

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        if isinstance(a, int | float):
            a = self.xp.full_like(b, a)
        elif isinstance(b, int | float):
            b = self.xp.full_like(a, b)
        return self.xp.where(condition, a, b)

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.xp.take(x, places, axis=at)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.xp.take_along_axis(x, places, axis=at)

    last = Derived.last  # the standard has no segments

    def order(self, x: Tensor, at: int) -> Tensor:
        return self.xp.astype(self.xp.argsort(x, axis=at, stable=True), self.xp.int32)

    def running_sum(self, x: Tensor, at: int) -> Tensor:
        return self.xp.cumulative_sum(x, axis=at, dtype=self.xp.int32)

    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        # The standard says nothing of accuracy, so float32 is added up in float64, and float64 by halves.
        return self.xp.astype(self.xp.sum(x, axis=ats, dtype=self.xp.float64, keepdims=True), x.dtype)

    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        return self.xp.sum(self.cast(chosen, dtype), axis=at, dtype=self.typed(dtype), keepdims=True)

    def iota(self, x: Tensor, at: int) -> Tensor:
        line = self.xp.arange(x.shape[at], dtype=self.xp.int32, **self._device(x))
        return self.xp.reshape(line, self.along(at, x.shape[at]))

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        line = self.xp.asarray(list(values), dtype=self.typed(dtype), **self._device(like))
        return self.xp.reshape(line, self.along(at))

    def _device(self, like: Tensor) -> dict[str, Any]:
        return {"device": like.device} if self.devices else {}

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return self.xp.astype(x, self.typed(dtype))

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return self.xp.astype(x, like.dtype)

    def copy(self, x: Tensor) -> Tensor:
        return self.xp.asarray(x, copy=True)
