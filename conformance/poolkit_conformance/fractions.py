"""The definition of fractional windows: their places along an axis, and the numbers that move them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from poolkit_conformance.threefry import uniform

Array = np.ndarray[Any, Any]


def windows(spec: Any, i: int, n: int, u: float) -> list[tuple[int, ...]] | None:
    """The cells of each window along the `i`-th pooled axis, of `n` cells, in float32; None where they do not fit."""
    window, size, ratio = (
        value[i] if isinstance(value, tuple) else value for value in (spec.window, spec.output_size, spec.output_ratio)
    )
    if size is None and ratio is None:
        return [(p,) for p in range(n)]
    out = int(n * ratio) if size is None else size
    if out < 1 or out - 1 + (window or 1) > n:
        return None
    if not spec.overlapping:
        apart = np.float32(n) / np.float32(out)
        ends = [max(math.ceil((np.float32(j) + np.float32(u)) * apart) - 1, 0) for j in range(out + 1)]
        lows = [min(end, n - 1) for end in ends[:-1]]
        return [tuple(range(low, min(max(end, low + 1), n))) for low, end in zip(lows, ends[1:], strict=True)]
    apart = np.float32(n - window) / np.float32(max(out - 1, 1))
    first = int(np.float32(u) * apart)
    starts = [int((np.float32(j) + np.float32(u)) * apart) - first for j in range(out - 1)]
    return [tuple(range(start, start + window)) for start in [*starts, n - window]]


def batch_shape(letters: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of leading axes, batch and channels, in this order."""
    return tuple(n for c in ".NC" for letter, n in zip(letters, shape, strict=True) if letter == c)


def numbers(letters: str, pooled: tuple[int, ...], shape: tuple[int, ...], tensors: Mapping[str, Array]) -> Array:
    """The number of each row of the input and each pooled axis; rows are all other axes, in the layout's order."""
    axes = len(pooled)
    given = tensors.get("samples")
    if given is None:
        given = uniform(tensors["key"], (*batch_shape(letters, shape), axes))
    if axes == 2:
        given = given[..., ::-1]  # PyTorch's of a map begin with the last axis, those of a volume with the first
    order = [at for c in ".NC" for at, letter in enumerate(letters) if letter == c]
    kept = [at for at in range(len(shape)) if at not in pooled]
    found = np.transpose(given, (*np.argsort(order), len(order)))
    there = sorted(order)
    found = found.reshape(*(shape[at] if at in there else 1 for at in kept), axes)
    return np.broadcast_to(found, (*(shape[at] for at in kept), axes)).reshape(-1, axes)
