"""Bases of adapters' `Ops`: primitives by other primitives, those in NumPy's words, and those by Python's operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

Tensor = Any


class Derived:
    """What can be said by other primitives, right but slow; an adapter overrides what its framework has."""

    imports: ClassVar[dict[str, str]]
    index: str = "int64"
    pairwise_sums: bool = False
    sizes_are_data: ClassVar[bool] = False
    exact: bool = False

    def __init__(self, rank: int, dtype: str) -> None:
        self.rank = rank
        self.dtype = dtype

    def of_rank(self, rank: int) -> Any:
        return self._other(rank, self.dtype)

    def of_dtype(self, dtype: str) -> Any:
        return self._other(self.rank, dtype)

    def _other(self, rank: int, dtype: str) -> Any:
        other = type(self)(rank, dtype)
        other.exact = self.exact
        for name in self.imports:  # the stand-ins, while a lowering is recorded
            setattr(other, name, getattr(self, name))
        return other

    def along(self, at: int, n: Any = -1) -> tuple[Any, ...]:
        """The shape of a line of `n` numbers along one axis."""
        return (1,) * at + (n,) + (1,) * (self.rank - 1 - at)

    def own_sum(self: Any, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.sum(x, ats)

    def absolute(self: Any, a: Tensor) -> Tensor:
        return self.where(self.less(a, 0), self.multiply(a, -1), self.add(a, 0))  # -0.0 + 0 is 0.0

    def clip(self: Any, x: Tensor, low: float, high: float) -> Tensor:
        x = x if low == -math.inf else self.where(self.less(x, low), low, x)
        return x if high == math.inf else self.where(self.greater(x, high), high, x)

    def merge(self: Any, x: Tensor, n: int, size: Any) -> Tensor:
        return self.reshape(x, (*[self.size(x, i) for i in range(self.rank - n)], size))

    def bit_or(self: Any, a: Tensor, b: Any) -> Tensor:
        return self.subtract(self.add(a, b), self.bit_and(a, b))

    def bit_xor(self: Any, a: Tensor, b: Any) -> Tensor:
        return self.subtract(self.bit_or(a, b), self.bit_and(a, b))

    def shift_left(self: Any, a: Tensor, n: int) -> Tensor:
        return self.multiply(a, -(2**31) if n == 31 else 2**n)

    def halve(self: Any, a: Tensor) -> Tensor:
        return self.shift_right(a, 1)

    def take(self: Any, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.take_along(x, self.reshape(places, self.along(at)), at)

    def take_along(self: Any, x: Tensor, places: Tensor, at: int) -> Tensor:
        wide, o = self.expand(x, at), self.of_rank(self.rank + 1)
        chosen = o.equal(o.iota(wide, at + 1), self.expand(places, at + 1))
        return o.drop(o.pick(chosen, wide, at + 1), (at + 1,))

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


class Named(Derived):
    """What a framework calls as NumPy does."""

    module: ClassVar[str]  # the attribute that holds these functions

    @property
    def functions(self) -> Any:
        return getattr(self, self.module)

    def pad(self, x: Tensor, at: int, low: Any, high: Any, value: float) -> Tensor:
        widths = [(low, high) if i == at else (0, 0) for i in range(self.rank)]
        return self.functions.pad(x, widths, constant_values=value)

    def drop(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.functions.squeeze(x, ats)

    def permute(self, x: Tensor, order: tuple[int, ...]) -> Tensor:
        return self.functions.transpose(x, order)

    def isnan(self, a: Tensor) -> Tensor:
        return self.functions.isnan(a)

    def exp(self, a: Tensor) -> Tensor:
        return self.functions.exp(a)

    def log(self, a: Tensor) -> Tensor:
        return self.functions.log(a)


class Functions(Named):
    """Comparisons and bits by functions, for a framework whose tensors know them not, or otherwise."""

    def literal(self, b: Any) -> Any:
        """A Python number as these functions take it."""
        return b

    def whole(self, n: Any) -> Any:
        """A Python integer as the functions of bits take it."""
        return n

    @property
    def bits(self) -> Any:
        """What holds the functions of bits."""
        return self.functions

    def greater(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.greater(a, self.literal(b))

    def less(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.less(a, self.literal(b))

    def equal(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.equal(a, self.literal(b))

    def both(self, a: Tensor, b: Tensor) -> Tensor:
        return self.functions.logical_and(a, b)

    def either(self, a: Tensor, b: Tensor) -> Tensor:
        return self.functions.logical_or(a, b)

    def bit_and(self, a: Tensor, b: Any) -> Tensor:
        return self.bits.bitwise_and(a, self.whole(b))

    def bit_or(self, a: Tensor, b: Any) -> Tensor:
        return self.bits.bitwise_or(a, self.whole(b))

    def bit_xor(self, a: Tensor, b: Any) -> Tensor:
        return self.bits.bitwise_xor(a, self.whole(b))

    def shift_left(self, a: Tensor, n: int) -> Tensor:
        return self.bits.left_shift(a, self.whole(n))

    def shift_right(self, a: Tensor, n: int) -> Tensor:
        return self.bits.right_shift(a, self.whole(n))

    def reshape(self, x: Tensor, shape: tuple[Any, ...]) -> Tensor:
        return self.functions.reshape(x, shape)

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return self.functions.cast(x, dtype)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return self.functions.cast(x, like.dtype)

    def detach(self, x: Tensor) -> Tensor:
        return self.functions.stop_gradient(x)


class Operators(Named):
    """Arithmetic, comparisons, bits and slices by Python's operators, for a framework whose sizes are numbers."""

    def size(self, x: Tensor, at: int) -> Any:
        return x.shape[at]

    def number(self, n: Any, dtype: str) -> Any:
        return n

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

    def power(self, a: Tensor, b: Any) -> Tensor:
        return a**b

    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        return a @ b

    def bit_and(self, a: Tensor, b: Any) -> Tensor:
        return a & b

    def bit_or(self, a: Tensor, b: Any) -> Tensor:
        return a | b

    def bit_xor(self, a: Tensor, b: Any) -> Tensor:
        return a ^ b

    def shift_left(self, a: Tensor, n: int) -> Tensor:
        return a << n

    def shift_right(self, a: Tensor, n: int) -> Tensor:
        return a >> n

    def absolute(self, a: Tensor) -> Tensor:
        return self.functions.abs(a)

    def floor(self, a: Tensor) -> Tensor:
        return self.functions.floor(a)

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        return self.functions.where(condition, a, b)

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor:
        return self.functions.concatenate(parts, at)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.functions.take_along_axis(x, places, at)

    def max(self, x: Tensor, at: int) -> Tensor:
        return self.functions.max(x, axis=at, keepdims=True)

    def min(self, x: Tensor, at: int) -> Tensor:
        return self.functions.min(x, axis=at, keepdims=True)

    def any(self, x: Tensor, at: int) -> Tensor:
        return self.functions.any(x, axis=at, keepdims=True)

    def extreme(self, which: str, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """The framework's own maximum or minimum, of which routes know what it does with NaN."""
        return getattr(self.functions, which)(x, axis=ats, keepdims=True)

    def better(self, which: str, a: Tensor, b: Tensor) -> Tensor:
        """The same of two tensors."""
        return getattr(self.functions, which + "imum")(a, b)

    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        return self.functions.sum(chosen, axis=at, dtype=dtype, keepdims=True)

    def integer_sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.functions.sum(x, axis=ats, dtype="int32", keepdims=True)

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.functions.take(x, places, at)

    def iota(self, x: Tensor, at: int) -> Tensor:
        return self.functions.arange(x.shape[at], dtype="int32").reshape(self.along(at))

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        return self.functions.array(values, dtype).reshape(self.along(at))

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return x.astype(dtype)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return x.astype(like.dtype)

    def detach(self, x: Tensor) -> Tensor:
        return x

    def expand(self, x: Tensor, at: int) -> Tensor:
        return x[(slice(None),) * at + (None,)]

    def reshape(self, x: Tensor, shape: tuple[Any, ...]) -> Tensor:
        return x.reshape(shape)
