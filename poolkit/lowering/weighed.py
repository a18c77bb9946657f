"""Poolings of which a mask says which cells are real, or weights what each counts: sums and quotients by routes.

A masked cell is as if it were not there, whatever it holds. A window without a real cell, or whose weights add up to 0,
gives 0 with gradient 0. The rule for a tensor's shape: docs/semantics.md.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.fold import fold
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.kind import Kind, State
from poolkit.lowering.kinds.softmax import LogWeighted
from poolkit.lowering.kinds.taps import Taps
from poolkit.lowering.kinds.uniform import batch
from poolkit.lowering.plan import Composite, Plan, Run, channel, dropped
from poolkit.lowering.products import tried
from poolkit.spec.dtypes import FLOATS, bounds
from poolkit.spec.kinds import KINDS, RANDOM
from poolkit.spec.messages import quoted

if TYPE_CHECKING:
    from poolkit.lowering.axis import Axis
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.operation import Further

EXACT = 2**24  # up to which float32 holds every whole number
ONE_BY_ONE = "no call of the framework is right for this, so cells are put together one by one, axis after axis"


@dataclasses.dataclass(frozen=True)
class WeighedPlan(Composite):
    """A pooling with further tensors: `base` is its plan without them. Without parts it is the fold of real cells."""

    base: Plan
    way: str = "fold"  # or by which products of cells and the mask sums are tried (`products.py`)
    narrow: bool = False  # each further tensor has one number for all channels
    note = ONE_BY_ONE

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        ready = self.ready(o, x, tensors)
        mask, weight, logits = (ready.pop(name, None) for name in ("mask", "weight", "log_weight"))
        if logits is not None:
            return self._by_logits(o, x, logits, mask)
        if not self.parts:
            return pooled(FOLDS[self.base.kind](o, self.base, **ready), x, mask)
        if self.base.spec.selects:
            return self._chosen(o, x, runs, mask), None
        ones = None if mask is None else o.cast(mask, self.work)
        if weight is not None:
            weight = weight if mask is None else o.where(mask, weight, 0)
        total, divisor = self._total(o, x, runs[0], mask, weight, ones), self.base.spec.divisor_override
        if divisor is not None:
            return o.divide(total, float(divisor)), None
        if len(runs) == 1:
            return total, None
        if weight is None:
            count = o.running(ones, at) if (at := self._few()) else runs[1](ones)[0]
            return o.divide(total, o.clip(count, 1, math.inf)), None  # of a window without a real cell it is 0
        sums = runs[1](weight)[0]
        empty = o.equal(sums, 0)  # weights may add up to 0 where their products do not
        return o.where(empty, 0, o.quotient(total, o.where(empty, 1, sums))), None

    def _total(
        self, o: Ops, x: Tensor, run: Run, mask: Tensor | None, weight: Tensor | None, ones: Tensor | None
    ) -> Tensor:
        """The sum of each window."""
        if self.way != "fold":
            return tried(o, x, mask, ones, self.base, run, self.way)
        x = x if mask is None else o.where(mask, x, 0)
        return run(x if weight is None else o.multiply(x, weight))[0]

    def _few(self) -> tuple[int, ...]:
        """The axes, where all are whole, and ones so few that their sum is exact however they are added; else none."""
        whole = tuple([a.at for a in self.axes if a.form == "whole"])
        few = self.base.known and len(whole) == len(self.axes) and math.prod([a.n for a in self.axes]) < EXACT
        return whole if few else ()

    def _by_logits(self, o: Ops, x: Tensor, logits: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """A masked cell has the weight 0."""
        if mask is not None:
            x, logits = o.where(mask, x, 0), o.where(mask, logits, -math.inf)
        kind = LogWeighted(o, self.base, logits)
        return kind.finish(fold(o, kind, kind.lift(x), self.axes), x)

    def _chosen(self, o: Ops, x: Tensor, runs: Sequence[Run], mask: Tensor) -> Tensor:
        """The largest real cell: what is masked holds what nothing is smaller than."""
        least = bounds(self.work)[self.base.spec.kind == "min"]
        values = runs[0](o.where(mask, x, least))[0]
        return o.where(o.greater(runs[1](o.cast(mask, self.work))[0], 0), values, 0)

    def ready(self, o: Ops, x: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The further tensors in the forms in which kinds take them."""
        return {f.name: self._ready(o, x, f, tensors[f.name]) for f in self.further}

    def _samples(self, o: Ops, f: Further, t: Tensor) -> Tensor:
        """With the axes of the result before any is dropped."""
        if KINDS[self.base.kind].spreads or KINDS[self.base.kind].strips:
            return t if f.dtype == "float32" else o.cast(t, "float32")
        for at in dropped(self):
            t = o.expand(t, at)
        return t if f.dtype == self.work else o.cast(t, self.work)

    def _ready(self, o: Ops, x: Tensor, f: Further, t: Tensor) -> Tensor:
        """With the input's axes, and a mask as a condition."""
        if f.name == "samples":
            return self._samples(o, f, t)
        if f.name == "key":
            return t if f.dtype == "int32" else o.cast(t, "int32")
        if f.name in self.base.spec.learned:
            at = max(channel(self.base.spec, self.rank), 0)
            line = o.of_rank(1).reshape(t, tuple([-1 if i == at else 1 for i in range(self.rank)]))
            return line if f.dtype == self.work else o.cast(line, self.work)
        if f.rank < self.rank:
            t = o.expand(t, channel(self.base.spec, self.rank))
        if f.name == "mask":
            t = t if f.dtype == "bool" else o.greater(t, 0)
        elif f.dtype != self.work:
            t = o.cast(t, self.work)
        for a, n in zip(self.axes, f.sizes, strict=True):
            if n is None:  # a size of 1 that nobody knew must not count once for a whole axis
                t = o.lengthened(t, x, a.at)
        return t


