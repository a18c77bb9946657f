"""Which cells belong to which window, for the oracle: plain loops over sizes that are ints.

Written from docs/semantics.md and shared with nothing: the core has its own geometry, and the suite holds the two
against each other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from poolkit_conformance import fractions


class NoAnswerError(ValueError):
    """The definition gives no result here: a backend has to raise `poolkit.ShapeError`."""


class Window(NamedTuple):
    """One window along one axis."""

    cells: tuple[int, ...]  # positions of the real cells, rising
    padded: int  # how many cells are real or padding, but not ceil overhang
    weights: tuple[int, ...] | None = None  # of a blur: how often each of them counts
    inner: tuple[tuple[int, ...], ...] | None = None  # of an average of maxima: the cells of each of these


class Box(NamedTuple):
    """One window over all pooled axes."""

    at: tuple[int, ...]  # where its result stands, one number a pooled axis
    cells: tuple[tuple[int, ...], ...]  # positions of the real cells along each pooled axis
    divisor: float
    weights: tuple[tuple[int, ...], ...] | None = None  # as those of the windows
    inner: tuple[tuple[tuple[int, ...], ...], ...] | None = None


def pooled_axes(spec: Any, rank: int) -> tuple[int, ...]:
    """The positions of the pooled axes in an input of this rank."""
    if spec.layout in ("channels_first", "channels_last"):
        if rank < 3:
            raise NoAnswerError("no spatial axis")
        first = 2 if spec.layout == "channels_first" else 1
        return tuple(range(first, first + rank - 2))
    letters = spec.layout.removeprefix("...")
    if rank < len(letters) or (rank > len(letters) and letters == spec.layout):
        raise NoAnswerError(f"{spec.layout} has another rank than {rank}")
    pooled = spec.axes if spec.axes is not None else [letter for letter in letters if letter not in "NC"]
    return tuple(rank - len(letters) + letters.index(letter) for letter in pooled)


def layout_of(spec: Any, rank: int) -> str:
    """The letters of the last axes of an input of this rank."""
    spatial = {1: "L", 2: "HW", 3: "DHW"}.get(rank - 2, "")
    named = {"channels_first": f"NC{spatial}", "channels_last": f"N{spatial}C"}
    letters: str = named[spec.layout] if spec.layout in named else spec.layout.removeprefix("...")
    return letters


def channel_axis(spec: Any, rank: int) -> int:
    """The position of the channels in an input of this rank; `rank` where the layout has none."""
    layout = layout_of(spec, rank)
    return rank - len(layout) + layout.index("C") if "C" in layout else rank


def boxes(spec: Any, shape: tuple[int, ...], moved: Sequence[Any] | None = None) -> Iterator[Box]:
    """Every window of a spec on an input, in row-major order; `moved` by a number for each axis, where they can be.

    Of s3 these are the numbers of the lines along each axis.
    """
    pooled = pooled_axes(spec, len(shape))
    by = [0.5] * len(pooled) if moved is None else moved
    lines = [_line(spec, i, len(pooled), shape[axis], by[i]) for i, axis in enumerate(pooled)]
    for at in itertools.product(*(range(len(line)) for line in lines)):
        along = [line[o] for line, o in zip(lines, at, strict=True)]
        weights = tuple(w.weights for w in along if w.weights is not None)
        inner = tuple(w.inner for w in along if w.inner is not None)
        yield Box(at, tuple(w.cells for w in along), _divisor(spec, along), weights or None, inner or None)


def counts(spec: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """How many windows there are along each pooled axis."""
    pooled = pooled_axes(spec, len(shape))
    return tuple(len(_line(spec, i, len(pooled), shape[axis])) for i, axis in enumerate(pooled))


def has_one(spec: Any, shape: tuple[int, ...]) -> bool:
    """Whether a pooled axis has one cell, or one sliding window."""
    try:
        cells = [shape[axis] for axis in pooled_axes(spec, len(shape))]
        return 1 in cells or (spec.window is not None and 1 in counts(spec, shape))
    except NoAnswerError:  # what a later pool of a chain is given has another shape
        return False


def unpooled_shape(spec: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that a pool of which these are the values was given: by the spec, or the smallest that there is.

    A tensor like that of the case, from which it is taken, has the largest.
    """
    made = list(shape)
    pooled = pooled_axes(spec, len(shape))
    for i, axis in enumerate(pooled):
        given = spec.output_size
        sizes = [given[i] if isinstance(given, tuple) else given] if not isinstance(given, str) else range(1, 200)
        fitting = [n for n in sizes if _windows_of(spec.pooling, i, len(pooled), n) == shape[axis]]
        if not fitting:
            raise NoAnswerError(f"{shape[axis]} windows are those of no such size")
        made[axis] = fitting[-1 if given == "like" else 0]
    return tuple(made)


