"""What poolkit has to know about NumPy's arrays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from poolkit.lowering.backend import Adapter, Route, Situation
from poolkit.lowering.written import array_in_parts, strip_of
from poolkit_numpy.layers import Pool
from poolkit_numpy.ops import Ops
from poolkit_numpy.routes import PLAIN, ROUTES

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan


def _format(x: Any) -> str | None:
    flags = x.flags
    return PLAIN if flags.c_contiguous and flags.aligned and x.dtype.isnative else None


class NumpyAdapter(Adapter):
    """NumPy: sizes are always known, and no derivative is ever taken."""

    name = "numpy"
    takes = (
        "a plain numpy.ndarray; convert it with numpy.asarray(x) "
        "(a masked array: fill it first, for the mask would be lost)"
    )
    ops = Ops
    layers = Pool
    routes = ROUTES

    def dense(self, x: object) -> bool:
        return isinstance(x, np.ndarray) and not isinstance(x, np.ma.MaskedArray)

    def situation(self, x: Any) -> Situation:
        return Situation(derivative=False, empty=x.size == 0, format=_format(x))

    def wide(self, situation: Situation) -> bool:
        return True

    def branches(self, plan: Any, situation: Situation) -> bool:
        return True

    def key(self, x: Any, spec: Any) -> Hashable:
        try:
            return spec, x.shape, x.dtype, type(x), _format(x)
        except AttributeError:  # a dtype, a generator: something of NumPy's that is no array; `check` says so
            return None

    def over(self, route: Route, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> str:
        """Of NumPy's own windows, which are printed, nothing lies between; others of cells in order run in parts."""
        plain = situation.format == PLAIN or situation.shipped
        return array_in_parts(plan, shape, "np.empty_like") if plain and not route.reference else ""

    def part(self, route: Route, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> AnyPlan:
        return strip_of(plan, shape) if self.over(route, plan, situation, shape) else plan

    def widen(self, dtype: str) -> str | None:
        return dtype

    def from_numpy(self, array: Any) -> Any:
        return array

    def to_numpy(self, t: Any) -> Any:
        return t


ADAPTER = NumpyAdapter()
