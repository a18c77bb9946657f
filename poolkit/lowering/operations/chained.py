"""Chains resolved on an input, and lowered: each part, by a route of its own, on what the one before it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import ShapeError
from poolkit.lowering.axis import Axis
from poolkit.lowering.plan import AnyPlan, Composite, Run, channel
from poolkit.lowering.shapes import output_shape

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.chain import Chain
    from poolkit.spec.operation import Further, Size, Widen


class ChainPlan(Composite):
    """A chain together with what an input settles."""

    spec: Chain
    whole = True

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        kept, dtypes = [x], [self.dtype]
        for run, part in zip(runs, self.parts, strict=True):
            kept.append(run(kept[-1], **tensors)[0])
            dtypes.append(part.result)
        if self.spec.keep is None:
            return kept[-1], None
        alike = [t if dtype == self.result else o.cast(t, self.result) for t, dtype in zip(kept, dtypes, strict=True)]
        return o.concat(alike, channel(self.spec, self.rank)), None


def plan_of_chain(
    chain: Chain, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()
) -> ChainPlan:
    """A plan for each part, with those of the tensors that it takes: but for options, those are the first part's."""
    parts: list[AnyPlan] = []
    now, sizes = dtype, [size(at) for at in range(rank)]
    if all(known for _, known in sizes):
        shape_of_chain(chain, tuple([n for n, _ in sizes]))  # a ShapeError where what stands side by side differs
    for part, names in zip(chain.parts, chain.given(), strict=True):
        its = tuple([f for f in further if f.name in names])
        plan = part.plan(rank, now, sizes.__getitem__, widen, its)
        parts.append(plan)
        now = plan.result
        for a in plan.axes:
            sizes[a.at] = _length(a)
    return ChainPlan(
        chain, tuple(parts), _axes(parts), rank, dtype, dtype, further=tuple([f._replace(sizes=()) for f in further])
    )


def _axes(parts: Sequence[AnyPlan]) -> tuple[Axis, ...]:
    """Those of the input: each as the part sees it that pools it first."""
    met: dict[int, Axis] = {}
    for part in parts:
        for a in part.axes:
            met.setdefault(a.at, a)
    return tuple([met[at] for at in sorted(met)])


def _length(a: Axis) -> tuple[Any, bool]:
    """How many windows an axis has, and whether that is known; arithmetic with a size that is a symbol."""
    same = a.form == "taps" and a.stride == 1 and a.total == a.span - 1
    if a.form == "keep" or same:
        return a.n, a.known
    if a.form == "strips" and not a.known:
        return a.n // a.grid * (a.grid // a.stride), False
    return (a.out, True) if a.out is not None else ((a.n + (a.total - a.span)) // a.stride + 1, False)


def shape_of_chain(chain: Chain, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape of the result, without a look at the input's: sizes may be a tracer's."""
    shapes = [shape]
    for part in chain.parts:
        shapes.append(output_shape(part, shapes[-1]))
    if chain.keep is None:
        return shapes[-1]
    at = channel(chain.parts[0], len(shape))
    for several in zip(*shapes, strict=True):
        if len({n for n in several if n is not None}) > 1:
            raise ShapeError(
                f"received an input of shape {shape}, which {chain} turns into {' and '.join(map(str, shapes[1:]))}; "
                'what stands side by side has one size, so give every part stride=1 and padding="same"'
            )
    known = shapes[-1][at]
    return tuple([n if i != at else None if known is None else known * len(shapes) for i, n in enumerate(shapes[-1])])
