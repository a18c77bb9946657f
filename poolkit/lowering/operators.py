"""Bases of adapters' `Ops`: primitives in NumPy's words, by functions, and by Python's operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from poolkit.lowering.derived import Derived

Tensor = Any


class Named(Derived):
    """Functions with NumPy's names, or with names of the framework's own for the same functions."""

    module: ClassVar[str]  # the attribute that holds these functions
    spelled: ClassVar[dict[str, str]] = {}  # NumPy's name of a function -> the framework's, where it has another one

    @property
    def functions(self) -> Any:
        return getattr(self, self.module)

    def function(self, name: str) -> Any:
        found = self.functions
        for part in self.spelled.get(name, name).split("."):
            found = getattr(found, part)
        return found

    def typed(self, dtype: str) -> Any:
        """A dtype as the framework's functions take it."""
        return dtype

    def reduced(self, name: str, x: Tensor, ats: int | tuple[int, ...], **more: Any) -> Tensor:
        """A reduction, whose axes are kept with size 1."""
        return self.function(name)(x, axis=ats, **more, keepdims=True)

    def pad(self, x: Tensor, at: int, low: Any, high: Any, value: float) -> Tensor:
        widths = [(low, high) if i == at else (0, 0) for i in range(self.rank)]
        return self.functions.pad(x, widths, constant_values=value)

    def drop(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.functions.squeeze(x, ats)

    def permute(self, x: Tensor, order: tuple[int, ...]) -> Tensor:
        return self.function("transpose")(x, order)

    def isnan(self, a: Tensor) -> Tensor:
        return self.function("isnan")(a)

    def exp(self, a: Tensor) -> Tensor:
        return self.functions.exp(a)

    def log(self, a: Tensor) -> Tensor:
        return self.function("log")(a)

    def absolute(self, a: Tensor) -> Tensor:
        return self.function("abs")(a)

    def max(self, x: Tensor, at: int) -> Tensor:
        return self.reduced("max", x, at)

    def min(self, x: Tensor, at: int) -> Tensor:
        return self.reduced("min", x, at)

    def any(self, x: Tensor, at: int) -> Tensor:
        return self.reduced("any", x, at)

    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        return self.reduced("sum", chosen, at, dtype=self.typed(dtype))

    def integer_sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        return self.reduced("sum", x, ats, dtype=self.typed("int32"))

    def running_sum(self, x: Tensor, at: int) -> Tensor:
        return self.functions.cumsum(x, at, dtype=self.typed("int32"))


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

    def number(self, n: Any, dtype: str) -> Any:
        return n if isinstance(n, int) else self.functions.cast(n, dtype)

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

    def expand(self, x: Tensor, at: int) -> Tensor:
        return self.functions.expand_dims(x, at)  # LiteRT has no slice with a new axis at unknown sizes

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return self.functions.cast(x, dtype)

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return self.functions.cast(x, like.dtype)

    def detach(self, x: Tensor) -> Tensor:
        return self.functions.stop_gradient(x)


class Arithmetic(Functions):
    """Arithmetic and places by functions, too, for a framework of functions alone."""

    def subtract(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.subtract(a, self.literal(b))

    def multiply(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.multiply(a, self.literal(b))

    def divide(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.divide(a, self.literal(b))

    def power(self, a: Tensor, b: Any) -> Tensor:
        return self.functions.power(a, self.literal(b))

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.functions.take(x, places, axis=at)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.functions.take_along_axis(x, places, axis=at)


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

    def between(self, x: Tensor, low: float, high: float) -> Any:
        return (self.function("min")(x) > low) & (self.function("max")(x) < high)

    def floor(self, a: Tensor) -> Tensor:
        return self.functions.floor(a)

    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        return self.functions.where(condition, a, b)

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor:
        return self.function("concatenate")(parts, at)

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return self.functions.broadcast_to(x, like.shape)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.functions.take_along_axis(x, places, at)

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        return self.reduced("sum", self.where(chosen, x, 0), at, dtype=x.dtype)

    def extreme(self, which: str, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """The framework's own maximum or minimum, of which routes know what it does with NaN."""
        return self.reduced(which, x, ats)

    def better(self: Any, which: str, a: Tensor, b: Tensor) -> Tensor:
        return getattr(self.functions, which + "imum")(a, b)

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.functions.take(x, places, at)

    def put(self, x: Tensor, places: Tensor, n: Any) -> Tensor:
        """All rows as one line, where a framework has `scattered` for that."""
        one, two = self.of_rank(1), self.of_rank(2).of_dtype(self.index)
        where = two.reshape(places, (-1, self.size(x, self.rank - 1)))
        line = two.add(where, two.multiply(two.cast(two.iota(where, 0), self.index), two.number(n, self.index)))
        made = one.scattered(one.reshape(x, (-1,)), one.reshape(line, (-1,)), two.size(where, 0) * n)
        return self.reshape(made, self.row(x, n))

    def last(self, x: Tensor, n: Any) -> Tensor:
        """A segment for each number of each row, -1 too, of which the largest place is taken."""
        two, one, at = self.of_rank(2), self.of_rank(1), self.rank - 1
        rows = two.reshape(x, (-1, self.size(x, at)))
        where = two.add(
            two.multiply(two.cast(two.iota(rows, 0), self.dtype), two.number(n + 1, self.dtype)), two.add(rows, 1)
        )
        cells = two.add(two.multiply(two.cast(rows, "int32"), 0), two.iota(rows, 1))
        cells, where = (one.reshape(t, (-1,)) for t in (cells, where))
        found = one.of_dtype("int32").segment(cells, where, two.size(rows, 0) * (n + 1), "max")
        wide = self.reshape(found, (*[self.size(x, i) for i in range(at)], n + 1))
        return self.slice(wide, at, 1, None, 1)

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

    def copy(self, x: Tensor) -> Tensor:
        return x

    def expand(self, x: Tensor, at: int) -> Tensor:
        return x[(slice(None),) * at + (None,)]

    def reshape(self, x: Tensor, shape: tuple[Any, ...]) -> Tensor:
        return x.reshape(shape)
