"""Which specs a caveat is about: predicates on the normal form."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

Concerns = Callable[[PoolSpec], bool]


def windows(*kinds: str, axes: int | None = None, cells: int = 0) -> Concerns:
    """Windows of these kinds, over that many spatial axes, of at least so many cells.

    >>> [windows("avg", cells=100)(PoolSpec("avg", window=k, layout="NCHW")) for k in (3, 16)]
    [False, True]
    """

    def concerns(spec: PoolSpec) -> bool:
        if spec.kind not in kinds or spec.window is None or axes not in (None, len(spec.spatial or "")):
            return False
        return isinstance(spec.window, int) or prod(spec.window) >= cells

    return concerns


def bins(*kinds: str) -> Concerns:
    """Adaptive bins of these kinds, more than one on some axis.

    >>> [bins("max")(PoolSpec("max", output_size=n, layout="NCHW")) for n in (1, 7)]
    [False, True]
    """
    return lambda spec: spec.kind in kinds and spec.window is None and not is_all(spec.output_size, 1)


def whole(*kinds: str, axes: int | None = None) -> Concerns:
    """Pooling of everything, of these kinds, over that many spatial axes.

    >>> [whole("max")(PoolSpec("max", output_size=n, layout="NCHW")) for n in (1, 7)]
    [True, False]
    """

    def concerns(spec: PoolSpec) -> bool:
        if axes not in (None, len(spec.spatial or "")):
            return False
        return spec.kind in kinds and spec.window is None and is_all(spec.output_size, 1)

    return concerns


def any_of(*several: Concerns) -> Concerns:
    """What one of several is about.

    >>> any_of(windows("max"), bins("max"))(PoolSpec("max", output_size=7, layout="NCHW"))
    True
    """
    return lambda spec: any(concerns(spec) for concerns in several)
