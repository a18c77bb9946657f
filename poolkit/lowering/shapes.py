"""The shape of a result, for an input's shape in which sizes may be unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from poolkit.lowering.geometry import axes_of, positions

if TYPE_CHECKING:
    from poolkit.spec.pool_spec import PoolSpec


class _Unknown:
    """A size that is not to be had: any arithmetic with it gives another."""

    def _same(self, *_: object) -> _Unknown:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __mod__ = __neg__ = _same


def output_shape(spec: PoolSpec, shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape that a spec gives for an input's shape, in which None stands for a size that is not known.

    >>> from poolkit import PoolSpec
    >>> output_shape(PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), (8, 112, None, 64))
    (8, 56, None, 64)
    """
    unknown = _Unknown()
    axes = axes_of(spec, len(shape), lambda at: (unknown, False) if shape[at] is None else (shape[at], True))
    out = list(shape)
    for a in axes:
        out[a.at] = shape[a.at] if a.form == "keep" else a.out
        if a.form == "taps" and a.stride == 1 and a.total == a.span - 1:
            out[a.at] = shape[a.at]
    dropped = () if spec.keepdims else positions(spec, len(shape))
    return tuple(n for at, n in enumerate(out) if at not in dropped)
