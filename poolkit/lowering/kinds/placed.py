"""Kinds that take a cell by its place in a window: of tokens the first, or the last that a mask leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolkit.lowering.kinds.kind import FAR, Choice, State

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Tensor


class First(Choice):
    """The first real cell in row-major order, whatever it holds."""

    name = "first"
    idempotent = True

    def combine(self, a: State, b: State) -> State:
        return a

    def reduce_axis(self, s: State, a: Axis, inside: Tensor | None) -> State:
        o = self.o
        if inside is None:
            return tuple(self.end(t, a.at) for t in s)
        place = o.iota(s[0], a.at)
        return tuple(o.pick(o.equal(place, self.found(place, inside, a.at)), t, a.at) for t in s)

    def end(self, t: Tensor, at: int) -> Tensor:
        return self.o.slice(t, at, 0, 1, 1)

    def found(self, place: Tensor, inside: Tensor, at: int) -> Tensor:
        return self.o.min(self.o.where(inside, place, FAR), at)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        """A slice shares memory with the input, and a result does not."""
        values, indices = super().finish(s, like)
        return self.o.copy(values), indices


class Last(First):
    """The last real cell."""

    name = "last"

    def combine(self, a: State, b: State) -> State:
        return b

    def end(self, t: Tensor, at: int) -> Tensor:
        return self.o.slice(t, at, -1, None, 1)

    def found(self, place: Tensor, inside: Tensor, at: int) -> Tensor:
        return self.o.max(self.o.where(inside, place, -1), at)