def _windows_of(spec: Any, i: int, axes: int, n: int) -> int:
    try:
        return len(_line(spec, i, axes, n))
    except NoAnswerError:
        return -1


def _divisor(spec: Any, along: list[Window]) -> float:
    if spec.divisor_override is not None:
        return float(spec.divisor_override)
    divisor = 1
    if spec.kind == "blur":
        return float(math.prod(2 ** (k - 1) for k in (_entry(spec.window, i) for i in range(len(along)))))
    for window in along:
        divisor *= window.padded if spec.count_include_pad else len(window.cells)
    return float(divisor)


def places(spec: Any, i: int, axes: int, n: int) -> list[list[int]]:
    """The positions of each sliding window along the `i`-th pooled axis, padding included."""
    k, s, r = (_entry(value, i) for value in (spec.window, spec.stride, spec.dilation))
    low, _, count = _padding(n, s or k, r * (k - 1) + 1, _padding_of(spec.padding, i, axes), spec.ceil_mode)
    return [[o * (s or k) - low + r * j for j in range(k)] for o in range(count)]


def maxima(spec: Any, i: int, axes: int, n: int) -> list[Window]:
    """The windows with stride 1 of s3 along the `i`-th pooled axis."""
    k, r = (_entry(value, i) for value in (spec.window, spec.dilation))
    return _sliding(n, k, 1, r, _padding_of(spec.padding, i, axes), False, None)


