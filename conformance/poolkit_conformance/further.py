"""Tensors besides the input: masks and weights in every shape and dtype that docs/semantics.md (13) names.

A recipe is a few words. The first is the shape: "cells" (the layout's axes without C), "one" (with C of size 1), "full"
(the input's own); of samples it is that of the result, "each", or "rows" or "lines", and of a key "key". Then come a
dtype and numbers out of the ordinary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit_conformance.case import FLOATS, Array, Case, Fixed, as_array, generator, numpy_dtype
from poolkit_conformance.fractions import batch_shape
from poolkit_conformance.windows import boxes, channel_axis, counts, layout_of, lines_of, pooled_axes, unpooled_shape

GRAPHS = ("adjacency", "unary", "filter", "compatibility")
DTYPES = (*FLOATS, "bool", "int8", "uint8", "int32", "int64")


def make_further(case: Case) -> dict[str, Array]:
    """The further tensors of a case, by name."""
    return {name: _made(case, name, how) for name, how in case.tensors}


def spread(spec: Any, t: Array, shape: tuple[int, ...]) -> Array:
    """A further tensor with a number for every cell of an input of this shape."""
    at = channel_axis(spec, len(shape))
    return np.broadcast_to(t if t.ndim == len(shape) else np.expand_dims(t, at), shape)


def gathered(spec: Any, whole: Array, t: Array) -> Array:
    """What belongs to every cell of an input, added up over the channels that share a number of `t`."""
    at = channel_axis(spec, whole.ndim)
    if t.shape == whole.shape:
        return whole
    added: Array = whole.sum(at, keepdims=t.ndim == whole.ndim)
    return added


def real(spec: Any, mask: Array, shape: tuple[int, ...]) -> Array:
    """Which cells of an input there are."""
    return spread(spec, mask if mask.dtype == bool else mask > 0, shape)


def _made(case: Case, name: str, how: Any) -> Array:
    if isinstance(how, Fixed):
        return how.array.copy()
    if not isinstance(how, str):
        return as_array(how, None if name in ("mask", "ids", "key", "indices") else numpy_dtype(_float(case.dtype)))
    form, *more = how.split()
    if name == "samples":
        shape = {"rows": _moving, "lines": _lines, "each": _result}[form](case)
        return generator(name, case.name).random(shape).astype(numpy_dtype(more[0] if more else "float32"))
    rng = generator(name, case.name)
    if name in case.spec.parameters:
        weights = case.spec.parameters[name]
        return np.asarray(rng.standard_normal(weights.shape) / 2 + weights.start).astype(numpy_dtype(form))
    if name == "coefficients":
        return _coefficients(case, form, rng).astype(numpy_dtype(more[0] if more else _float(case.dtype)))
    if name == "key":
        return rng.integers(0, 2**31, 2).astype(more[0] if more else "int32")
    if name == "ids":
        return _ids(rng, case, more)
    if name in GRAPHS:
        return _of_graphs(rng, case, name, next((word for word in more if word in DTYPES), _float(case.dtype)))
    if name == "like":
        return rng.standard_normal(unpooled_shape(case.spec, case.shape)).astype("float32")
    if name == "boxes":
        return _boxes(rng, case, more)
    if name == "indices":
        return _indices(rng, case, form).astype(numpy_dtype(more[0] if more else "int64"))
    at = channel_axis(case.spec, len(case.shape))
    shapes = {
        "cells": tuple(n for i, n in enumerate(case.shape) if i != at),
        "one": tuple(1 if i == at else n for i, n in enumerate(case.shape)),
        "full": case.shape,
    }
    made = (_mask if name == "mask" else _weight)(rng, shapes[form], more)
    own = next((word for word in more if word in DTYPES), "bool" if name == "mask" else _float(case.dtype))
    return _numbers(made, own) if name == "mask" else made.astype(numpy_dtype(own))


def _ids(rng: np.random.Generator, case: Case, more: list[str]) -> Array:
    """A segment for each row: numbers that are none among them, and none of the second segment."""
    own = next((word for word in more if word in DTYPES), "int32")
    spec: Any = case.spec
    least, most = 0 if own[0] == "u" else -2, spec.num_segments + 1
    ids = rng.integers(least, most, case.shape[0], endpoint=True)
    ids = np.where(ids == 1, 0, ids) if "dropped" not in more else np.full(case.shape[0], -1)
    return (np.sort(ids) if "sorted" in more else ids).astype(own)


def _of_graphs(rng: np.random.Generator, case: Case, name: str, dtype: str) -> Array:
    """Weighted links, or scores, in the shape that its axes say."""
    (letters,) = case.spec.axes_of(name, case.spec.layout)
    sizes = {**dict(zip(case.spec.layout, case.shape, strict=True)), **case.spec.lengths}
    shape = tuple(sizes[c] or 0 for c in letters)
    links = rng.uniform(0.5, 2, shape) * (rng.random(shape) < 0.5)
    return (links if name == "adjacency" else rng.standard_normal(shape)).astype(numpy_dtype(dtype))


def _boxes(rng: np.random.Generator, case: Case, more: list[str]) -> Array:
    """Boxes of every map: within it, over its edges, beside it, of no size and turned round."""
    spec: Any = case.spec
    sizes = dict(zip(spec.layout, case.shape, strict=True))
    h, w = (sizes[c] / spec.spatial_scale for c in spec.axes)
    x1, y1 = rng.uniform(-0.3, 0.9, 6) * w, rng.uniform(-0.3, 0.9, 6) * h
    x2, y2 = x1 + rng.uniform(0, 0.9, 6) * w, y1 + rng.uniform(0, 0.9, 6) * h
    x1[4], x2[5], y2[5] = x1[4] + 2 * w, x1[5] - 1.3, y1[5] + 0.1
    made = np.stack([np.arange(6) % sizes["N"], x1, y1, x2, y2], 1)
    return (made[:0] if "none" in more else made).astype(next((word for word in more if word in DTYPES), "float32"))


def _indices(rng: np.random.Generator, case: Case, form: str) -> Array:
    """Of each value a place in the map: "any", one of them none, or a real cell of the value's own window."""
    spec: Any = case.spec
    pooled = pooled_axes(spec, len(case.shape))
    shape = unpooled_shape(spec, case.shape)
    sizes = [shape[at] for at in pooled]
    if form == "any":
        return rng.integers(-1, int(np.prod(sizes)), case.shape)
    made = np.zeros(case.shape, int)
    for box in boxes(spec.pooling, shape):
        here: list[Any] = [slice(None)] * len(shape)
        for at, o in zip(pooled, box.at, strict=True):
            here[at] = o
        inside = np.ravel_multi_index(np.ix_(*box.cells), sizes).ravel()
        made[tuple(here)] = rng.choice(inside, made[tuple(here)].shape)
    return made


