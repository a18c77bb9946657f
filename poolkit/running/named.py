"""Programs by name, for a compiler that reads Python: of what it calls as a constant, it takes no function."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from poolkit.lowering.lower import FIXED
from poolkit.running import dispatch, layers
from poolkit.running.dispatch import MOST, NAMED, NAMES, keep
from poolkit.running.further import facts_of, situation_of, taken
from poolkit.running.lowered import recorded_of

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter
    from poolkit.spec.operation import Operation

__all__ = ["NAMED", "STAND_INS", "Told", "name_of"]

STAND_INS = layers.pool, layers.pool_through, dispatch.direct
_NUMBERS = itertools.count()


class Told(NamedTuple):
    """What is known of a tensor while it is traced; a size that is a symbol is None."""

    dtype: Any
    device: Any
    shape: tuple[int | None, ...]

    @property
    def ndim(self) -> int:
        return len(self.shape)


def name_of(adapter: Adapter, spec: Operation, route: str | None, x: Told, given: Mapping[str, Told]) -> str | None:
    """The name that the program has in `NAMED`; None where the tensors or the sizes are not what it takes."""
    tensors = taken(spec, given)
    if len(tensors) < len(given) or (route == FIXED and None in x.shape):
        return None
    further = tuple([facts_of(adapter, name, t, x.ndim) for name, t in tensors.items()])
    facts = spec, adapter.dtype(x), x.shape, further, situation_of(adapter, x, tensors), route
    if facts not in NAMES:
        name = f"pool_{next(_NUMBERS)}"
        setattr(NAMED, name, recorded_of(adapter, *facts).function)
        oldest = keep(NAMES, facts, name, MOST)
        if oldest is not None:
            delattr(NAMED, oldest)
    return NAMES[facts]