def lines_of(spec: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """The shape of what draws lines of s3: those of the axis that has the most of them, and the axes."""
    pooled = pooled_axes(spec, len(shape))
    return max(len(maxima(spec, i, len(pooled), shape[axis])) for i, axis in enumerate(pooled)), len(pooled)


def _strips(spec: Any, i: int, axes: int, n: int, numbers: Any) -> list[Window]:
    """The first `grid` lines are a strip, and so on; the last strip has what remains.

    Of each those with the lowest numbers are handed on, as many as the stride fits into it. Without numbers as many
    windows in all average the lines: as long as the stride, the first of which begins half of that before the map.
    """
    every, s = maxima(spec, i, axes, n), _entry(spec.stride or spec.window, i)
    grid = _entry(spec.grid, i) or s
    many, each = n // grid, grid // s
    found: list[Window] = []
    for strip in range(many):
        lines = range(strip * grid, len(every) if strip == many - 1 else (strip + 1) * grid)
        if len(lines) < each:
            raise NoAnswerError("a strip has too few lines")
        if not isinstance(numbers, float):
            found += [every[j] for j in sorted(sorted(lines, key=lambda j: (numbers[j], j))[:each])]
    if many < 1 or (many * each - 1) * s - s // 2 >= len(every):
        raise NoAnswerError("strips or averages do not fit")
    if not isinstance(numbers, float):
        return found
    for o in range(many * each):
        inner = tuple(every[j].cells for j in range(o * s - s // 2, o * s - s // 2 + s) if 0 <= j < len(every))
        cells = tuple(sorted({p for window in inner for p in window}))
        found.append(Window(cells, len(cells), None, inner))
    return found


def _line(spec: Any, i: int, axes: int, n: int, moved: Any = 0.5) -> list[Window]:
    """The windows along the `i`-th pooled axis, which has `n` cells."""
    unchanged = spec.output_size is not None and _entry(spec.output_size, i) is None
    if n == 0 and not unchanged:
        raise NoAnswerError("a pooled axis has size 0")
    if spec.kind == "fractional_max":
        windows = fractions.windows(spec, i, n, moved)
        if windows is None:
            raise NoAnswerError("so many windows do not fit")
        return [Window(cells, len(cells)) for cells in windows]
    if spec.kind == "s3":
        return _strips(spec, i, axes, n, moved)
    if spec.output_size is not None:
        return _bins(_entry(spec.output_size, i), n)
    k, s, r = (_entry(value, i) for value in (spec.window, spec.stride, spec.dilation))
    mode = spec.pad_mode if spec.kind == "blur" else None
    return _sliding(n, k, k if s is None else s, r, _padding_of(spec.padding, i, axes), spec.ceil_mode, mode)


def _entry(value: Any, i: int) -> Any:
    return value[i] if isinstance(value, tuple) else value


def _padding_of(padding: Any, i: int, axes: int) -> str | tuple[int, int]:
    if isinstance(padding, str):
        return padding
    entry = _entry(padding, i)
    return entry if isinstance(entry, tuple) else (entry, entry)


def _bins(out: int | None, n: int) -> list[Window]:
    """Bin `i` of `o` begins at the floor of i*n/o and ends before the ceiling of (i+1)*n/o."""
    if out is None:
        return [Window((p,), 1) for p in range(n)]
    found = []
    for i in range(out):
        cells = tuple(range(i * n // out, -(-(i + 1) * n // out)))
        found.append(Window(cells, len(cells)))
    return found


def _sliding(
    n: int, k: int, s: int, r: int, padding: str | tuple[int, int], ceil_mode: bool, mode: str | None
) -> list[Window]:
    reach = r * (k - 1) + 1  # from a window's first position to its last, both included
    low, high, count = _padding(n, s, reach, padding, ceil_mode)
    if count < 1:
        raise NoAnswerError(f"a window that reaches over {reach} cells does not fit {n} cells")
    found = []
    for o in range(count):
        reached = [o * s - low + r * j for j in range(k)]
        cells = tuple(p for p in reached if 0 <= p < n)
        if not cells:
            raise NoAnswerError(f"window {o} holds no real cell")
        padded = sum(-low <= p < n + high for p in reached)
        found.append(Window(cells, padded) if mode is None else _blurred(reached, n, padded, mode))
    return found


def _blurred(reached: list[int], n: int, padded: int, mode: str) -> Window:
    """The cells that stand at these places, and the sum of the binomials of the places where each stands."""
    counted: dict[int, int] = {}
    for j, p in enumerate(reached):
        mirrored = -p if p < 0 else 2 * (n - 1) - p if p >= n else p
        cell = {"reflect": mirrored, "replicate": min(max(p, 0), n - 1), "zeros": p}[mode]
        if not 0 <= cell < n:
            if mode == "zeros":
                continue
            raise NoAnswerError("the axis has no cell to mirror")
        counted[cell] = counted.get(cell, 0) + math.comb(len(reached) - 1, j)
    return Window(tuple(sorted(counted)), padded, tuple(counted[cell] for cell in sorted(counted)))


def _padding(n: int, s: int, reach: int, padding: str | tuple[int, int], ceil_mode: bool) -> tuple[int, int, int]:
    """Low padding, high padding, and the number of windows."""
    if padding in ("same", "same_lower"):
        count = -(-n // s)
        total = max((count - 1) * s + reach - n, 0)
        less, more = total // 2, total - total // 2
        return (less, more, count) if padding == "same" else (more, less, count)
    low, high = {"valid": (0, 0), "causal": (reach - 1, 0)}[padding] if isinstance(padding, str) else padding
    room = n + low + high - reach
    if not ceil_mode:
        return low, high, room // s + 1
    count = -(-room // s) + 1
    while (count - 1) * s >= n + low:  # it would begin in the high padding
        count -= 1
    return low, high, count
