"""Both sides of a comparison, run with NumPy on inputs that are counted out. NumPy is imported when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

from poolkit.agreeing import plain
from poolkit.dispatch import pool
from poolkit.errors import ShapeError
from poolkit.mix import Mix
from poolkit.spec import PoolSpec

# An input's elements in row-major order: what they are, and how they follow from 0, 1, 2, … and their number.
# Where two windows have one average, or one maximum, on the first, they have not on another.
FILLS = (
    ("0, 1, 2, ...", lambda i, n: i),
    ("..., 2, 1, 0", lambda i, n: n - 1 - i),
    ("0, 1, 4, 9, ...", lambda i, n: i * i),
)


def has_numpy() -> bool:
    return importlib.util.find_spec("numpy") is not None


def _numpy() -> Any:
    return importlib.import_module("numpy")


def filled(sizes: Sequence[int], fill: int) -> Any:
    """An input of these sizes."""
    np = _numpy()
    count = int(np.prod(sizes))
    return FILLS[fill][1](np.arange(count, dtype="float64"), count).reshape(sizes)


def noise(sizes: Sequence[int]) -> Any:
    """An input of distinct random numbers, the same at every call."""
    np = _numpy()
    return np.random.default_rng(7).normal(size=tuple(sizes))


def pooled(pools: PoolSpec | Mix, count: int, x: Any) -> Any:
    """The numbers on an input that has spatial axes alone; the parts of a "cat" along a new first axis."""
    np = _numpy()
    if isinstance(pools, PoolSpec):
        return pool(x, plain(pools, count))
    parts = [pool(x, plain(part, count)) for part in pools.parts]
    if pools.coefficients is None:
        return np.stack(parts)
    return sum(c * part for c, part in zip(pools.coefficients, parts, strict=True))


def same_numbers(a: PoolSpec | Mix, b: PoolSpec | Mix, count: int, sizes: Sequence[int]) -> bool | None:
    """Whether both give the same numbers on random input of these sizes; None where neither fits."""
    x = noise(sizes)
    results = [_result(pools, count, x) for pools in (a, b)]
    if all(result is None for result in results):
        return None
    return not any(result is None for result in results) and not unequal(*results)


def unequal(first: Any, second: Any) -> list[tuple[int, ...]]:
    """The positions at which two results differ; all of the first where their shapes do."""
    np = _numpy()
    if first.shape != second.shape:
        return list(np.ndindex(*first.shape))
    far = ~np.isclose(first, second, rtol=1e-9, atol=1e-12)
    return [tuple(map(int, position)) for position in np.argwhere(far)]


def _result(pools: PoolSpec | Mix, count: int, x: Any) -> Any:
    try:
        return pooled(pools, count, x)
    except ShapeError:
        return None
