"""What a spec does to an input, as text: shapes, windows, divisors, and a picture of the windows along each axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from poolkit.lowering.axis import Axis
from poolkit.lowering.count import known_count
from poolkit.lowering.geometry import axes_of, letters_of
from poolkit.lowering.kinds.blurred import weights
from poolkit.lowering.shapes import output_shape
from poolkit.running.further import Described, described
from poolkit.spec.arguments import as_shape, as_tensors
from poolkit.spec.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.spec.operation import Operation
    from poolkit.spec.pool_spec import PoolSpec

MOST_CELLS, MOST_WINDOWS = 32, 12  # what fits a terminal of 80 columns


def explain(spec: Operation, shape: Sequence[int], tensors: Mapping[str, Described] | None = None) -> str:
    """A description of each pooling on an input's shape, with a picture of the windows along each pooled axis.

    In the picture `#` is a cell that the window covers, `o` a padding cell that it covers, `.` a cell that it does not.
    `tensors` are those besides the input, described as for `poolkit.lower`.
    Raises `ShapeError` where the spec does not fit the shape.

    >>> from poolkit import AvgPool
    >>> print(explain(AvgPool(2, padding="same", layout="NCL"), (1, 1, 5)))
    avg window=2 padding=same layout=NCL
    NCL (1, 1, 5) -> NCL (1, 1, 3)
    L: 3 windows of 2, stride 2, padding 0 low and 1 high
      window 0  ##...   divided by 2
      window 1  ..##.   divided by 2
      window 2  ....#o  divided by 1
    """
    shape = as_shape(shape)
    steps = spec.each(shape)
    further = described(spec, as_tensors(tensors), shape, "float32")
    several = [str(spec)] if len(steps) > 1 else []
    if len(steps) == 0:
        letters = letters_of(spec, len(shape))
        several = [f"{spec}\n{letters} {shape} -> {letters} {spec.output_shape(shape)}"]
    texts = TENSORS | (LINES if any(KINDS[step.kind].strips for step, _, _ in steps) else {})
    told = ["\n".join([f"{f.name} {f.sizes}: {texts.get(f.name, LEARNED)}" for f in further])] if further else []
    return "\n\n".join([*several, *(_explained(step, sizes, not further) for step, sizes, _ in steps), *told])


TENSORS = {
    "adjacency": "how strongly each node is linked to each other one",
    "unary": "each node's own score for each cluster",
    "filter": "what a node hears is multiplied by it, cluster by cluster",
    "compatibility": "what each cluster takes from a node that hears of another one",
    "boxes": "the number of a map, and the corners x1, y1, x2, y2 of what is pooled of it",
    "indices": "where each value goes, a place in the map that was pooled; -1 is nowhere",
    "like": "what was pooled, of which only the sizes are asked",
    "ids": "the segment of each row; one that is no segment drops its row",
    "coefficients": "what each part is multiplied by, in the place of the mix's own coefficients",
    "mask": "where it is False, a cell is as if it were not there; an average divides by the cells that are left",
    "weight": "a cell counts as often as it says, and an average divides by the sum of the weights",
    "samples": "one number for each of the result, from 0 to below 1, says which cell is drawn",
    "key": "two integers, from which a number from 0 to below 1 follows for each of the result, as a sample",
    "log_weight": "a cell has the weight exp(log_weight), and the average divides by the sum of these",
}

LINES = {
    "samples": "a number from 0 to below 1 for each line of an axis; those with the lowest ones of a strip are drawn",
    "key": "two integers, from which a number from 0 to below 1 follows for each line of an axis, as a sample",
}

HOLDS = {
    "reflect": "padding holds the cells behind the edge, mirrored",
    "replicate": "padding holds the cell at the edge",
    "zeros": "padding holds zeros, which count",
}

LEARNED = "in the place of the option of this name, one number or one for each channel"


def _explained(spec: PoolSpec, shape: Sequence[int], counted: bool) -> str:
    axes = axes_of(spec, len(shape), lambda at: (shape[at], True))
    letters = letters_of(spec, len(shape))
    letters = "." * (len(shape) - len(letters)) + letters
    lines = [str(spec), f"{letters} {shape} -> {_result(spec, shape, letters)}"]
    for a in axes:
        lines += [_headline(a, spec), *_picture(a, spec, counted)]
    if spec.divisor_override is not None:
        lines.append(f"every sum is divided by {spec.divisor_override}")
    elif KINDS[spec.kind].weights and any(a.total for a in axes):
        lines.append(HOLDS[dict(spec.options)["pad_mode"]])
    elif KINDS[spec.kind].averages and len(axes) > 1 and counted:
        lines.append("a window's divisor is the product over " + " and ".join(a.letter for a in axes))
    return "\n".join(lines)


def _result(spec: PoolSpec, shape: Sequence[int], letters: str) -> str:
    pooled = [a.letter for a in axes_of(spec, len(shape), lambda at: (shape[at], True))]
    kept = letters if spec.keepdims else "".join(c for c in letters if c not in pooled)
    return f"{kept} {output_shape(spec, shape)}" + (", and indices of the same shape" if spec.indices else "")


def _headline(a: Axis, spec: PoolSpec) -> str:
    if a.form == "keep":
        return f"{a.letter}: every cell stays as it is"
    if a.form == "whole":
        return f"{a.letter}: one window, all {a.n} cells"
    if a.form == "bins":
        return f"{a.letter}: {a.out} adaptive bins, bin i from floor(i*{a.n}/{a.out}) to ceil((i+1)*{a.n}/{a.out})"
    if a.form in ("spread", "parts"):
        many = f"{a.out} window{'s' * (a.out != 1)}" + (f" of {a.window}" if a.form == "spread" else "")
        return f"{a.letter}: {many} at places that are drawn; here they are in the middle, as without samples and key"
    if a.form == "strips":
        each = f"{a.grid // a.stride} of each strip of {a.grid} {'is' if a.grid == a.stride else 'are'} drawn"
        return f"{_headline(a.sliding, spec)}, and {each}; without samples and key averages of {a.stride}, as here"
    dilation = f", dilation {a.dilation}" if a.dilation > 1 else ""
    overhang = f" and {a.overhang} of overhang" if a.overhang > 0 else ""
    padding = f", padding {a.low} low and {a.high - max(a.overhang, 0)} high{overhang}" if a.total else ""
    plural = "s" * (a.out != 1)
    if KINDS[spec.kind].weights:
        padding += f", weights {' '.join(map(str, weights(a.window)))} over {sum(weights(a.window))}"
    return f"{a.letter}: {a.out} window{plural} of {a.window}, stride {a.stride}{dilation}{padding}"


def _picture(a: Axis, spec: PoolSpec, counted: bool) -> list[str]:
    """A line for each window, with the count of its cells where that is what an average is divided by."""
    if a.form in ("keep", "whole"):
        return []
    divides = KINDS[spec.kind].averages and spec.divisor_override is None and counted
    shown = range(min(a.out, MOST_WINDOWS))
    rows = [_row(a, o) for o in shown]
    width = max(map(len, rows))
    lines = [f"  window {o}".ljust(10 + (a.out > 10)) + f"  {row:<{width}}" for o, row in enumerate(rows)]
    if divides:
        counts = [known_count(a, o, spec.count_include_pad) for o in shown]
        lines = [f"{line}  divided by {count}" for line, count in zip(lines, counts, strict=True)]
    more = a.out - MOST_WINDOWS
    return [line.rstrip() for line in lines] + ([f"  and {more} more"] if more > 0 else [])


def _row(a: Axis, o: int) -> str:
    cells = a.range_of(o)
    row = "".join("#" if p in cells else "." for p in range(min(a.n, MOST_CELLS)))
    if a.n > MOST_CELLS:
        row += "…"
    if a.form in ("bins", "spread", "parts", "strips"):
        return row
    covered = a.reach(o)
    low = "".join("o" if p in covered else " " for p in range(-min(a.low, MOST_CELLS), 0))
    high = "".join("o" if p in covered else " " for p in range(a.n, a.n + min(a.high, MOST_CELLS)))
    low, high = "…" * (a.low > MOST_CELLS) + low, high + "…" * (a.high > MOST_CELLS)
    return f"{low}{row}{high}".rstrip()
