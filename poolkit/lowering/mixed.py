"""Mixes resolved on an input, and lowered: each part by a route of its own, then added or put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import ShapeError
from poolkit.lowering.geometry import positions
from poolkit.lowering.plan import Composite, Run, channel
from poolkit.lowering.shapes import output_shape

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops
    from poolkit.spec.mix import Mix
    from poolkit.spec.operation import Further, Size, Widen

Tensor = Any


class MixPlan(Composite):
    """A mix together with what an input settles."""

    spec: Mix

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        values = [run(x, **tensors)[0] for run in runs]
        if self.spec.coefficients is None:
            return o.concat(values, channel(self.spec, self.rank)), None
        weighted = [v if c == 1 else o.multiply(v, c) for c, v in zip(self.spec.coefficients, values, strict=True)]
        total = weighted[0]
        for other in weighted[1:]:
            total = o.add(total, other)
        return total, None


def plan_of_mix(
    mix: Mix, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()
) -> MixPlan:
    """A plan for each part, all in the dtype in which they are mixed, with those of the tensors that it takes."""
    work = mix.work_dtype(dtype, widen)
    taken = [tuple([f for f in further if f.name in names]) for names in mix.given()]
    parts = tuple([part.plan(rank, work, size, widen, some) for part, some in zip(mix.parts, taken, strict=True)])
    if all(part.known for part in parts):
        sizes = [size(at) for at in range(rank)]
        shape_of_mix(mix, [n if known else None for n, known in sizes])  # a ShapeError where they differ
    return MixPlan(mix, parts, parts[0].axes, rank, dtype, work, further=tuple([f._replace(sizes=()) for f in further]))


def shape_of_mix(mix: Mix, shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape of the result, without a look at the input's: sizes may be a tracer's."""
    shapes = [output_shape(part, shape) for part in mix.parts]
    sizes = [{n for n in several if n is not None} for several in zip(*shapes, strict=True)]
    if any(len(several) > 1 for several in sizes):
        raise ShapeError(
            f"received an input of shape {shape}, on which the parts of {mix} give "
            f"{' and '.join(map(str, shapes))}; they are mixed cell by cell, so give them windows that fit"
        )
    out = list(shapes[0])
    if mix.how == "cat":
        at = channel(mix, len(shape))
        at -= 0 if mix.keepdims else sum(pooled < at for pooled in positions(mix, len(shape)))
        out[at] = None if out[at] is None else out[at] * len(mix.parts)  # type: ignore[operator]
    return tuple(out)
