"""Pyramids resolved on an input, and lowered: each level by a route of its own; in one vector where that is asked."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.geometry import Axis, positions
from poolkit.lowering.plan import AnyPlan, Composite, Run, channel
from poolkit.lowering.shapes import output_shape

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.operation import Further, Size, Widen
    from poolkit.spec.pyramid import Pyramid


@dataclasses.dataclass(frozen=True)
class PyramidPlan(Composite):
    """A pyramid together with what an input settles; `channels` is None where no vector needs their number."""

    spec: Pyramid
    channels: int | None
    whole = True

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Any, None]:
        maps = [run(x, **tensors)[0] for run in runs]
        if self.spec.several:
            return tuple(maps), None
        flat = [self._flat(o, x, values, part) for values, part in zip(maps, self.parts, strict=True)]
        return o.concat(flat, len(outer_axes(self.spec, self.rank))), None

    def _flat(self, o: Ops, x: Tensor, values: Tensor, part: AnyPlan) -> Tensor:
        """The channels and bins of a map as its last axis."""
        at, outer = channel(self.spec, self.rank), outer_axes(self.spec, self.rank)
        inner = ([] if at < 0 else [at]) + [a.at for a in part.axes]
        order = (*outer, *inner)
        turned = values if order == tuple(range(self.rank)) else o.permute(values, order)
        sizes = [a.n if a.form == "keep" else a.out for a in part.axes]
        sizes.append(o.size(x, at) if self.channels is None else self.channels)
        # Those that are known make one number, at which the channels, a symbol perhaps, come last.
        return o.merge(turned, len(inner), functools.reduce(lambda a, b: a * b, sizes))


def outer_axes(spec: Pyramid, rank: int) -> tuple[int, ...]:
    """The axes that a vector stands behind."""
    inner = {channel(spec, rank), *positions(spec, rank)}
    return tuple([at for at in range(rank) if at not in inner])


def plan_of_pyramid(
    spec: Pyramid, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()
) -> PyramidPlan:
    """A plan for each level, of the same tensors."""
    parts = tuple([part.plan(rank, dtype, size, widen, further) for part in spec.parts])
    at = channel(spec, rank)
    n, known = size(at) if at >= 0 else (1, True)
    channels = n if known and spec.flatten else None
    lasting = tuple([f._replace(sizes=()) for f in further])
    return PyramidPlan(
        spec, parts, _axes(parts[0], channel(spec, rank), channels), rank, dtype, dtype, channels, further=lasting
    )


def _axes(part: AnyPlan, at: int, channels: int | None) -> tuple[Axis, ...]:
    """Those that are pooled; with the channels, where a program is for their number alone."""
    if channels is None or at < 0:
        return part.axes
    return tuple(sorted([Axis(at, "C", "keep", channels, True), *part.axes], key=lambda a: a.at))


def shape_of_pyramid(spec: Pyramid, shape: tuple[int | None, ...]) -> tuple[Any, ...]:
    """The shapes of the maps, or that of the vector, without a look at the input's: sizes may be a tracer's."""
    shapes = [output_shape(part, shape) for part in spec.parts]
    if spec.several:
        return tuple(shapes)
    outer = outer_axes(spec, len(shape))
    inner = [[n for at, n in enumerate(sizes) if at not in outer] for sizes in shapes]
    count = None if any(None in sizes for sizes in inner) else sum([math.prod([n or 0 for n in one]) for one in inner])
    return (*[shape[at] for at in outer], count)
