"""Two windows of one output cell: their cells, what they are divided by, and how that looks in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poolkit.diffs.agreeing import axis_of, cells_of, counts_of, measure, positions
from poolkit.diffs.along import one_axis
from poolkit.lowering.geometry import Axis
from poolkit.spec.kinds import KINDS
from poolkit.spec.pool_spec import PoolSpec

MOST_SHOWN = 24  # input cells in a row of the picture


@dataclass(frozen=True)
class Lines:
    """The windows of a spec on an input, axis by axis: their real cells and what they count in the divisor."""

    spec: PoolSpec
    axes: tuple[Axis, ...]
    cells: tuple[list[Sequence[int]], ...]
    counts: tuple[list[int], ...]

    @property
    def out(self) -> tuple[int, ...]:
        return tuple(map(len, self.cells))


def lines_of(spec: PoolSpec, sizes: Sequence[int]) -> Lines | None:
    """The windows of a spec that has nothing but spatial axes; None where it does not fit these sizes."""
    singles = [one_axis(spec, i) for i in range(len(sizes))]
    axes = [axis_of(single, n) for single, n in zip(singles, sizes, strict=True)]
    fitting = tuple(axis for axis in axes if axis is not None)
    if len(fitting) < len(axes):
        return None
    cells = tuple(cells_of(*of) for of in zip(singles, fitting, strict=True))
    counts = tuple(counts_of(*of) for of in zip(singles, fitting, cells, strict=True))
    return Lines(spec, fitting, cells, counts)


@dataclass(frozen=True)
class Window:
    """The window of one output cell: the positions of its cells along each axis, and what its sum is divided by.

    `divisor` is None where nothing is divided.
    """

    cells: tuple[tuple[int, ...], ...]
    divisor: float | None

    def text(self, letters: str) -> str:
        """The cells along each axis, and the divisor."""
        along = ", ".join(f"{name} {_span(cells)}" for name, cells in zip(letters, self.cells, strict=True))
        return along if self.divisor is None else f"{along}, divided by {self.divisor}"


def _span(cells: Sequence[int]) -> str:
    if len(cells) > 1 and cells[-1] - cells[0] == len(cells) - 1:
        return f"{cells[0]}-{cells[-1]}"
    return " ".join(map(str, cells))


def window_at(lines: Lines, position: Sequence[int]) -> Window | None:
    """The window of an output cell, None where the output has no such cell."""
    if any(o >= out for o, out in zip(position, lines.out, strict=True)):
        return None
    cells = tuple(tuple(positions(axis[o])) for axis, o in zip(lines.cells, position, strict=True))
    return Window(cells, _divisor(lines, position))


def _divisor(lines: Lines, position: Sequence[int]) -> float | None:
    if not (KINDS[lines.spec.kind].averages or KINDS[lines.spec.kind].weights):
        return None
    product: float = lines.spec.divisor_override or 1
    for counts, o in zip(lines.counts, position, strict=True):
        product *= counts[o]
    return product


def picture(first: Lines, second: Lines, position: Sequence[int], letters: str) -> str:
    """The input's cells along one axis on which the windows differ, and below them both windows.

    `#` is a cell that a window covers, a dot is padding that it covers.
    """
    i = next((i for i in range(len(letters)) if _differ(first, second, i, position[i])), 0)
    a, b = first.axes[i], second.axes[i]
    rows = [_row(a, position[i]), _row(b, position[i])]
    covered = [p for row in rows for p in row] or [0]
    shown = range(min(*covered, 0), max(*covered, a.n - 1) + 1)
    if a.n > MOST_SHOWN:
        shown = range(min(covered) - 1, min(max(covered) + 1, min(covered) + MOST_SHOWN) + 1)
    width = len(str(a.n - 1))
    lines = [_line("input", {p: str(p) for p in range(a.n)}, shown, width)]
    for who, row, of in zip("AB", rows, (first, second), strict=True):
        lines.append(_line(who, row, shown, width) + _counts_text(of, i, position[i]))
    if shown.stop < a.n:
        lines[0] += " ..."
    return "\n".join([f"along {letters[i]}, output cell {position[i]}", *[line.rstrip() for line in lines]])


def _differ(first: Lines, second: Lines, i: int, o: int) -> bool:
    if o >= len(first.cells[i]) or o >= len(second.cells[i]):
        return True
    same_divisor = measure(first.spec) != measure(second.spec) or first.counts[i][o] == second.counts[i][o]
    return first.cells[i][o] != second.cells[i][o] or not same_divisor


def _row(axis: Axis, o: int) -> dict[int, str]:
    """What a window covers: a mark for each position."""
    if o >= axis.out:
        return {}
    reach = axis.reach(o) if axis.form == "taps" else axis.ranges()[o]
    return {p: "#" if 0 <= p < axis.n else "." for p in reach}


def _line(head: str, marks: dict[int, str], shown: range, width: int) -> str:
    return f"  {head:<6}" + "".join(f" {marks.get(p, ''):>{width}}" for p in shown)


def _counts_text(lines: Lines, i: int, o: int) -> str:
    if o >= lines.out[i]:
        return "  no such cell"
    divides = KINDS[lines.spec.kind].averages and lines.spec.divisor_override is None
    return f"  counts {lines.counts[i][o]}" if divides else ""
