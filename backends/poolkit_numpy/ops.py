"""NumPy's primitives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy

from poolkit.lowering.operators import Operators

Tensor = Any


class Ops(Operators):
    """The primitives of `poolkit.lowering.primitives.Ops` in NumPy."""

    imports: ClassVar[dict[str, str]] = {"np": "import numpy as np"}
    np: Any = numpy
    index = "int64"
    pairwise_sums: bool = False
    sizes_are_data: ClassVar[bool] = False

    def size(self, x: Tensor, at: int) -> Any:
        return x.shape[at]

    def number(self, n: Any, dtype: str) -> Any:
        return n

    def pad(self, x: Tensor, at: int, low: Any, high: Any, value: float) -> Tensor:
        widths = [(low, high) if i == at else (0, 0) for i in range(self.rank)]
        return self.np.pad(x, widths, constant_values=value)

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor:
        return self.np.concatenate(parts, at)

    def drop(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.np.squeeze(x, ats)

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return self.np.array(self.np.broadcast_to(x, like.shape))

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        if self.dtype in ("bool", "bfloat16"):  # which NumPy widens where they meet a number
            a = b.dtype.type(a) if isinstance(a, int | float) else a
            b = a.dtype.type(b) if isinstance(b, int | float) else b
        return self.np.where(condition, a, b)

    def isnan(self, a: Tensor) -> Tensor:
        return self.np.isnan(a)

    def exp(self, a: Tensor) -> Tensor:
        return self.np.exp(a)

    def log(self, a: Tensor) -> Tensor:
        return self.np.log(a)

    def absolute(self, a: Tensor) -> Tensor:
        return self.np.abs(a)

    def floor(self, a: Tensor) -> Tensor:
        return self.np.floor(a)

    def permute(self, x: Tensor, order: tuple[int, ...]) -> Tensor:
        return self.np.transpose(x, order)

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.np.take(x, places, at)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.np.take_along_axis(x, places, at)

    def order(self, x: Tensor, at: int) -> Tensor:
        return self.np.argsort(x, at, kind="stable").astype("int32")

    def integer_sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.np.sum(x, axis=ats, dtype="int32", keepdims=True)

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

    def max(self, x: Tensor, at: int) -> Tensor:
        return self.np.max(x, axis=at, keepdims=True)

    def min(self, x: Tensor, at: int) -> Tensor:
        return self.np.min(x, axis=at, keepdims=True)

    def any(self, x: Tensor, at: int) -> Tensor:
        return self.np.any(x, axis=at, keepdims=True)

    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        return self.np.sum(chosen, axis=at, dtype=dtype, keepdims=True)

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        return self.np.sum(self.np.where(chosen, x, x.dtype.type(0)), axis=at, dtype=x.dtype.type, keepdims=True)

    def iota(self, x: Tensor, at: int) -> Tensor:
        return self.np.arange(x.shape[at], dtype="int32").reshape(self.along(at))

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        return self.np.array(values, dtype).reshape(self.along(at))

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return x.astype(dtype)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return x.astype(like.dtype.type)

    def detach(self, x: Tensor) -> Tensor:
        return x

    def copy(self, x: Tensor) -> Tensor:
        return self.np.array(x, x.dtype.type)
