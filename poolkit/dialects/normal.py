"""The normal form of a spec: one for all specs that give the same numbers, indices and shapes on every input.

>>> from poolkit import PoolSpec
>>> normal(PoolSpec("max", window=3, stride=1, padding="same", layout="NCL"))
PoolSpec("max", window=3, stride=1, padding=1, layout="NCL")
"""

from __future__ import annotations

from math import prod
from typing import Any

from poolkit.spec.kinds import KINDS
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

Pairs = tuple[tuple[int, int], ...]


def normal(spec: PoolSpec) -> PoolSpec:
    """The spec without what says nothing, such as counted padding where there is none."""
    if spec.axes is None or KINDS[spec.kind].spreads or KINDS[spec.kind].strips:
        return spec
    if spec.window is None:
        return _normal_adaptive(spec)
    changes = _normal_window(spec)
    if KINDS[spec.kind].adds:
        changes |= _normal_divisor(spec, changes["padding"], changes["ceil_mode"])
    if not spec.indices:  # indices count along the pooled axes alone
        changes = _spread(spec, changes)
    kept: dict[str, Any] = {"kind": spec.kind, "layout": spec.layout, "indices": spec.indices, "options": spec.options}
    return PoolSpec(**(kept | changes))


def _normal_adaptive(spec: PoolSpec) -> PoolSpec:
    if spec.axes == spec.spatial or spec.indices or not spec.keepdims:
        return spec
    bins: Any = spec.output_size
    sizes: dict[str, int | None] = dict(zip(spec.axes or "", bins, strict=True))
    return spec.replace(axes=spec.spatial, output_size=tuple(sizes.get(letter) for letter in spec.spatial or ""))


def _normal_window(spec: PoolSpec) -> dict[str, Any]:
    window: Any = spec.window
    stride: Any = spec.stride
    dilation: Any = tuple(1 if k == 1 else d for k, d in zip(window, spec.dilation, strict=True))  # type: ignore[arg-type]
    reach = tuple(d * (k - 1) for k, d in zip(window, dilation, strict=True))
    return {
        "axes": spec.axes,
        "window": window,
        "stride": stride,
        "dilation": dilation,
        "padding": _normal_padding(spec.padding, stride, reach),
        "ceil_mode": spec.ceil_mode and not is_all(stride, 1),
        "count_include_pad": spec.count_include_pad,
        "divisor_override": spec.divisor_override,
    }


def _normal_padding(padding: Any, stride: tuple[int, ...], reach: tuple[int, ...]) -> Any:
    """Pairs where a word for padding means the same ones at every size, as `same` does with stride 1 or window 1."""
    pairs: Pairs | None = None
    if padding == "causal":
        pairs = tuple((r, 0) for r in reach)
    elif padding in ("same", "same_lower") and (is_all(stride, 1) or not any(reach)):
        less, more = tuple(r // 2 for r in reach), tuple(r - r // 2 for r in reach)
        low, high = (less, more) if padding == "same" else (more, less)
        pairs = tuple(zip(low, high, strict=True))
    return padding if pairs is None else pairs


def _normal_divisor(spec: PoolSpec, padding: Any, ceil_mode: bool) -> dict[str, Any]:
    padded = padding not in ("valid", ((0, 0),) * len(spec.axes or ""))
    divisor = spec.divisor_override if KINDS[spec.kind].averages else 1
    if not padded and not ceil_mode and divisor == prod(spec.window):  # type: ignore[arg-type]
        divisor = None
    if divisor == 1:
        return {"kind": "sum", "count_include_pad": False, "divisor_override": None}
    counted = spec.count_include_pad and padded and divisor is None
    return {"kind": "avg", "count_include_pad": counted, "divisor_override": divisor}


def _spread(spec: PoolSpec, changes: dict[str, Any]) -> dict[str, Any]:
    """The same with an entry for every spatial axis: a window of 1 leaves an axis as it is."""
    spatial, axes = spec.spatial or "", spec.axes or ""
    if spatial == axes:
        return changes
    wide = dict(changes, axes=spatial)
    for name, left in (("window", 1), ("stride", 1), ("dilation", 1), ("padding", (0, 0))):
        value = changes[name]
        if isinstance(value, str):
            continue
        at = dict(zip(axes, value, strict=True))
        wide[name] = tuple(at.get(letter, left) for letter in spatial)
    return wide
