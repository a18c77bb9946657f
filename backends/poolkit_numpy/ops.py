"""NumPy's primitives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy

from poolkit.lowering.operators import Operators
from poolkit.lowering.primitives import Tensor
from poolkit.programs.recorder import choose, together


class Ops(Operators):
    """The primitives of `poolkit.lowering.primitives.Ops` in NumPy."""

    imports: ClassVar[dict[str, str]] = {"np": "import numpy as np"}
    np: Any = numpy
    module = "np"
    nan_wins = puts = True

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return self.np.array(self.np.broadcast_to(x, like.shape))

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        if self.dtype in ("bool", "bfloat16"):  # which NumPy widens where they meet a number
            a = b.dtype.type(a) if isinstance(a, int | float) else a
            b = a.dtype.type(b) if isinstance(b, int | float) else b
        return self.np.where(condition, a, b)

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        return self.np.clip(x, low, high)

    def put(self, x: Tensor, places: Tensor, n: Any) -> Tensor:
        made = self.np.zeros(self.row(x, n), x.dtype.type)
        return together(self.np.put_along_axis(made, places, x, -1), made)[1]

    def segment(self, x: Tensor, ids: Tensor, n: int, how: str, or_zero: bool = False) -> Tensor:
        order = self.np.argsort(ids, kind="stable")
        ends = self.np.searchsorted(self.np.take(ids, order, 0), self.np.arange(n + 1))
        rows = self.pad(self.np.take(x, order, 0), 0, 0, 1, 0)  # where the segments behind the last row begin
        if how != "sum":
            return {"max": self.np.maximum, "min": self.np.minimum}[how].reduceat(rows, ends, 0)[:-1]
        wide = "longdouble" if self.dtype == "float64" else "float64"
        sums = self.np.add.reduceat(rows, ends, 0, wide)[:-1].astype(x.dtype.type)
        empty = (ends[1:] == ends[:-1]).reshape(self.along(0))
        return self.np.where(empty, x.dtype.type(0), sums)

    def order(self, x: Tensor, at: int) -> Tensor:
        return self.np.argsort(x, at, kind="stable").astype("int32")

    def sort(self, x: Tensor, at: int) -> Tensor:
        return self.np.sort(x, at, kind="stable")

    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        # np.sum over leading axes is a plain running sum: 0.18 off at 512x512 of U(100, 101) in float32.
        if self.dtype != "float64":
            return self.np.sum(x, axis=ats, dtype="float64", keepdims=True).astype(x.dtype.type)
        # Axis by axis: even in longdouble a run of 1024x1024 equal cells is 40 eps of float64 off, of 1024 0.1.
        total = x
        for at in ats:
            total = self.np.sum(total, axis=at, dtype="longdouble", keepdims=True)
        return total.astype(x.dtype.type)

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        return self.np.sum(self.np.where(chosen, x, x.dtype.type(0)), axis=at, dtype=x.dtype.type, keepdims=True)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return x.astype(like.dtype.type)

    def branch(
        self, right: Any, near: Callable[[Tensor], Tensor], far: Callable[[Tensor], Tensor], x: Tensor
    ) -> Tensor:
        return choose(right, lambda: near(x), lambda: far(x))

    def copy(self, x: Tensor) -> Tensor:
        return self.np.array(x, x.dtype.type)
