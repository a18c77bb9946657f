"""What a mix is: its parts by their own definition, added with coefficients, or side by side along the channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from poolkit_conformance import oracle
from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import FLOATS, NONE, Array, Tensors
from poolkit_conformance.tolerances import SELECTIONS
from poolkit_conformance.windows import NoAnswerError, channel_axis, pooled_axes

COEFFICIENTS = "coefficients"


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """The values of all parts, and the magnitudes: a selection that is multiplied is rounded once."""
    found = [oracle.answer(part, x, _taken(part, tensors)) for part in spec.parts]
    if len({part.values.shape for part in found}) > 1:
        raise NoAnswerError("parts of different sizes")
    sizes = [part.magnitude for part in found]
    given = _given(spec, tensors, found[0].values)
    if spec.coefficients is not None:
        sizes = [np.maximum(size, np.abs(part.values)) for size, part in zip(sizes, found, strict=True)]
    exact = spec.coefficients is None and all(part.kind in SELECTIONS for part in spec.parts)
    dtype = x.dtype.name if exact or x.dtype.name in FLOATS else "float32"
    values = _joined(spec, x, [part.values for part in found], given)
    return Answer(values, _joined(spec, x, sizes, given, np.abs), np.zeros(values.shape), np.zeros(values.shape), dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """What all parts give to a tensor, each for its share of the cotangent."""
    if by == COEFFICIENTS:
        return _by_coefficients(spec, x, cotangent, tensors)
    shares = _shares(spec, x, cotangent, tensors)
    return added([oracle.vjp(p, x, g, _taken(p, tensors), by) for p, g in shares if _depends(p, by)])


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """The same of the second derivative."""
    if by == COEFFICIENTS:
        shape = tensors[by].shape
        return Derivative(np.zeros(shape), np.zeros(shape), np.ones(shape, bool))
    shares = _shares(spec, x, cotangent, tensors)
    return added([oracle.second(p, x, g, tangent, _taken(p, tensors), by) for p, g in shares if _depends(p, by)])


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How the parts change, mixed as they are."""
    if by == COEFFICIENTS:
        parts = [oracle.answer(part, x, _taken(part, tensors)) for part in spec.parts]
        moved = _spread(spec, tangent, parts[0].values)
        sizes = [np.abs(part.values) + part.magnitude for part in parts]
        total = _joined(spec, x, [part.values for part in parts], moved)
        return Derivative(total, _joined(spec, x, sizes, moved, np.abs), np.isfinite(total))
    found = [oracle.jvp(part, x, tangent, _taken(part, tensors), by) for part in spec.parts if _depends(part, by)]
    assert len(found) == len(spec.parts) or spec.coefficients is not None
    given = _given(spec, tensors, found[0].values)
    shares = [c for c, part in zip(given or (), spec.parts, strict=False) if _depends(part, by)]
    values, sizes = ([getattr(d, name) for d in found] for name in ("values", "magnitude"))
    if spec.coefficients is None:
        defined = _joined(spec, x, [d.defined for d in found], None)
        return Derivative(_joined(spec, x, values, None), _joined(spec, x, sizes, None), defined)
    total = sum(c * v for c, v in zip(shares, values, strict=True))
    size = sum(np.abs(c) * s for c, s in zip(shares, sizes, strict=True))
    return Derivative(np.asarray(total), np.asarray(size), np.logical_and.reduce([d.defined for d in found]))


def _taken(part: Any, tensors: Tensors) -> Tensors:
    return {
        name: t for name, t in tensors.items() if name == "mask" or (name == "weight" and part.kind in ("avg", "sum"))
    }


def _depends(part: Any, by: str) -> bool:
    return by in _taken(part, {by: np.zeros(0)}) or by == "x"


def _given(spec: Any, tensors: Tensors, like: Array) -> list[Any] | None:
    """What each part is multiplied by: numbers, or tensors like the result."""
    if COEFFICIENTS in tensors:
        return _spread(spec, tensors[COEFFICIENTS], like)
    return None if spec.coefficients is None else list(spec.coefficients)


def _spread(spec: Any, t: Array, like: Array) -> list[Any]:
    each = t.astype(np.float64)
    return [np.broadcast_to(c, like.shape) for c in (each if each.ndim > 1 else each.tolist())]


def _by_coefficients(spec: Any, x: Array, cotangent: Array, tensors: Tensors) -> Derivative:
    """What each part gives, times the cotangent, added up over the results that share a number."""
    t, g = tensors[COEFFICIENTS], cotangent.astype(np.float64)
    parts = [oracle.answer(part, x, _taken(part, tensors)) for part in spec.parts]
    values = [_gathered(g * part.values, t.shape[1:]) for part in parts]
    sizes = [_gathered(np.abs(g) * (np.abs(part.values) + part.magnitude), t.shape[1:]) for part in parts]
    total = np.stack(values)
    return Derivative(total, np.stack(sizes), np.isfinite(total))


def _gathered(t: Array, shape: tuple[int, ...]) -> Array:
    if not shape:
        return np.asarray(t.sum())
    ats = tuple(at for at, n in enumerate(shape) if n == 1)
    return np.asarray(t.sum(ats, keepdims=True))


def _joined(
    spec: Any, x: Array, parts: list[Array], given: list[Any] | None, share: Callable[[Any], Any] = lambda c: c
) -> Array:
    if given is None:
        return np.concatenate(parts, _channels(spec, x.ndim))
    return np.asarray(sum(share(c) * part for c, part in zip(given, parts, strict=True)))


def _shares(spec: Any, x: Array, cotangent: Array, tensors: Tensors) -> list[tuple[Any, Array]]:
    """Each part with what of the cotangent is its own."""
    g = cotangent.astype(np.float64)
    if spec.coefficients is None:
        own = np.split(g, len(spec.parts), _channels(spec, x.ndim))
    else:
        own = [c * g for c in _given(spec, tensors, g) or ()]
    return list(zip(spec.parts, own, strict=True))


def _channels(spec: Any, rank: int) -> int:
    """The axis of the channels in the result."""
    at = channel_axis(spec, rank)
    return at if spec.keepdims else at - sum(axis < at for axis in pooled_axes(spec, rank))


def added(parts: list[Derivative]) -> Derivative:
    total, size = (np.asarray(sum(getattr(p, name) for p in parts)) for name in ("values", "magnitude"))
    return Derivative(total, size, np.logical_and.reduce([p.defined for p in parts]))
