"""Unpooling resolved on values and their indices: which value stands at each place of the result, if any does.

Of several values at a place the choice is made by places alone (`Ops.last`), and only what is seen has a gradient.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.geometry import Axis, axes_of, letters_of, positions, spread
from poolkit.lowering.operations.windowed import Windows, all_own, near_by, windows_of
from poolkit.lowering.plan import MOST_CELLS, Composite, Run
from poolkit.spec.dtypes import INTEGERS
from poolkit.spec.messages import quoted
from poolkit.spec.unpool import LIKE, SMALLEST

if TYPE_CHECKING:
    from poolkit.lowering.means import Means
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.operation import Further, Size, Widen
    from poolkit.spec.unpool import Unpool


@dataclasses.dataclass(frozen=True)
class UnpoolPlan(Composite):
    """An unpooling together with what its values settle: of each axis `n` is what was pooled to, `out` what from."""

    spec: Unpool
    way: str = dataclasses.field(default="fold", kw_only=True)
    refuses: bool = dataclasses.field(default=False, kw_only=True)

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        if any(a.out is None for a in self.axes):
            outs = [a.out if a.out is not None else o.size(tensors[LIKE], a.at) for a in self.axes]
            sized = [dataclasses.replace(a, out=out) for a, out in zip(self.axes, outs, strict=True)]
            return dataclasses.replace(self, axes=tuple(sized)).join(o, x, runs, **tensors)
        if o.sizes_are_data and not all(isinstance(a.out, int) for a in self.axes):
            raise ShapeError(
                f"received values of unknown size for {quoted(str(self.spec))}, and a Keras model has to know the size "
                "of what it makes; give sizes, or output_size as integers"
            )
        o.alone = self.way in ("distinct", "alike")
        ats = [a.at for a in self.axes]
        left = [at for at in range(self.rank) if at not in ats]
        cells, most = self.cells
        numbers, rows = o.of_dtype(o.index), o.of_rank(len(left) + 1)
        order = (*left, *ats)

        def flat(t: Tensor) -> Tensor:
            t = _turned(o, t, order)
            return o.merge(t, len(ats), cells) if len(ats) > 1 else t

        places = tensors["indices"] if self.further[0].dtype == o.index else o.cast(tensors["indices"], o.index)
        values, places = flat(x), flat(places)
        others = numbers.of_rank(rows.rank)
        made = (
            self.chosen(rows, others, values, places, cells, most)
            if self.way == "fold" or not o.puts
            else self.asked(rows, others, values, places, lambda: self.own(o, tensors["indices"]))
        )
        made = rows.split(made, self.outs) if len(ats) > 1 else made
        return _turned(o, made, tuple([order.index(at) for at in range(self.rank)])), None

    @property
    def windows(self) -> Windows | None:
        return windows_of(self.spec.pooling, self.axes)

    @property
    def outs(self) -> tuple[Any, ...]:
        return tuple([a.out for a in self.axes])

    @property
    def cells(self) -> tuple[Any, Any]:
        """How many values there are in a map, and how many places."""
        return functools.reduce(operator.mul, [a.n for a in self.axes]), functools.reduce(operator.mul, self.outs)

    def ways(self, means: Means) -> Sequence[UnpoolPlan]:
        """Where indices were looked at, or may be, none of several values at a place has to be looked for as a rule."""
        if not (means.asks and self.known and all(isinstance(n, int) for n in self.outs)) or self.spec.holed:
            return (self,)
        way = ("distinct" if means.derivative or self.windows else "alike") if means.at_once else "compiled"
        return dataclasses.replace(self, way=way, refuses=means.refuses), self

    def asked(self, o: Ops, numbers: Ops, values: Tensor, places: Tensor, own: Callable[[], Any]) -> Tensor:
        """Values are put where they belong, if no two meet; without a derivative those that meet may be equal.

        As they are where windows overlap, whose maxima are one cell. Windows that do not have places of their own, and
        that each value is at one of them is seen sooner than by marking places and counting the marks.
        """
        (cells, most), at, whole = self.cells, o.rank - 1, o.of_dtype("int32")

        def slow(values: Tensor) -> Tensor:
            return self.chosen(o, numbers, values, places, cells, most)

        def near(both: tuple[Tensor, Tensor]) -> Tensor:
            return near_by(o, numbers, self.axes, self.windows or [], both[0], both[1])

        def put(both: tuple[Tensor, Tensor]) -> Tensor:
            return o.put(both[0], both[1], most)

        def marked(values: Tensor) -> Tensor:
            ones = whole.broadcast(whole.line((1,), at, "int32", values), values)
            right = whole.between(whole.integer_sum(whole.put(ones, places, most), (at,)), cells - 1, cells + 1)
            return o.branch(right, lambda values: o.put(values, places, most), slow, values)

        if self.way == "alike":
            made = o.put(values, places, most)
            found = o.count(o.equal(o.take_along(made, places, at), values), at, "int32")
            return o.branch(whole.between(found, cells - 1, cells + 1), lambda values: made, slow, values)
        if self.windows:
            return o.branch(own(), lambda values: o.unless_derived(near, put, (values, places)), slow, values)
        if self.way == "compiled":
            return o.branch(numbers.between(places, -1, most), marked, slow, values)
        return marked(values)

    def own(self, o: Ops, indices: Tensor) -> Any:
        narrow = next((f"int{bits}" for bits in (16, 32) if 2 * self.cells[1] < 2 ** (bits - 1)), o.index)
        compiled = self.way == "compiled"  # nobody has looked whether a narrow one holds them
        return all_own(o, self.axes, self.windows or [], indices, o.index if compiled else narrow, compiled)

    def chosen(self, o: Ops, numbers: Ops, values: Tensor, places: Tensor, cells: Any, most: Any) -> Tensor:
        """Of several values the last is put at a place, and 0 where there is none."""
        n, at = numbers, o.rank - 1
        if self.refuses:  # as reading from another place does
            stays = n.equal(n.take_along(n.last(places, most), places, at), n.iota(places, at))
            made = o.put(values, n.where(stays, places, n.number(most, n.dtype)), most + 1)
            return o.slice(made, at, 0, -1, 1)
        inside = n.both(n.greater(places, -1), n.less(places, n.number(most, n.dtype)))
        found = n.last(n.where(inside, places, -1), most)
        if o.puts:
            here = n.take_along(found, n.where(inside, places, 0), at)
            stays = n.both(inside, n.equal(here, n.iota(places, at)))
            made = o.put(values, n.where(stays, places, n.number(most, n.dtype)), most + 1)
            return o.slice(made, at, 0, -1, 1)
        some = n.both(n.greater(found, -1), n.less(found, n.number(cells, "int32")))
        found = n.where(some, found, 0)
        some = n.both(some, n.equal(n.take_along(places, found, at), n.cast(n.iota(found, at), n.dtype)))
        return o.where(some, o.take_along(values, n.where(some, found, 0), at), 0)


def _turned(o: Ops, x: Tensor, order: tuple[int, ...]) -> Tensor:
    return x if order == tuple(range(o.rank)) else o.permute(x, order)


def plan_of_unpool(
    spec: Unpool, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...]
) -> UnpoolPlan:
    """An unpooling resolved on values and their indices, which have one shape."""
    work = spec.work_dtype(dtype, widen)
    sizes = [size(at) for at in range(rank)]
    given = {f.name: f for f in further}
    like = _sizes_of(spec, rank, given.get(LIKE)) if spec.output_size == LIKE else None
    if like is not None and None not in like:
        spec, like = type(spec)(spec.pooling, [n for n in like if n is not None]), None
    maps = maps_of(spec, rank, sizes, like)
    if "indices" not in given:
        raise InputError(
            f"received no indices for {quoted(str(spec))}, and they say where each value goes; give those of the pool, "
            "as in pk.unpool(values, indices, spec)"
        )
    _check_indices(spec, given["indices"], [n if known else None for n, known in sizes])
    outs, now = {a.at: a.out for a in maps}, [n for n, _ in sizes]
    both = now, [outs.get(at, n) for at, n in enumerate(now)]
    before, after = (math.prod([n for n in several if isinstance(n, int)]) for several in both)
    if after > MOST_CELLS and after > 4 * before:
        raise ShapeError(
            f"received {before} values, of which {quoted(str(spec))} would make {after}, and {MOST_CELLS} is the most; "
            "give a smaller output_size"
        )
    return UnpoolPlan(spec, (), maps, rank, dtype, work, further=tuple([f._replace(sizes=()) for f in further]))


def _sizes_of(spec: Unpool, rank: int, like: Further | None) -> tuple[int | None, ...]:
    """The sizes of what was pooled along the axes that were, as far as they are known."""
    if like is None:
        raise InputError(
            f"received no tensor like for {quoted(str(spec))}, and its sizes are those of the result; give what was "
            "pooled, as in pk.unpool(values, indices, spec, like=x)"
        )
    if like.rank != rank:
        raise ShapeError(
            f"received like of shape {like.sizes} for values of rank {rank} of {quoted(str(spec))}, and it has the "
            "axes of the values; give the tensor that was pooled"
        )
    return tuple([like.sizes[at] for at in positions(spec, rank)])


def _check_indices(spec: Unpool, f: Further, sizes: Sequence[int | None]) -> None:
    if f.dtype not in INTEGERS or f.dtype == "bool":
        raise DtypeError(
            f"received indices of dtype {f.dtype} for {quoted(str(spec))}, and an index is an integer; "
            "give those of the pool, or cast them to int64"
        )
    both = zip(f.sizes, sizes, strict=False)
    if f.rank != len(sizes) or any(n is not None and m is not None and n != m for n, m in both):
        raise ShapeError(
            f"received indices of shape {f.sizes} for values of shape {tuple(sizes)} of {quoted(str(spec))}, and each "
            "value has one; give those of the same pool"
        )


def maps_of(
    spec: Unpool, rank: int, sizes: Sequence[tuple[Any, bool]], like: Sequence[int | None] | None = None
) -> tuple[Axis, ...]:
    """Each axis that was pooled, with its size now and, as far as known, before; `ShapeError` where it was another."""
    letters = letters_of(spec, rank)
    ats = positions(spec, rank)
    made: list[Axis] = []
    for i, at in enumerate(ats):
        n, known = sizes[at]
        out = spread(spec.output_size, i, len(ats))
        if out == LIKE:
            out = None if like is None else like[i]
        elif out == SMALLEST:
            out = _smallest(spec, i, len(ats), n)
        made.append(Axis(at, letters[at - (rank - len(letters))], "keep", n, known, out))
    if all(a.known and a.out is not None for a in made):
        _check_maps(spec, rank, made)
    return tuple(made)


def _check_maps(spec: Unpool, rank: int, maps: Sequence[Axis]) -> None:
    """`ShapeError` where maps of the sizes before would not have been pooled to those that there are."""
    letters, now, before = "".join([a.letter for a in maps]), tuple([a.n for a in maps]), {a.at: a.out for a in maps}
    if not all(out > 0 for out in before.values()):
        raise ShapeError(
            f"received values of size {now} along {letters}, which {quoted(str(spec.pooling))} gives for no input; "
            "give the values and the spec of one pool"
        )
    pooled = axes_of(spec.pooling, rank, lambda at: (before[at], True))
    gives = tuple([a.n if a.form == "keep" else a.out for a in pooled])
    if now != gives:
        raise ShapeError(
            f"received values of size {now} along {letters}, and {quoted(str(spec.pooling))} of size "
            f"{tuple(before.values())} gives {gives}; give the output_size of the input that was pooled, and the spec "
            "that pooled it"
        )


def _smallest(spec: Unpool, i: int, count: int, out: Any) -> Any:
    """The smallest size of which the spec makes this many windows."""
    pooling = spec.pooling
    if pooling.window is None:
        return out  # an axis that is left as it is
    k, s, r = (spread(v, i, count) for v in (pooling.window, pooling.stride, pooling.dilation))
    span = r * (k - 1) + 1
    if pooling.padding in ("same", "same_lower"):
        return (out - 1) * s + 1
    padding: Any = pooling.padding
    padding = (span - 1 if padding == "causal" else 0, 0) if isinstance(padding, str) else spread(padding, i, count)
    low, high = cast("tuple[Any, Any]", padding if isinstance(padding, tuple) else (padding, padding))
    if pooling.ceil_mode:  # of its last window one cell will do
        return (out - 1) * s - low + 1 + max(span - high - s, 0)
    return (out - 1) * s + span - low - high


def shape_of_unpool(spec: Unpool, shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape of the result for values of this shape."""
    outs = {
        at: out if shape[at] is not None else (out if isinstance(out, int) and spec.output_size != SMALLEST else None)
        for at, out in _outs(spec, shape)
    }
    return tuple([outs.get(at, n) for at, n in enumerate(shape)])


def _outs(spec: Unpool, shape: Sequence[int | None]) -> list[tuple[int, Any]]:
    sizes = [(0 if n is None else n, n is not None) for n in shape]
    return [(a.at, a.out) for a in maps_of(spec, len(shape), sizes)]


@functools.lru_cache(1024)
def places(spec: Unpool, shape: tuple[int, ...]) -> int:
    """How many places there are in each map of the result."""
    return math.prod([out for _, out in _outs(spec, shape)])
