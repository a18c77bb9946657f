"""Each further primitive with NumPy's own words for it, which are its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Tensor = Any
FLOATS = ("float32", "float64")
PLACES = (4, 0, 0, 3)  # along an axis of 5
ENDS = ((0, None), (0, 2), (1, 4), (2, None), (0, -1), (1, -2), (-1, None), (-3, -1))
BITS = 0x5A5A5A5A


class Primitive(NamedTuple):
    """What is asked of an `Ops`, what NumPy says, and which dtypes are given; `x` has the shape (2, 5, 4)."""

    asked: Callable[[Any, Tensor], Tensor]
    said: Callable[[Tensor], Tensor]
    dtypes: tuple[str, ...] = FLOATS
    smooth: bool = False  # it has a derivative at every cell that is given
    positive: bool = False


def _matmul(o: Any, x: Tensor) -> Tensor:
    return o.matmul(x, o.permute(o.multiply(x, 0.7), (0, 2, 1)))


def _take(o: Any, x: Tensor) -> Tensor:
    return o.take(x, o.of_rank(1).line(PLACES, 0, "int32", x), 1)


def _take_along(o: Any, x: Tensor) -> Tensor:
    return o.take_along(x, o.line(PLACES, 1, "int32", x), 1)


def _segment(how: str, n: int) -> Callable[[Any, Tensor], Tensor]:
    def asked(o: Any, x: Tensor) -> Tensor:
        ids = o.bit_and(o.reshape(o.iota(x, 1), (-1,)), 1)  # 0, 1, 0, 1, 0
        return o.segment(o.permute(x, (1, 0, 2)), ids, n, how)

    return asked


def _counts(o: Any, x: Tensor) -> Tensor:
    ids = o.bit_and(o.reshape(o.iota(x, 1), (-1,)), 1)
    # PyTorch, too, counts places that are of its own dtype for them.
    return o.of_rank(1).counts(ids if o.index == "int32" else o.cast(ids, o.index), 3)


def _windows(x: Tensor) -> Tensor:
    return np.lib.stride_tricks.sliding_window_view(x, (2, 3), (1, 2))[:, ::2]


def _segments(ufunc: Any, n: int) -> Callable[[Tensor], Tensor]:
    def said(x: Tensor) -> Tensor:
        rows = [x.transpose(1, 0, 2)[s::2] if s < 2 else x[:0] for s in range(n)]
        return np.stack([ufunc.reduce(r, 0) if len(r) else np.zeros_like(x[:, 0]) for r in rows]).astype(x.dtype)

    return said


ROW = (2, -1, 0, 2, 0)  # 1 and 3 do not stand in it


def _last(o: Any, x: Tensor) -> Tensor:
    rows = o.of_rank(2).of_dtype(o.index)
    row = rows.cast(o.of_rank(2).line(ROW, 1, "int32", x), o.index)
    found = rows.last(rows.add(rows.multiply(rows.cast(o.of_rank(2).reshape(x, (8, 5)), o.index), 0), row), 4)
    return o.of_rank(2).take(found, o.of_rank(1).line((0, 2), 0, "int32", x), 1)


def _last_of(x: Tensor) -> Tensor:
    return np.broadcast_to(np.array([4, 3], "int32"), (8, 2))


def _sixth(o: Any, x: Tensor) -> Tensor:
    six = o.of_rank(6)
    wide = six.reshape(x, (2, 5, 1, 2, 2, 1))
    return six.add(six.pad(wide, 3, 1, 0, 0.7), six.cast_like(six.iota(wide, 1), x))


def _along(x: Tensor) -> Tensor:
    return np.take_along_axis(x, np.array(PLACES).reshape(1, 4, 1), 1)


def _padded(x: Tensor) -> Tensor:
    wide = np.pad(x.reshape(2, 5, 1, 2, 2, 1), [(0, 0)] * 3 + [(1, 0)] + [(0, 0)] * 2, constant_values=0.7)
    return wide + np.arange(5).astype(x.dtype).reshape(1, 5, 1, 1, 1, 1)


def _wrapping(x: Tensor) -> Tensor:
    return x * np.int32(1000003) + x - np.int32(7)


INTEGERS = ("int32",)
PRIMITIVES: dict[str, Primitive] = {
    "merge": Primitive(lambda o, x: o.merge(x, 2, 20), lambda x: x.reshape(2, 20), smooth=True),
    "slices": Primitive(
        lambda o, x: o.concat([o.slice(x, 1, *ends, 1) for ends in ENDS], 1),
        lambda x: np.concatenate([x[:, slice(*ends)] for ends in ENDS], 1),
        (*FLOATS, "int32"),
        smooth=True,
    ),
    "lengthened": Primitive(
        lambda o, x: o.lengthened(o.slice(x, 1, 0, 1, 1), x, 1),
        lambda x: np.repeat(x[:, :1], 5, 1),
        (*FLOATS, "int32"),
        smooth=True,
    ),
    "lengthened_already": Primitive(lambda o, x: o.lengthened(o.floor(x), x, 1), np.floor),
    "clip": Primitive(lambda o, x: o.clip(x, -0.3, 0.4), lambda x: np.clip(x, -0.3, 0.4), smooth=True),
    "log": Primitive(lambda o, x: o.log(x), np.log, smooth=True, positive=True),
    "power": Primitive(lambda o, x: o.power(x, 0.7), lambda x: x ** x.dtype.type(0.7), smooth=True, positive=True),
    "power_whole": Primitive(lambda o, x: o.power(x, 3.0), lambda x: x**3, smooth=True),
    "power_tensor": Primitive(lambda o, x: o.power(x, x), lambda x: x**x, smooth=True, positive=True),
    "absolute": Primitive(lambda o, x: o.absolute(x), np.abs, smooth=True),
    "absolute_integer": Primitive(lambda o, x: o.absolute(x), np.abs, INTEGERS),
    "floor": Primitive(lambda o, x: o.floor(x), np.floor),
    "take": Primitive(_take, lambda x: x[:, list(PLACES)], (*FLOATS, "int32"), smooth=True),
    "take_along": Primitive(_take_along, _along, (*FLOATS, "int32"), smooth=True),
    "convolve": Primitive(
        lambda o, x: o.convolve(x, (2, 3), (2, 1), (1, 1)), lambda x: _windows(x).sum((-2, -1)), smooth=True
    ),
    "segment_sum": Primitive(_segment("sum", 3), _segments(np.add, 3), smooth=True),
    "segment_max": Primitive(_segment("max", 2), _segments(np.maximum, 2), (*FLOATS, "int32")),
    "segment_min": Primitive(_segment("min", 2), _segments(np.minimum, 2), (*FLOATS, "int32")),
    "counts": Primitive(_counts, lambda x: np.array([3, 2, 0], x.dtype), (*FLOATS, "int32")),
    "rows": Primitive(lambda o, x: o.rows(x, (5, 2, 2)), lambda x: x.reshape(2, 5, 2, 2), smooth=True),
    "last": Primitive(_last, _last_of, INTEGERS),
    "split": Primitive(lambda o, x: o.split(x, (2, 1, 2)), lambda x: x.reshape(2, 5, 2, 1, 2), smooth=True),
    "expand": Primitive(lambda o, x: o.expand(x, 2), lambda x: x[:, :, None], (*FLOATS, "int32"), smooth=True),
    "reshape": Primitive(lambda o, x: o.reshape(x, (4, -1)), lambda x: x.reshape(4, 10), smooth=True),
    "permute": Primitive(lambda o, x: o.permute(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), smooth=True),
    "matmul": Primitive(_matmul, lambda x: x @ (x * x.dtype.type(0.7)).transpose(0, 2, 1), smooth=True),
    "order": Primitive(lambda o, x: o.order(x, 1), lambda x: np.argsort(x, 1, kind="stable").astype("int32")),
    "order_integer": Primitive(
        lambda o, x: o.order(o.halve(x), 2), lambda x: np.argsort(x >> 1, 2, kind="stable").astype("int32"), INTEGERS
    ),
    "order_ties": Primitive(
        lambda o, x: o.order(o.floor(x), 1), lambda x: np.argsort(np.floor(x), 1, kind="stable").astype("int32")
    ),
    "sort": Primitive(lambda o, x: o.sort(x, 1), lambda x: np.sort(x, 1), smooth=True),
    "rank_6": Primitive(_sixth, _padded, smooth=True),
    "bit_and": Primitive(lambda o, x: o.bit_and(x, BITS), lambda x: x & BITS, INTEGERS),
    "bit_or": Primitive(lambda o, x: o.bit_or(x, BITS), lambda x: x | BITS, INTEGERS),
    "bit_xor": Primitive(lambda o, x: o.bit_xor(x, BITS), lambda x: x ^ BITS, INTEGERS),
    "bit_tensor": Primitive(lambda o, x: o.bit_xor(x, o.bit_and(x, o.bit_or(x, x))), lambda x: x ^ x, INTEGERS),
    "shift_left": Primitive(lambda o, x: o.shift_left(x, 13), lambda x: x << 13, INTEGERS),
    "shift_left_31": Primitive(lambda o, x: o.shift_left(x, 31), lambda x: x << 31, INTEGERS),
    "shift_right": Primitive(lambda o, x: o.shift_right(x, 3), lambda x: x >> 3, INTEGERS),
    "halve": Primitive(lambda o, x: o.halve(x), lambda x: x // 2, INTEGERS),
    "integer_sum": Primitive(
        lambda o, x: o.integer_sum(x, (1, 2)), lambda x: x.sum((1, 2), dtype="int32", keepdims=True), INTEGERS
    ),
    "running_sum": Primitive(lambda o, x: o.running_sum(x, 1), lambda x: np.cumsum(x, 1, dtype="int32"), INTEGERS),
    "wrapping": Primitive(lambda o, x: o.subtract(o.add(o.multiply(x, 1000003), x), 7), _wrapping, INTEGERS),
    # A Python float is taken in the working dtype.
    "float_add": Primitive(lambda o, x: o.add(x, 0.7), lambda x: x + x.dtype.type(0.7), smooth=True),
    "float_subtract": Primitive(lambda o, x: o.subtract(x, 0.7), lambda x: x - x.dtype.type(0.7), smooth=True),
    "float_multiply": Primitive(lambda o, x: o.multiply(x, 0.7), lambda x: x * x.dtype.type(0.7), smooth=True),
    "float_divide": Primitive(lambda o, x: o.divide(x, 0.7), lambda x: x / x.dtype.type(0.7), smooth=True),
    "float_where": Primitive(
        lambda o, x: o.where(o.less(x, 0.0), 0.7, x), lambda x: np.where(x < 0, x.dtype.type(0.7), x), smooth=True
    ),
    "float_pad": Primitive(
        lambda o, x: o.pad(x, 1, 0, 2, 0.7),
        lambda x: np.pad(x, [(0, 0), (0, 2), (0, 0)], constant_values=x.dtype.type(0.7)),
        smooth=True,
    ),
    "float_compare": Primitive(
        lambda o, x: o.both(o.equal(o.add(o.multiply(x, 0.0), 0.7), 0.7), o.either(o.greater(x, 0.7), o.less(x, 0.7))),
        lambda x: x == x,
    ),
}


def cells(dtype: str, primitive: Primitive) -> Tensor:
    """Numbers of both signs, none of them near 0 or near a whole number; whole ones from all of int32."""
    rng = np.random.default_rng(7)
    if dtype == "int32":
        return rng.integers(-(2**31) + 1, 2**31, (2, 5, 4), "int32")
    x = (rng.integers(-3, 3, (2, 5, 4)) + rng.uniform(0.1, 0.9, (2, 5, 4))).astype(dtype)
    return np.abs(x) if primitive.positive else x
