"""What a spec does along each spatial axis, whatever its letters and wherever batch and channels stand."""

from __future__ import annotations

import functools
from typing import Any

from poolkit.lowering.geometry import MORE_SPATIAL, SPATIAL
from poolkit.spec.kinds import KINDS
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

PER_SPEC = ("ceil_mode", "count_include_pad", "divisor_override", "options")  # fields that are not of an axis


def letters(spec: PoolSpec, count: int) -> str:
    return spec.spatial or standard(count)


def standard(count: int) -> str:
    return SPATIAL.get(count, MORE_SPATIAL[:count])


def plain(spec: PoolSpec, count: int) -> PoolSpec:
    """The spec on an input that has nothing but spatial axes, with an entry for each of them, pooled or not."""
    fields = {name: _spread(spec, name, left, count) for name, left in _of_axis(spec).items()}
    fields |= _of_all(spec)
    return PoolSpec(spec.kind, layout=standard(count), **fields)


def _of_all(spec: PoolSpec) -> dict[str, Any]:
    """The others."""
    fields: dict[str, Any] = {name: getattr(spec, name) for name in PER_SPEC}
    return fields if not KINDS[spec.kind].strips else {**fields, "options": ()}


def _of_axis(spec: PoolSpec) -> dict[str, Any]:
    """The fields that have an entry for each axis, and the one that leaves an axis as it is."""
    if KINDS[spec.kind].spreads:
        return {name: left for name, left in (("output_size", None), ("window", 1)) if getattr(spec, name) is not None}
    sliding = {"window": 1, "stride": 1, "dilation": 1, "padding": (0, 0)}
    if KINDS[spec.kind].strips:
        sliding["grid"] = 1
    return {"output_size": None} if spec.window is None else sliding


def _spread(spec: PoolSpec, name: str, left: Any, count: int) -> Any:
    value = _value(spec, name)
    if isinstance(value, str):
        return value
    if spec.axes is None:
        return value if is_many(value) else (value,) * count
    at = dict(zip(spec.axes, value, strict=True))
    return tuple(at.get(letter, left) for letter in spec.spatial or "")


def _value(spec: PoolSpec, name: str) -> Any:
    """A field; the cells of a strip one for each pooled axis, where the layout names these."""
    if name != "grid":
        return getattr(spec, name)
    grid = dict(spec.options)[name]
    return spec.stride if grid is None else grid if is_many(grid) or spec.axes is None else (grid,) * len(spec.axes)


@functools.lru_cache(512)
def one_axis(spec: PoolSpec, i: int) -> PoolSpec:
    """What a spec from `plain` does along one axis; the other fields stay."""
    fields = _of_all(spec)
    if is_many(ratios := dict(spec.options).get("output_ratio")):
        fields["output_ratio"] = (ratios[i],)
    fields |= {name: (value[i],) if is_many(value := _value(spec, name)) else value for name in _of_axis(spec)}
    return PoolSpec(spec.kind, layout="L", **fields)
