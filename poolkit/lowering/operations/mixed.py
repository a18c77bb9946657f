"""Mixes resolved on an input, and lowered: each part by a route of its own, then added or put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from poolkit.errors import DtypeError, ShapeError
from poolkit.lowering.geometry import positions
from poolkit.lowering.plan import Composite, Run, channel, dropped
from poolkit.lowering.shapes import output_shape
from poolkit.spec.dtypes import FLOATS
from poolkit.spec.messages import quoted
from poolkit.spec.mix import COEFFICIENTS

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.mix import Mix
    from poolkit.spec.operation import Further, Size, Widen


class MixPlan(Composite):
    """A mix together with what an input settles."""

    spec: Mix

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        values = [run(x, **tensors)[0] for run in runs]
        if self.spec.coefficients is None:
            return o.concat(values, channel(self.spec, self.rank)), None
        if COEFFICIENTS in tensors:
            given = self._each(o, tensors[COEFFICIENTS])
            weighted = [o.multiply(v, c) for c, v in zip(given, values, strict=True)]
        else:
            weighted = [v if c == 1 else o.multiply(v, c) for c, v in zip(self.spec.coefficients, values, strict=True)]
        total = weighted[0]
        for other in weighted[1:]:
            total = o.add(total, other)
        return total, None

    def _each(self, o: Ops, t: Tensor) -> list[Tensor]:
        """What each part is multiplied by, with the axes of the result before any is dropped."""
        rank, dtype = next((f.rank, f.dtype) for f in self.further if f.name == COEFFICIENTS)
        own = o.of_rank(rank)
        t = t if dtype == self.work else own.cast(t, self.work)
        parts = [own.slice(t, 0, i, i + 1, 1) for i in range(len(self.parts))]
        if rank == 1:
            return [own.reshape(part, (1,) * self.rank) for part in parts]
        parts = [own.drop(part, (0,)) for part in parts]
        for n, at in enumerate(dropped(self)):
            parts = [o.of_rank(rank - 1 + n).expand(part, at) for part in parts]
        return parts


def plan_of_mix(
    mix: Mix, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()
) -> MixPlan:
    """A plan for each part, all in the dtype in which they are mixed, with those of the tensors that it takes."""
    work = mix.work_dtype(dtype, widen)
    taken = [tuple([f for f in further if f.name in names]) for names in mix.given()]
    parts = tuple([part.plan(rank, work, size, widen, some) for part, some in zip(mix.parts, taken, strict=True)])
    _check(mix, rank, further, size)
    if all(part.known for part in parts):
        sizes = [size(at) for at in range(rank)]
        shape_of_mix(mix, [n if known else None for n, known in sizes])  # a ShapeError where they differ
    return MixPlan(mix, parts, parts[0].axes, rank, dtype, work, further=tuple([f._replace(sizes=()) for f in further]))


def _check(mix: Mix, rank: int, further: Sequence[Further], size: Size) -> None:
    """What stands in the place of the coefficients: floats, one a part, or for each one that meets the results."""
    for f in [f for f in further if f.name == COEFFICIENTS]:
        if f.dtype not in FLOATS:
            raise DtypeError(
                f"received coefficients of dtype {f.dtype}, and pools are multiplied by floats; "
                f"give {' or '.join(FLOATS)}"
            )
        sizes = [size(at) for at in range(rank)]
        shape = (len(mix.parts), *shape_of_mix(mix, [n if known else None for n, known in sizes]))
        wrong = [n for n, m in zip(f.sizes[1:], shape[1:], strict=False) if n not in (None, 1, m) and m is not None]
        if f.sizes[0:1] not in ((None,), shape[:1]) or f.rank not in (1, len(shape)) or wrong:
            raise ShapeError(
                f"received coefficients of shape {f.sizes} for {quoted(str(mix))}, and there is one for each part, or "
                f"for each part one for every result; give them the shape {shape[:1]} or {shape}, with 1 in the place "
                "of a size along which they are the same"
            )


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