def _result(case: Case) -> tuple[int, ...]:
    """The shape of the result."""
    pooled = pooled_axes(case.spec, len(case.shape))
    sizes = dict(zip(pooled, counts(case.spec, case.shape), strict=True))
    return tuple(sizes.get(at, n) for at, n in enumerate(case.shape) if case.spec.keepdims or at not in pooled)


def _coefficients(case: Case, form: str, rng: np.random.Generator) -> Array:
    """One a part, or for each part the axes of the result: of a channel, of a region, or of both and the batch."""
    spec: Any = case.spec
    letters = layout_of(spec, len(case.shape)).rjust(len(case.shape), ".")
    pooled = pooled_axes(spec, len(case.shape))
    sizes = dict(zip(pooled, counts(spec.parts[0], case.shape), strict=True))
    kept = [at for at in range(len(case.shape)) if spec.keepdims or at not in pooled]
    varies = {"channels": "C", "regions": "".join(letters[at] for at in pooled), "every": letters}.get(form, "")
    shape = tuple(sizes.get(at, case.shape[at]) if letters[at] in varies else 1 for at in kept)
    return rng.standard_normal((len(spec.parts), *(shape if form != "parts" else ())))


def _moving(case: Case) -> tuple[int, ...]:
    """A number for each batch, channel and pooled axis."""
    letters = layout_of(case.spec, len(case.shape)).rjust(len(case.shape), ".")
    return (*batch_shape(letters, case.shape), len(pooled_axes(case.spec, len(case.shape))))


def _lines(case: Case) -> tuple[int, ...]:
    return lines_of(case.spec, case.shape)


def _float(dtype: str) -> str:
    return dtype if dtype in FLOATS else "float32"


def _mask(rng: np.random.Generator, shape: tuple[int, ...], more: list[str]) -> Array:
    mask = rng.random(shape) < 0.6
    if "nothing" in more or "everything" in more:
        return np.full(shape, "everything" in more)
    if mask.ndim > 1 and len(mask):
        mask[0] = False  # a row with nothing in it
    return mask


def _numbers(mask: Array, dtype: str) -> Array:
    """Numbers above 0 where the mask holds; elsewhere 0, or less where there are such."""
    if dtype == "bool":
        return mask
    below = 0 if dtype[0] == "u" else -1
    alternate = np.arange(mask.size).reshape(mask.shape) % 2 * below
    return np.where(mask, 1, alternate).astype(numpy_dtype(dtype))


def _weight(rng: np.random.Generator, shape: tuple[int, ...], more: list[str]) -> Array:
    weight: Array = rng.uniform(0.1, 2, shape)
    if "zeros" in more:
        weight[rng.random(shape) < 0.3] = 0
        weight[0] = 0
    return weight
