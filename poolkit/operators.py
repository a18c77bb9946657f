"""Primitives that are Python's own operators, for frameworks whose tensors have them: a base of adapters' `Ops`."""

from __future__ import annotations

from typing import Any

Tensor = Any


class Operators:
    """Arithmetic, comparisons and slices of `poolkit.adapter.Ops`, by operators."""

    def __init__(self, rank: int, dtype: str) -> None:
        self.rank = rank
        self.dtype = dtype

    def slice(self, x: Tensor, at: int, start: int, stop: int | None, step: int) -> Tensor:
        return x[(slice(None),) * at + (slice(start, stop, step),)]

    def greater(self, a: Tensor, b: Any) -> Tensor:
        return a > b

    def less(self, a: Tensor, b: Any) -> Tensor:
        return a < b

    def equal(self, a: Tensor, b: Any) -> Tensor:
        return a == b

    def both(self, a: Tensor, b: Tensor) -> Tensor:
        return a & b

    def either(self, a: Tensor, b: Tensor) -> Tensor:
        return a | b

    def add(self, a: Tensor, b: Any) -> Tensor:
        return a + b

    def subtract(self, a: Tensor, b: Any) -> Tensor:
        return a - b

    def multiply(self, a: Tensor, b: Any) -> Tensor:
        return a * b

    def divide(self, a: Tensor, b: Any) -> Tensor:
        return a / b

    def along(self, at: int, n: Any = -1) -> tuple[Any, ...]:
        """The shape of a line of `n` numbers along one axis."""
        return (1,) * at + (n,) + (1,) * (self.rank - 1 - at)
