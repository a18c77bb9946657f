"""The base of adapters' `Ops`: primitives by other primitives."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar

from poolkit.spec.dtypes import bounds

Tensor = Any
Sizes = tuple[int, ...]
Branch = Callable[[Tensor], Tensor]


class Derived:
    """What can be said by other primitives, right but slow; an adapter overrides what its framework has."""

    imports: ClassVar[dict[str, str]]
    index: str = "int64"
    pairwise_sums: bool = False
    slices_are_free: ClassVar[bool] = False
    calls_are_dear: bool = False
    sizes_are_data: ClassVar[bool] = False
    slices_by_size: bool = False
    exact: bool = False
    blind: bool = False
    alone: bool = False
    large: bool = False
    fused: bool = False
    puts: bool = False
    drops: bool = False
    nan_wins: bool = False
    channels_first: bool = False
    zeros: bool = False
    squares: bool = False

    def __init__(self, rank: int, dtype: str) -> None:
        self.rank = rank
        self.dtype = dtype

    def of_rank(self, rank: int) -> Any:
        return self._other(rank, self.dtype)

    def of_dtype(self, dtype: str) -> Any:
        return self._other(self.rank, dtype)

    def _other(self, rank: int, dtype: str) -> Any:
        other = type(self)(rank, dtype)
        other.exact, other.blind, other.alone, other.fused = self.exact, self.blind, self.alone, self.fused
        for name in (*self.imports, "shared"):  # the stand-ins, while a lowering is recorded
            setattr(other, name, getattr(self, name))
        return other

    def along(self, at: int, n: Any = -1) -> tuple[Any, ...]:
        """The shape of a line of `n` numbers along one axis."""
        return (1,) * at + (n,) + (1,) * (self.rank - 1 - at)

    def around(self, a: Any) -> tuple[Any, Any]:
        return a.low, a.high

    def row(self: Any, x: Tensor, n: Any) -> tuple[Any, ...]:
        """The shape of `x` with `n` along the last axis."""
        return (*[self.size(x, at) for at in range(self.rank - 1)], n)

    def drop_in_turn(self: Any, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """One axis after the other, the last one first: PyTorch's older exporter to ONNX has no squeeze of several."""
        for at in reversed(ats):
            x = self.functions.squeeze(x, at)
        return x

    def rows(self: Any, x: Tensor, parts: tuple[int, ...], at: int | None = None) -> Tensor:
        return self.reshape(x, (-1, *parts) if at is None else (-1, *parts, self.size(x, at)))

    def running(self: Any, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """The framework's own sum, in the dtype of the cells."""
        return self.reduced("sum", x, ats)

    def shared(self, name: str, key: Any, function: Callable[..., Any], outermost: bool = False) -> Any:
        return function

    def own_sum(self: Any, x: Tensor, ats: tuple[int, ...], few: bool = False) -> Tensor:
        return self.sum(x, ats)

    def lengthened(self: Any, t: Tensor, x: Tensor, at: int) -> Tensor:
        here = self.less(self.iota(x, at), 0)  # nowhere
        return self.where(here, self.slice(t, at, 0, 1, 1), t)

    def absolute(self: Any, a: Tensor) -> Tensor:
        return self.where(self.less(a, 0), self.multiply(a, -1), self.add(a, 0))  # -0.0 + 0 is 0.0

    def clip(self: Any, x: Tensor, low: float, high: float) -> Tensor:
        x = x if low == -math.inf else self.where(self.less(x, low), low, x)
        return x if high == math.inf else self.where(self.greater(x, high), high, x)

    def edged(self: Any, x: Tensor, at: int, low: int, high: int) -> Tensor:
        """With the first cell and the last one again, so many times."""
        first, last = self.slice(x, at, 0, 1, 1), self.slice(x, at, -1, None, 1)
        parts = [*self._repeated(first, at, low), x, *self._repeated(last, at, high)]
        return self.concat(parts, at) if len(parts) > 1 else x

    def _repeated(self: Any, x: Tensor, at: int, n: int) -> list[Tensor]:
        """One tensor or none, by halves: of 1000 cells in 18 calls."""
        if n < 2:
            return [x] * n
        return [self.concat([*self._repeated(x, at, n // 2) * 2, *[x] * (n % 2)], at)]

    def quotient(self: Any, a: Tensor, b: Tensor) -> Tensor:
        if not self.squares:
            return self.divide(a, b)
        size = self.absolute(self.detach(b))
        near = self.both(self.greater(size, 2.0**-20), self.less(size, 2.0**20))
        scale = self.where(near, 1.0, self.power(self.where(near, 1.0, size), -1.0))
        return self.divide(self.multiply(a, scale), self.multiply(b, scale))

    def merge(self: Any, x: Tensor, n: int, size: Any) -> Tensor:
        return self.reshape(x, (*[self.size(x, i) for i in range(self.rank - n)], size))

    def split(self: Any, x: Tensor, sizes: tuple[Any, ...]) -> Tensor:
        return self.reshape(x, (*self.row(x, sizes[0]), *sizes[1:]))

    def between(self: Any, x: Tensor, low: float, high: float) -> Any:
        right = self.cast(self.both(self.greater(x, low), self.less(x, high)), "int32")
        for at in range(self.rank):
            right = self.min(right, at)
        return self.equal(self.reshape(right, ()), 1)

    def each(self, function: Callable[[Tensor], Any], x: Tensor) -> Any:
        return function(x)

    def branch(self: Any, right: Any, near: Branch, far: Branch, x: Tensor) -> Tensor:
        return self.where(right, near(self.where(right, x, 0.0)), far(x))

    def mended(self: Any, right: Any, found: tuple[Tensor, ...], again: Callable[[Tensor], Any], x: Tensor) -> Any:
        return tuple([self.where(right, near, far) for near, far in zip(found, again(x), strict=True)])

    def derived(self: Any, function: Callable[[Tensor], Any], slopes: Callable[..., Any], x: Tensor) -> Any:
        return slopes(x, function(x), x)

    def unless_derived(self: Any, alone: Callable[[Tensor], Any], both: Callable[[Tensor], Any], x: Tensor) -> Any:
        return both(x)

    def bit_or(self: Any, a: Tensor, b: Any) -> Tensor:
        return self.subtract(self.add(a, b), self.bit_and(a, b))

    def bit_xor(self: Any, a: Tensor, b: Any) -> Tensor:
        return self.subtract(self.bit_or(a, b), self.bit_and(a, b))

    def shift_left(self: Any, a: Tensor, n: int) -> Tensor:
        return self.multiply(a, -(2**31) if n == 31 else 2**n)

    def halve(self: Any, a: Tensor) -> Tensor:
        return self.shift_right(a, 1)

    def running_sum(self: Any, x: Tensor, at: int) -> Tensor:
        early, late, o = self.expand(x, at + 1), self.expand(x, at), self.of_rank(self.rank + 1)
        after = o.greater(o.iota(early, at), o.iota(late, at + 1))
        return o.drop(o.integer_sum(o.where(after, 0, early), (at,)), (at,))

    def take(self: Any, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.take_along(x, self.reshape(places, self.along(at)), at)

    def take_along(self: Any, x: Tensor, places: Tensor, at: int) -> Tensor:
        wide, o = self.expand(x, at), self.of_rank(self.rank + 1)
        chosen = o.equal(o.iota(wide, at + 1), self.expand(places, at + 1))
        return o.drop(o.pick(chosen, wide, at + 1), (at + 1,))

    def segment(self: Any, x: Tensor, ids: Tensor, n: int, how: str, or_zero: bool = False) -> Tensor:
        """Every row is held against every number, which takes `n` times the memory of `x`."""
        o, one = self.of_rank(self.rank + 1), self.of_rank(1)
        numbers = one.iota(one.pad(one.slice(ids, 0, 0, 1, 1), 0, 0, n - 1, 0), 0)
        member = o.equal(one.reshape(ids, o.along(1)), one.reshape(numbers, o.along(0)))
        if how == "sum":
            sums = o.integer_sum if self.dtype == "int32" else o.sum
            return o.drop(sums(o.where(member, self.expand(x, 0), 0), (1,)), (1,))
        least, most = bounds(self.dtype)
        if how == "max":
            return o.drop(o.max(o.where(member, self.expand(x, 0), least), 1), (1,))
        return o.drop(o.min(o.where(member, self.expand(x, 0), most), 1), (1,))

    def counts(self: Any, ids: Tensor, n: int) -> Tensor:
        return self.segment(self.cast(self.greater(ids, -1), self.dtype), ids, n, "sum")

    def convolve(
        self: Any, x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
    ) -> Tensor:
        for at, (k, s, r) in enumerate(zip(window, stride, dilation, strict=True), 1):
            taps = [self.slice(x, at, i * r, (i + 1 - k) * r or None, s) for i in range(k)]
            x = functools.reduce(self.add, taps)
        return x

    def last(self: Any, x: Tensor, n: Any) -> Tensor:
        """`x` and every number are sorted together; what then stands before a number is the last that equals it."""
        at = self.rank - 1
        every = self.pad(self.slice(x, at, 0, 1, 1), at, 0, n - 1, 0)
        line = self.add(self.multiply(every, 0), self.cast(self.iota(every, at), self.dtype))
        order = self.order(self.concat([self.add(self.multiply(line, 2), 1), self.multiply(x, 2)], at), at)
        before = self.add(self.slice(self.order(order, at), at, 0, n, 1), -1)
        return self.add(self.take_along(order, self.where(self.less(before, 0), 0, before), at), -n)

    def order(self: Any, x: Tensor, at: int) -> Tensor:
        """How many come before an element is its place in the order."""
        a, b, o = self.expand(x, at + 1), self.expand(x, at), self.of_rank(self.rank + 1)
        here, there = o.iota(a, at), o.iota(b, at + 1)
        before = o.either(o.less(b, a), o.both(o.equal(b, a), o.less(there, here)))
        return o.drop(o.pick(o.equal(o.count(before, at + 1, "int32"), there), here, at), (at,))

    def sort(self: Any, x: Tensor, at: int) -> Tensor:
        return self.take_along(x, self.order(x, at), at)

    def matmul(self: Any, a: Tensor, b: Tensor) -> Tensor:
        products = self.multiply(self.expand(a, self.rank), self.expand(b, self.rank - 2))
        o, at = self.of_rank(self.rank + 1), self.rank - 1
        return o.drop(o.sum(products, (at,)), (at,))
