"""Poolings of which a mask says which cells are real, or weights what each counts: sums and quotients by routes.

A masked cell is as if it were not there, whatever it holds. A window without a real cell, or whose weights add up to 0,
gives 0 with gradient 0. The rule for a tensor's shape: docs/semantics.md.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import InputError, ShapeError
from poolkit.lowering.fold import fold
from poolkit.lowering.geometry import letters_of
from poolkit.lowering.kinds import FOLDS, highest, lowest
from poolkit.lowering.plan import Composite, Plan, Run
from poolkit.spec.messages import quoted

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Ops
    from poolkit.spec.operation import Further
    from poolkit.spec.pool_spec import PoolSpec

Tensor = Any


@dataclasses.dataclass(frozen=True)
class WeighedPlan(Composite):
    """A pooling with further tensors: `base` is its plan without them."""

    base: Plan

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self.base.axes

    @property
    def known(self) -> bool:
        return self.base.known

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        ready = {f.name: self._ready(o, x, f, tensors[f.name]) for f in self.further}
        mask, weight = ready.get("mask"), ready.get("weight")
        if self.base.spec.selects:
            return self._chosen(o, x, runs, mask), None
        if not self.parts:
            return self._folded(o, x, mask), None
        if mask is not None:
            x = o.where(mask, x, 0)
        if weight is None:
            weight = o.cast(mask, self.work)
        else:
            weight = weight if mask is None else o.where(mask, weight, 0)
            x = o.multiply(x, weight)
        return self._quotient(o, runs[0](x)[0], runs, weight), None

    def _quotient(self, o: Ops, total: Tensor, runs: Sequence[Run], weight: Tensor) -> Tensor:
        divisor = self.base.spec.divisor_override
        if divisor is not None:
            return o.divide(total, float(divisor))
        if len(runs) == 1:
            return total
        weights = runs[1](weight)[0]
        empty = o.equal(weights, 0)
        return o.where(empty, 0, o.divide(total, o.where(empty, 1, weights)))

    def _chosen(self, o: Ops, x: Tensor, runs: Sequence[Run], mask: Tensor) -> Tensor:
        """The largest real cell: what is masked holds what nothing is smaller than."""
        low = self.base.spec.kind == "max"
        if self.base.floating:
            least: float | int = -math.inf if low else math.inf
        else:
            least = lowest(self.work) if low else highest(self.work)
        values = runs[0](o.where(mask, x, least))[0]
        return o.where(o.greater(runs[1](o.cast(mask, self.work))[0], 0), values, 0)

    def _folded(self, o: Ops, x: Tensor, mask: Tensor) -> Tensor:
        """Any kind whose state has a value that changes nothing: masked cells have that state."""
        kind = FOLDS[self.base.kind](o, self.base)
        neutral: Any = kind.neutral
        state = kind.lift(o.where(mask, x, 0))
        state = tuple(o.where(mask, t, value) for t, value in zip(state, neutral, strict=True))
        counter = FOLDS["sum"](o, self.base)
        real = o.greater(fold(o, counter, counter.lift(o.cast(mask, self.work)), self.axes)[0], 0)
        state = fold(o, kind, state, self.axes)
        zero = o.multiply(o.cast(real, self.work), 0)
        state = tuple(o.where(real, t, z) for t, z in zip(state, kind.lift(zero), strict=True))
        return o.where(real, kind.finish(state, x)[0], 0)

    def _ready(self, o: Ops, x: Tensor, f: Further, t: Tensor) -> Tensor:
        """With the input's axes, and a mask as a condition."""
        if f.rank < self.rank:
            t = o.expand(t, channel(self.base.spec, self.rank))
        if f.name == "mask":
            t = t if f.dtype == "bool" else o.greater(t, 0)
        elif f.dtype != self.work:
            t = o.cast(t, self.work)
        for a in self.axes if not self.known else ():
            # A size of 1 that nobody knew must not count once for a whole axis.
            line = o.greater(o.iota(x, a.at), -1)
            t = o.both(t, line) if f.name == "mask" else o.where(line, t, 0)
        return t


def weighed(base: Plan, further: tuple[Further, ...], size: Callable[[int], tuple[Any, bool]]) -> WeighedPlan:
    """A pooling's plan with further tensors, whose shapes fit; `size` is that of the input's axes."""
    spec = base.spec
    names = [f.name for f in further]
    if spec.indices or spec.count_include_pad:
        word = "indices" if spec.indices else "count_include_pad"
        raise InputError(
            f"received {' and '.join(names)} with {word}=True, which are not defined together; leave one out"
        )
    for f in further:
        _check_shape(base, f, size)
    known = tuple([f._replace(sizes=()) for f in further])  # a program holds no size of the batch
    return WeighedPlan(spec, _parts(base), base.rank, base.dtype, base.work, base, further=known)


def _parts(base: Plan) -> tuple[Plan, ...]:
    """What is pooled by routes: the sums of cells and of weights, or extremes and whether there is a real cell."""

    def part(kind: str) -> Plan:
        spec = base.spec.replace(kind=kind, divisor_override=None, options=())
        return dataclasses.replace(base, spec=spec, dtype=base.work)

    if base.kind == "avg":
        return (part("sum"),) if base.spec.divisor_override is not None else (part("sum"), part("sum"))
    if base.kind == "sum":
        return (part("sum"),)
    return (part(base.kind), part("max")) if base.spec.selects else ()


def channel(spec: PoolSpec, rank: int) -> int:
    """The position of the channels; -1 where the layout has none."""
    letters = letters_of(spec, rank)
    return rank - len(letters) + letters.index("C") if "C" in letters else -1


def _check_shape(base: Plan, f: Further, size: Callable[[int], tuple[Any, bool]]) -> None:
    at = channel(base.spec, base.rank)
    left = [i for i in range(base.rank) if f.rank == base.rank or i != at]
    fits = len(left) == f.rank
    for i, n in zip(left, f.sizes, strict=True) if fits else ():
        wanted, known = size(i)
        if known and n is not None and n != wanted and not (i == at and n == 1):
            fits = False
    if not fits:
        letters = base.letters
        forms = " or ".join(dict.fromkeys([letters.replace("C", ""), letters]))
        raise ShapeError(
            f"received {f.name} of shape {f.sizes} for {quoted(str(base.spec))}, and it has the input's own sizes "
            f"on the axes {forms}, or 1 for C; give one number for each of these cells"
        )
