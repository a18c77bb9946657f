"""`diff`: what two poolings do differently, at which sizes they agree all the same, and an example."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from poolkit.diffs import trial
from poolkit.diffs.agreeing import (
    agreement,
    agreement_of,
    agrees,
    alike,
    alone,
    axis_of,
    limit,
    ratio,
    same_at,
    states_at,
)
from poolkit.diffs.along import one_axis, plain
from poolkit.diffs.difference import Difference, Example, Shape
from poolkit.diffs.mixes import mixes_agree, mixes_said_otherwise, sentences_of_mixes
from poolkit.diffs.operands import (
    Operand,
    as_layouts,
    axis_names,
    check_sizes,
    kept_sizes,
    operand,
    settled,
    shape_of,
    sizes_of,
)
from poolkit.diffs.pictures import Lines, lines_of, picture, window_at
from poolkit.diffs.properties import sentences, structure_differs
from poolkit.diffs.wording import EVERY
from poolkit.errors import ShapeError
from poolkit.spec.arguments import as_shape
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained

__all__ = ["Difference", "Example", "agreement", "diff", "same_at"]

Layout = str | tuple[str | None, str | None] | None

SMALL = 16  # the largest size at which outputs of one size are looked for


@explained
def diff(a: Any, b: Any, shape: Sequence[int] | None = None, *, layout: Layout = None) -> Difference:
    """What two poolings do differently, in words and on an example: for "I ported it and the numbers are off".

    Each is what `read` takes, a spec, a composite, or the text of a spec. Layouts may differ: axes are compared in
    order. `shape` is that of an input of A; without it a small one is chosen on which they differ. `layout` is what
    `read` takes, for both or as a pair. No framework is imported.

    >>> found = diff("nn.AdaptiveAvgPool2d(1)", "nn.AvgPool2d(1)")
    >>> found.differences[0], found.agree
    ('B is the identity: its windows hold one cell each', 'at 1x1 only')
    >>> diff("nn.MaxPool2d(3, 2, 1)", "max window=3 stride=2 padding=same layout=NHWC", (1, 1, 4, 4)).cells
    ((0, 0), (0, 1), (1, 0), (1, 1))
    """
    layout_a, layout_b = as_layouts(layout)
    shape = None if shape is None else as_shape(shape)
    given = operand(a, layout_a), operand(b, layout_b)
    check_sizes(shape, given)
    first, second, count = settled(*given, None if shape is None else len(shape))
    letters = axis_names(first, count)
    found, agree, equal = _verdict(first.pools, second.pools, count, letters)
    sizes = _chosen(first, second, count, agree) if shape is None else sizes_of(first, tuple(shape))
    where = tuple(shape) if shape is not None else shape_of(first, sizes, {})
    shapes, notes = _shapes(first, second, where, sizes, asked=shape is not None)
    cells, total, example = _cells(first, second, count, sizes, letters)
    return Difference(
        (first.given, second.given),
        (first.pools, second.pools),
        equal,
        tuple(found),
        agree,
        where,
        shapes,
        cells,
        total,
        example,
        tuple(notes + _notes(first, second, example is None and bool(cells))),
        letters,
    )


# --------------------------------------------------------------------------------------------------------- in words


def _verdict(a: Operation, b: Operation, count: int, letters: str) -> tuple[list[str], str, bool]:
    """The sentences, the sizes at which they agree, and whether they are equal."""
    if isinstance(a, PoolSpec) and isinstance(b, PoolSpec):
        agree = agreement_of(plain(a, count), plain(b, count), letters)
        equal = agree == EVERY and not structure_differs(a, b)
        said = [] if equal else sentences(a, b, count) or [f"A is {a}, B is {b}"]
    else:
        said, agree = sentences_of_mixes(a, b, count), mixes_agree(a, b, count, letters)
        equal = agree == EVERY and a.keepdims == b.keepdims
    return ([s for s in [mixes_said_otherwise(a, b)] if s] if equal else said), agree, equal


def _notes(a: Operand, b: Operand, no_numpy: bool) -> list[str]:
    notes = [f"{who} ({caveat})" for who, side in (("A", a), ("B", b)) for caveat in side.caveats]
    if a.pools.layout != b.pools.layout:
        notes.insert(0, f"A takes {a.pools.layout} and B {b.pools.layout}; their spatial axes are compared in order")
    if no_numpy and not trial.has_numpy():
        notes.append("there is no example, because NumPy is not installed; run: pip install numpy")
    return notes


# ------------------------------------------------------------------------------------------------- shapes and sizes


def _shapes(
    a: Operand, b: Operand, shape: Shape, sizes: Shape, asked: bool
) -> tuple[tuple[Shape | None, Shape | None], list[str]]:
    """Both outputs' shapes, and why one has none; `ShapeError` where a shape was asked for that fits neither."""
    errors: list[ShapeError] = []
    found: list[Any] = []
    for side, given in ((a, shape), (b, shape_of(b, sizes, kept_sizes(a, shape)))):
        try:
            found.append(side.pools.output_shape(given))
        except ShapeError as error:
            found.append(None)
            errors.append(error)
    if len(errors) == 2 and asked:
        raise errors[0]
    if len(errors) == 2:
        return (None, None), [f"no size was found that fits A or B: {errors[0]}"]
    return (found[0], found[1]), [f"{'A' if found[0] is None else 'B'} does not fit: {error}" for error in errors]