class Masked(Kind):
    """Any fold over the cells that a mask leaves: the count of real cells is part of its state.

    A run of cells without a real one is skipped, and so is padding, whose count is 0.
    """

    def __init__(self, kind: Kind, mask: Tensor) -> None:
        super().__init__(kind.o, kind.plan)
        self.kind, self.mask = kind, mask

    def lift(self, x: Tensor) -> State:
        o = self.o
        state = self.kind.lift(o.where(self.mask, x, 0))
        if self.kind.neutral is not None:
            state = tuple(o.where(self.mask, t, v) for t, v in zip(state, self.kind.neutral, strict=True))
        self.neutral = (0, *(self.kind.neutral or (0,) * len(state)))
        return o.cast(self.mask, "int32"), *state

    def combine(self, a: State, b: State) -> State:
        o = self.o
        state = self.kind.combine(a[1:], b[1:])
        if self.kind.neutral is None:
            early, late = o.greater(a[0], 0), o.greater(b[0], 0)
            state = tuple(o.where(early, both, t) for both, t in zip(state, b[1:], strict=True))
            state = tuple(o.where(late, kept, t) for kept, t in zip(state, a[1:], strict=True))
        return o.add(a[0], b[0]), *state

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        """Cells that are not inside hold the neutral state, as masked ones do."""
        o = self.o
        if self.kind.neutral is not None:
            return o.integer_sum(s[0], tuple(a.at for a in axes)), *self.kind.reduce(s[1:], axes)
        count, state = s[0], s[1:]
        for a in reversed(axes):
            state = self.kind.reduce(state, (a,), o.greater(count, 0))
            count = o.integer_sum(count, (a.at,))
        return count, *state

    def cells(self, s: State, a: Axis) -> list[State]:
        return self.kind.cells((self.o.broadcast(s[0], s[1]), *s[1:]), a)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        return finished(self.kind, s[0], s[1:], like)


