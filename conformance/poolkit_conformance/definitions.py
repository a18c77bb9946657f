"""By which module each operation is defined; one that is added gets a row."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import poolkit as pk
from poolkit_conformance import chains, graphs, learned, mixes, oracle, pyramids, regions, segments, unpooling

DEFINITIONS: dict[type, ModuleType] = {
    pk.PoolSpec: oracle,
    pk.Mix: mixes,
    pk.Chain: chains,
    pk.Pyramid: pyramids,
    pk.Learned: learned,
    pk.Segment: segments,
    pk.StructPool: graphs,
    pk.Unpool: unpooling,
    pk.RoiSpec: regions,
}


def definition(spec: Any) -> Any:
    """The module that has `answer`, `vjp`, `jvp` and `second` of an operation."""
    return DEFINITIONS[type(spec)]
