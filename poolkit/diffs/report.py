"""A `Difference` as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolkit.diffs.wording import NEVER

if TYPE_CHECKING:
    from poolkit.diffs.diff import Difference, Example

MOST_CELLS = 6


def text_of(found: Difference) -> str:
    """What differs, where not, and an example; one line for each thing that is said."""
    lines = [
        f"{who}: {_side(given, str(spec))}" for who, given, spec in zip("AB", found.given, found.specs, strict=True)
    ]
    lines += ["", *_verdict(found), "", *_on_shape(found)]
    if found.example is not None:
        lines += ["", *_example(found, found.example)]
    lines += ["", *(f"note: {note}" for note in found.notes)] if found.notes else []
    return "\n".join(lines)


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