def pooled(kind: Kind, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """By the primitives alone: a fold, or what is given all cells of each window."""
    if isinstance(kind, Taps):
        return kind.of_windows(x, mask)
    whole = kind if mask is None else Masked(kind, mask)
    return whole.finish(fold(kind.o, whole, whole.lift(x), kind.plan.axes), x)


def finished(kind: Kind, count: Tensor, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
    """0 in a window without a real cell, whose index is -1; no gradient comes through it."""
    o = kind.o
    real = o.greater(count, 0)
    cell = kind.nothing(o.cast(o.multiply(count, 0), kind.plan.work))  # 0, of which there is a value and a gradient
    kind.counted = o.cast(o.where(real, count, 1), kind.plan.work)
    values, indices = kind.finish(tuple(o.where(real, t, z) for t, z in zip(s, cell, strict=True)), like)
    return o.where(real, values, 0), None if indices is None else o.where(real, indices, -1)


def weighed(base: Plan, further: tuple[Further, ...], size: Callable[[int], tuple[Any, bool]]) -> WeighedPlan:
    """A pooling's plan with further tensors, whose shapes fit; `size` is that of the input's axes."""
    spec = base.spec
    if spec.count_include_pad:
        names = " and ".join([f.name for f in further])
        raise InputError(
            f"received {names} with count_include_pad=True, and whether a cell that is not there counts as padding "
            f"does is not defined; leave one out, or give divisor_override"
        )
    given = [f.name for f in further]
    if "log_weight" in given and (spec.divisor_override is not None or "weight" in given):
        other = "weight" if "weight" in given else f"divisor_override={spec.divisor_override}"
        raise InputError(
            f"received log_weight with {other}, and an average with logarithms of weights divides by the sum of these "
            f"weights; leave one out"
        )
    lasting = tuple([f._replace(sizes=_pooled_sizes(base, f, size)) for f in further])  # none of the batch
    parts = () if "log_weight" in given else _parts(base)
    narrow = all(f.rank < base.rank or f.sizes[channel(spec, base.rank)] == 1 for f in further)
    return WeighedPlan(spec, parts, base.axes, base.rank, base.dtype, base.work, base, narrow=narrow, further=lasting)


def _parts(base: Plan) -> tuple[Plan, ...]:
    """What is pooled by routes: the sums of cells and of weights, or extremes and whether there is a real cell."""

    def part(kind: str) -> Plan:
        spec = base.spec.replace(kind=kind, divisor_override=None, options=())
        return dataclasses.replace(base, spec=spec, dtype=base.work)

    if base.kind == "avg":
        return (part("sum"),) if base.spec.divisor_override is not None else (part("sum"), part("sum"))
    if base.kind == "sum":
        return (part("sum"),)
    return (part(base.kind), part("max")) if base.kind in ("max", "min") and not base.spec.indices else ()


def _pooled_sizes(base: Plan, f: Further, size: Callable[[int], tuple[Any, bool]]) -> tuple[int | None, ...]:
    """A tensor's sizes on the pooled axes, where it and the input tell them; `ShapeError` where it does not fit."""
    at = channel(base.spec, base.rank)
    if f.name in base.spec.learned:
        _check_learned(base, f, size(at) if at >= 0 else (1, True))
        return ()
    if f.name in RANDOM:
        (_check_samples if f.name == "samples" else _check_key)(base, f, size)
        return ()
    left = [i for i in range(base.rank) if f.rank == base.rank or i != at]
    fits = len(left) == f.rank
    sizes = dict(zip(left, f.sizes, strict=False))
    for i, n in sizes.items():
        wanted, known = size(i)
        if known and n is not None and n != wanted and not (i == at and n == 1):
            fits = False
    if not fits:
        forms = " or ".join(dict.fromkeys([base.letters.replace("C", ""), base.letters]))
        raise ShapeError(
            f"received {f.name} of shape {f.sizes} for {quoted(str(base.spec))}, and it has the input's own sizes "
            f"on the axes {forms}, or 1 for C; give one number for each of these cells"
        )
    return tuple([sizes[a.at] if a.known else None for a in base.axes])


def _check_samples(base: Plan, f: Further, size: Callable[[int], tuple[Any, bool]]) -> None:
    """`ShapeError` where there is not one for each number of the result; `DtypeError` where they are no fractions."""
    if f.dtype not in FLOATS:
        raise DtypeError(
            f"received samples of dtype {f.dtype}, and a sample is a number from 0 to below 1; "
            f"give {' or '.join(FLOATS)}"
        )
    sizes = [size(at) for at in range(base.rank)]
    windows = {a.at: a.out if a.known else None for a in base.axes}
    shape = [windows.get(at, n if known else None) for at, (n, known) in enumerate(sizes)]
    wanted, rule = [n for at, n in enumerate(shape) if at not in dropped(base)], "each number of the result is drawn"
    if KINDS[base.kind].spreads:
        wanted, rule = [*[shape[at] for at in batch(base)], len(base.axes)], "each axis of a channel is divided"
    if KINDS[base.kind].strips:
        lines = [a.sliding.out for a in base.axes]
        wanted, rule = [max(lines) if base.known else None, len(base.axes)], "each row and each column is drawn"
    wrong = [n for n, m in zip(wanted, f.sizes, strict=False) if n is not None and m is not None and n != m]
    if len(wanted) != f.rank or len(wrong) > 0:
        raise ShapeError(
            f"received samples of shape {f.sizes} for {quoted(str(base.spec))}, and {rule} by one of its own; "
            f"give them the shape {tuple(wanted)}"
        )


def _check_key(base: Plan, f: Further, size: Callable[[int], tuple[Any, bool]]) -> None:
    if f.dtype not in ("int32", "uint32", "int64"):
        raise DtypeError(f"received a key of dtype {f.dtype}, and a key is two integers; give pk.Key(0), or its words")
    if f.rank != 1 or f.sizes[0] not in (None, 2):
        raise ShapeError(
            f"received a key of shape {f.sizes} for {quoted(str(base.spec))}, and a key is two integers, as those of "
            f"pk.Key(0).words, or of a JAX key of threefry2x32; give one key for the whole input"
        )


def _check_learned(base: Plan, f: Further, channels: tuple[Any, bool]) -> None:
    """`ShapeError` where a tensor in the place of an option has neither one number nor one for each channel."""
    n, known = channels
    many = f.sizes[0] if f.rank == 1 else 1
    if f.rank > 1 or (known and many not in (None, 1, n)) or (many not in (None, 1) and "C" not in base.letters):
        raise ShapeError(
            f"received {f.name} of shape {f.sizes} for {quoted(str(base.spec))}, and in the place of an option stands "
            f"one number, or one for each channel{f', {n} here' if known else ''}; give it one of these shapes"
        )
