"""Both sides of a comparison, run with NumPy on inputs that are counted out. NumPy is imported when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Iterator, Sequence
from typing import Any

from poolkit.diffs.along import plain, standard
from poolkit.errors import ShapeError
from poolkit.running.dispatch import pool
from poolkit.running.registry import DEFINITION
from poolkit.spec.operation import Operation


def has_numpy() -> bool:
    return importlib.util.find_spec(DEFINITION) is not None


def _numpy() -> Any:
    return importlib.import_module(DEFINITION)


def fillings(sizes: Sequence[int], cell: Sequence[int]) -> Iterator[tuple[str, Any]]:
    """Inputs, and what their elements are in row-major order: counted out first, then others that tell more apart.

    Two windows whose largest elements, or averages, are the same on one of these differ on a later one, the last of
    which have a single element that stands out, at `cell`.
    """
    np = _numpy()
    count = np.arange(np.prod(sizes), dtype="float64").reshape(sizes)
    yield "0, 1, 2, ...", count
    yield "..., 2, 1, 0", count[tuple(slice(None, None, -1) for _ in sizes)]
    yield "0, 1, 4, 9, ...", count * count
    yield "1 everywhere", np.ones(sizes)
    for value in (1, -1):
        x = np.zeros(sizes)
        x[tuple(cell)] = value
        yield f"{value} at {tuple(cell)} and 0 elsewhere", x


def noise(sizes: Sequence[int]) -> Any:
    """An input of distinct random numbers, the same at every call."""
    np = _numpy()
    return np.random.default_rng(7).normal(size=tuple(sizes))


def inputs(sizes: Sequence[int]) -> Iterator[Any]:
    """What two sides are tried on: a maximum that misses a cell at an end is told by a line that rises or falls."""
    count = _numpy().arange(math.prod(sizes), dtype="float64").reshape(tuple(sizes))
    yield from (noise(sizes), count, -count)


def pooled(pools: Operation, count: int, x: Any) -> Any:
    """The numbers on an input that has spatial axes alone; what stands side by side along a new first axis.

    Only what stands side by side: pools one after the other give one number for each, as a single one does.
    """
    np = _numpy()
    made = pool(x[None], pools.changed(lambda part: plain(part, count).replace(layout="C" + standard(count))))
    if pools.shares is None and pools.several:
        return np.concatenate([np.ravel(one) for one in made])
    return made[0] if made.ndim == count + 1 and len(made) == 1 else made


def same_numbers(a: Operation, b: Operation, count: int, sizes: Sequence[int]) -> bool | None:
    """Whether both give the same numbers on random input of these sizes; None where neither fits."""
    for x in inputs(sizes):
        results = [_result(pools, count, x) for pools in (a, b)]
        if all(result is None for result in results):
            return None
        if any(result is None for result in results) or unequal(*results):
            return False
    return True


def unequal(first: Any, second: Any) -> list[tuple[int, ...]]:
    """The positions at which two results differ; all of the first where their shapes do."""
    np = _numpy()
    if first.shape != second.shape:
        return list(np.ndindex(*first.shape))
    far = ~np.isclose(first, second, rtol=1e-9, atol=1e-12)
    return [tuple(map(int, position)) for position in np.argwhere(far)]


def _result(pools: Operation, count: int, x: Any) -> Any:
    try:
        return pooled(pools, count, x)
    except ShapeError:
        return None