def _chosen(a: Operand, b: Operand, count: int, agree: str) -> Shape:
    """Small sizes at which both fit and, if they do anywhere, differ; with outputs of one size if there are such."""
    pairs = [
        (plain(p, count), plain(q, count)) for p, q in itertools.zip_longest(a.parts, b.parts, fillvalue=a.parts[0])
    ]
    pairs = [(p, q) for p, q in pairs if p != q] or pairs
    most = max(limit(one_axis(p, i), one_axis(q, i)) for p, q in pairs for i in range(count))
    best: dict[int, int] = {}
    for n in (*range(4, most + 1), 3, 2, 1):
        grade = min(_grade(p, q, n, count) for p, q in pairs)
        best.setdefault(grade, n)
        if grade == 0 or (n > SMALL and 1 in best) or (agree == EVERY and grade < 3):
            break
    return (best[min(best)],) * count


def _grade(p: PoolSpec, q: PoolSpec, n: int, count: int) -> int:
    """How well a size shows the difference, 0 best; 4 where neither fits."""
    axes = [[axis_of(one_axis(spec, i), n) for i in range(count)] for spec in (p, q)]
    fit = [all(side) for side in axes]
    if not all(fit):
        return 3 if any(fit) else 4
    if agrees(states_at(p, q, (n,) * count), ratio(p, q)):
        return 2
    outs = [[axis.out for axis in side if axis is not None] for side in axes]
    return 0 if outs[0] == outs[1] else 1


# ----------------------------------------------------------------------------------------------- cells and example


def _cells(
    a: Operand, b: Operand, count: int, sizes: Shape, letters: str
) -> tuple[tuple[Shape, ...], int, Example | None]:
    if not isinstance(a.pools, PoolSpec) or not isinstance(b.pools, PoolSpec):
        return _cells_of_mixes(a.pools, b.pools, count, sizes)
    first, second = (lines_of(plain(side.pools, count), sizes) for side in (a, b))  # type: ignore[arg-type]
    if first is None or second is None:
        return (), 0, None
    grid = [range(max(pair)) for pair in zip(first.out, second.out, strict=True)]
    differing = tuple(p for p in itertools.product(*grid) if _differs(first, second, p))
    return differing, math.prod(map(len, grid)), _example(first, second, differing, sizes, letters)


def _differs(a: Lines, b: Lines, position: Shape) -> bool:
    first, second = window_at(a, position), window_at(b, position)
    if first is None or second is None:
        return True
    single = all(len(cells) == 1 for cells in (*first.cells, *second.cells))
    if single and alone(a.spec).isdigit() and alone(a.spec) == alone(b.spec):
        return False  # as 0 is the standard deviation of any one cell
    if first.cells != second.cells or not alike(a.spec, b.spec, single):
        return True
    counts = [math.prod(line[o] for line, o in zip(side.counts, position, strict=True)) for side in (a, b)]
    return Fraction(*counts) * ratio(a.spec, b.spec) != 1


def _example(a: Lines, b: Lines, differing: tuple[Shape, ...], sizes: Shape, letters: str) -> Example | None:
    """The first cell that both have and whose values differ on a counted input; one that one of them has otherwise."""
    if not differing or not trial.has_numpy():
        return None
    both = [p for p in differing if all(o < min(pair) for o, *pair in zip(p, a.out, b.out, strict=True))]
    for fill, x in trial.fillings(sizes, _telling(a, b, (both or differing)[0])):
        results = [trial.pooled(side.spec, len(sizes), x) for side in (a, b)]
        found = next((p for p in both if abs(results[0][p] - results[1][p]) > 1e-9), None) if both else differing[0]
        if found is not None:
            windows = window_at(a, found), window_at(b, found)
            values = [float(r[found]) if w is not None else None for r, w in zip(results, windows, strict=True)]
            return Example(found, windows, (values[0], values[1]), fill, picture(a, b, found, letters))
    return None


def _telling(a: Lines, b: Lines, position: Shape) -> Shape:
    """A cell of the input that only one of two windows covers, or one that both do."""
    windows = [window_at(side, position) for side in (a, b)]
    first, second = (set[Shape]() if one is None else set(itertools.product(*one.cells)) for one in windows)
    return min(first ^ second or first)


def _cells_of_mixes(
    a: Operation, b: Operation, count: int, sizes: Shape
) -> tuple[tuple[Shape, ...], int, Example | None]:
    """By trial: the cells whose numbers differ on random input, and one of them on a counted input."""
    if not trial.has_numpy():
        return (), 0, None
    try:
        pairs = [[trial.pooled(pools, count, x) for pools in (a, b)] for x in trial.inputs(sizes)]
        found = sorted({at for pair in pairs for at in trial.unequal(*pair)})
        fill, x = next(trial.fillings(sizes, (0,) * count))
        results = [trial.pooled(pools, count, x) for pools in (a, b)]
    except ShapeError:
        return (), 0, None
    if not found or results[0].shape != results[1].shape:
        return tuple(found), results[0].size, None
    at = next((p for p in found if abs(results[0][p] - results[1][p]) > 1e-9), found[0])
    example = Example(at, (None, None), (float(results[0][at]), float(results[1][at])), fill, "")
    return tuple(found), results[0].size, example
