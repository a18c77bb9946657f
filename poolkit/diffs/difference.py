"""`Difference`: what `diff` found, and its text for a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from poolkit.diffs.pictures import Window
from poolkit.diffs.wording import NEVER
from poolkit.errors import escaped
from poolkit.spec.operation import Operation

Shape = tuple[int, ...]

MOST_CELLS = 6


@dataclass(frozen=True)
class Example:
    """One output cell that differs: both windows, and both values on an input that is counted out.

    A window is None where that side has no such cell, or is a composite. `fill` says what the input's elements are in
    row-major order; `position` counts spatial axes, after the part of a composite whose parts stand side by side.
    """

    position: Shape
    windows: tuple[Window | None, Window | None]
    values: tuple[float | None, float | None]
    fill: str
    picture: str


@dataclass(frozen=True)
class Difference:
    """What `diff` found; ``str`` of it is what the command prints.

    `equal` says that both give the same at every size. `differences` are sentences about A and B, `agree` the sizes at
    which the numbers are the same all the same, after moving axes and with dropped axes put back. For the input's
    shape `shape`: `shapes`, the outputs' shapes, None where one does not fit; `cells`, the spatial positions of the
    output cells that differ, of `total` in all; and an example. `notes` are what else is to be known.

    >>> from poolkit import diff
    >>> diff("max window=2 layout=NCHW", "max window=2 layout=NHWC").equal
    True
    """

    given: tuple[str, str]
    specs: tuple[Operation, Operation]
    equal: bool
    differences: tuple[str, ...]
    agree: str
    shape: Shape
    shapes: tuple[Shape | None, Shape | None]
    cells: tuple[Shape, ...]
    total: int
    example: Example | None
    notes: tuple[str, ...]
    axes: str  # the letters of A's spatial axes

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints; of the cells the first hundred, and how many differ."""
        names = ("equal", "differences", "agree", "shape", "shapes", "notes")
        sides = [{"given": given, "spec": spec.to_dict()} for given, spec in zip(self.given, self.specs, strict=True)]
        example = None if self.example is None else asdict(self.example)
        cells = {"differ": len(self.cells), "of": self.total, "first": self.cells[:100]}
        return {
            **dict(zip(("a", "b"), sides, strict=True)),
            **{name: getattr(self, name) for name in names},
            "cells": cells,
            "example": example,
        }

    def __str__(self) -> str:
        return text_of(self)


def text_of(found: Difference) -> str:
    """What differs, where not, and an example; one line for each thing that is said."""
    lines = [
        f"{who}: {_side(given, str(spec))}" for who, given, spec in zip("AB", found.given, found.specs, strict=True)
    ]
    lines += ["", *_verdict(found), "", *_on_shape(found)]
    if found.example is not None:
        lines += ["", *_example(found, found.example)]
    lines += ["", *(f"note: {note}" for note in found.notes)] if found.notes else []
    return escaped("\n".join(lines))


def _side(given: str, spec: str) -> str:
    return spec if given == spec else f"{given}  =  {spec}"


def _verdict(found: Difference) -> list[str]:
    said = [f"  {sentence}" for sentence in found.differences]
    if found.equal:
        return ["They are equal: the same numbers and shapes at every size.", *said]
    if found.agree == NEVER:
        return ["They differ:", *said, "They give the same numbers at no size."]
    return ["They differ:", *said, f"They give the same numbers {found.agree}."]


def _on_shape(found: Difference) -> list[str]:
    a, b = ("nothing" if shape is None else str(shape) for shape in found.shapes)
    head = f"An input of A of shape {found.shape} becomes {a} with A and {b} with B"
    if not found.total:
        return [f"{head}."]
    if not found.cells:
        return [f"{head}; no number differs."]
    if len(found.cells) == 1 == found.total:
        return [f"{head}; the one output cell differs."]
    shown = ", ".join(map(str, found.cells[:MOST_CELLS]))
    more = f" and {len(found.cells) - MOST_CELLS} more" if len(found.cells) > MOST_CELLS else ""
    listed = "" if len(found.cells) == found.total else f": {shown}{more}"
    return [f"{head}; {len(found.cells)} of {found.total} output cells differ{listed}."]


def _example(found: Difference, example: Example) -> list[str]:
    lines = [f"For example, output cell {example.position} of an input that holds {example.fill}:"]
    for who, window, value in zip("AB", example.windows, example.values, strict=True):
        if value is None:
            lines.append(f"  {who} has no such cell")
        else:
            cells = f", from {window.text(found.axes)}" if window is not None else ""
            lines.append(f"  {who} gives {value:.6g}{cells}")
    return lines + ([*example.picture.splitlines()] if example.picture else [])
