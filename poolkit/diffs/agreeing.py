"""At which input sizes two specs give the same numbers: their windows and divisors, compared as integers.

Axes are compared in order, whatever their letters and wherever batch and channels stand. A pooled axis that one spec
keeps with size 1 and the other drops holds the same numbers. What two different kinds happen to give alike is not
looked for: the lower median of two cells is their minimum, and counts as different.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from poolkit.dialects.normal import normal
from poolkit.diffs.along import letters, one_axis, plain
from poolkit.diffs.wording import EVERY, Holds, sizes_text
from poolkit.errors import InputError, ShapeError
from poolkit.lowering.axis import Axis
from poolkit.lowering.count import known_counts
from poolkit.lowering.geometry import axes_of
from poolkit.lowering.kinds.blurred import places, weights
from poolkit.spec.kinds import KINDS
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

SEARCHED, MOST = 64, 2048  # sizes an axis; the latter where windows are so large that 64 say nothing

# What two specs do at one length of one axis: None if neither fits, False if their windows differ, otherwise the
# number by which A's divisor is larger along this axis.
State = Fraction | bool | None


def agreement(a: PoolSpec, b: PoolSpec) -> str:
    """The input sizes at which two specs give the same numbers, as text that follows "they agree".

    Lengths from 1 to 64 of every axis are compared, and more where the windows are larger; a rule beyond them is
    continued. `InputError` where the specs have different numbers of spatial axes.

    >>> from poolkit import AvgPool, GlobalAvgPool, MaxPool
    >>> agreement(AvgPool(7, 1, layout="NCHW"), GlobalAvgPool(layout="NHWC", keepdims=True))
    'at 7x7 only'
    >>> agreement(MaxPool(3, 2, "same", layout="NHWC"), MaxPool(3, 2, 1, layout="NCHW"))
    'at odd sizes and at 2'
    """
    first, second = aligned(a, b)
    return agreement_of(first, second, letters(a, len(first.axes or "")))


def same_at(a: PoolSpec, b: PoolSpec, sizes: Sequence[int]) -> bool:
    """Whether two specs give the same numbers on inputs with these lengths of their spatial axes, and both fit them.

    >>> from poolkit import AvgPool, GlobalAvgPool
    >>> a, b = AvgPool(7, 1, layout="NCHW"), GlobalAvgPool(layout="NHWC", keepdims=True)
    >>> [same_at(a, b, (n, n)) for n in (6, 7, 8)]
    [False, True, False]
    """
    first, second = aligned(a, b, len(sizes))
    if len(first.axes or "") != len(sizes):
        raise InputError(
            f"received the sizes {tuple(sizes)} for {a}, which has {len(first.axes or '')} spatial axes; "
            "give one size for each of them"
        )
    return agrees(states_at(first, second, sizes), ratio(first, second))


def agrees(states: Sequence[State], rest: Fraction) -> bool:
    """Whether the numbers are the same, given the states of all axes and the ratio of what else is divided by."""
    if any(state is None or state is False for state in states):
        return False
    return math.prod(map(Fraction, states), start=rest) == 1  # type: ignore[arg-type]  # no None is left


# ----------------------------------------------------------------------------------------------- two specs side by side


def aligned(a: PoolSpec, b: PoolSpec, count: int | None = None) -> tuple[PoolSpec, PoolSpec]:
    """Both with spatial axes alone and a value for each; `count` is how many they have where no layout says so."""
    own_a, own_b = spatial_count(a), spatial_count(b)
    here, there = own_a or own_b or count or 2, own_b or own_a or count or 2
    if here != there:
        raise InputError(
            f"received A ({a}) and B ({b}), whose inputs have {here} and {there} spatial axes, and windows are "
            "compared axis by axis; give two with equally many"
        )
    return plain(a, here), plain(b, there)


def spatial_count(spec: PoolSpec) -> int | None:
    """How many spatial axes a spec has, None where neither its layout nor a value says so."""
    if spec.spatial is not None:
        return len(spec.spatial)
    shares = dict(spec.options).get("output_ratio")
    several = (spec.window, spec.stride, spec.dilation, spec.output_size, spec.padding, shares)
    return next((len(value) for value in several if is_many(value)), None)


# ------------------------------------------------------------------------------------------- windows along one axis


def axis_of(spec: PoolSpec, n: int) -> Axis | None:
    """The axis of a spec from `one_axis` at a length; None where it does not fit."""
    try:
        return axes_of(spec, 1, lambda at: (n, True))[0]
    except ShapeError:
        return None


def cells_of(spec: PoolSpec, axis: Axis) -> list[Sequence[Any]]:
    """The cells of each window of such an axis; one that counts more than once stands there as often."""
    if axis.form == "strips":
        return [_maxima(axis, o) for o in range(axis.out)]
    if not KINDS[spec.kind].weights:
        return [*axis.ranges()]
    return [_in_order(counted) for counted in _weighted(spec, axis)]


def _maxima(axis: Axis, o: int) -> Sequence[Any]:
    """The windows with stride 1 that are averaged, and how often each of them counts; of one its cells."""
    windows, first = axis.sliding, o * axis.stride - axis.stride // 2
    counted = Counter([windows.range_of(j) for j in range(max(first, 0), min(first + axis.stride, windows.out))])
    most = math.gcd(*counted.values())
    return next(iter(counted)) if len(counted) == 1 else tuple([(cells, n // most) for cells, n in counted.items()])


def positions(window: Sequence[Any]) -> Sequence[int]:
    """The cells of a window from `cells_of`, where these are of several windows each once."""
    several = isinstance(window[0], tuple)
    return sorted({p for cells, _ in window for p in cells}) if several else window


def _weighted(spec: PoolSpec, axis: Axis) -> list[dict[int, int]]:
    """How much each cell counts in each window."""
    found: list[dict[int, int]] = []
    for o in range(axis.out):
        counted: dict[int, int] = {}
        for p, weight in zip(places(axis, o, dict(spec.options)["pad_mode"]), weights(axis.window), strict=True):
            counted[p] = counted.get(p, 0) + weight
        found.append({p: counted[p] for p in sorted(counted) if p >= 0})
    return found


def _in_order(counted: dict[int, int]) -> Sequence[int]:
    """As a range where all cells count alike, for it is then compared with those of other kinds."""
    cells, most = list(counted), math.gcd(*counted.values())
    step = cells[1] - cells[0] if len(cells) > 1 else 1
    line = range(cells[0], cells[-1] + 1, step)
    alike = len(set(counted.values())) == 1 and list(line) == cells
    return line if alike else tuple([p for p in cells for _ in range(counted[p] // most)])


def counts_of(spec: PoolSpec, axis: Axis, cells: Sequence[Sequence[int]]) -> list[int]:
    """What each window of such an axis contributes to the divisor."""
    if KINDS[spec.kind].weights:
        total = sum(weights(axis.window))
        return [total // math.gcd(*counted.values()) for counted in _weighted(spec, axis)]
    if _equal_weights(spec):
        return [len(window) for window in cells]
    if not KINDS[spec.kind].averages or spec.divisor_override is not None:
        return [1] * len(cells)
    if axis.form in ("whole", "keep"):
        return [len(window) for window in cells]
    return known_counts(axis, spec.count_include_pad)


def _equal_weights(spec: PoolSpec) -> bool:
    """Whether the kind is the average of the real cells with these options, as softmax with beta 0 is."""
    average = KINDS[spec.kind].average_at
    return average is not None and average.items() <= dict(spec.options).items()


def measure(spec: PoolSpec) -> tuple[Any, ...]:
    """What is done with a window's cells: the same word for all that add them and divide."""
    facts = KINDS[spec.kind]
    if facts.adds or facts.weights or _equal_weights(spec):
        return ("linear",)
    if facts.spreads:
        return (spec.kind,)  # its options say where the windows are
    if facts.strips:
        return (spec.kind,)  # its cells say which windows are averaged
    return (spec.kind, *[(name, value) for name, value in spec.options if not facts.options[name].gradient])


def alone(spec: PoolSpec) -> str:
    """What a window of one cell gives, empty where it is that cell."""
    return KINDS[spec.kind].alone(dict(spec.options))


def alike(a: PoolSpec, b: PoolSpec, single: bool) -> bool:
    """Whether two specs do the same with the cells of equal windows, which are `single` cells or not."""
    return measure(a) == measure(b) or (single and alone(a) == alone(b))


def ratio(a: PoolSpec, b: PoolSpec) -> Fraction:
    """By what A's divisor is larger than B's, apart from the counts along axes."""
    return Fraction(a.divisor_override or 1) / Fraction(b.divisor_override or 1)


def states_at(a: PoolSpec, b: PoolSpec, sizes: Sequence[int]) -> list[State]:
    """What two specs from `aligned` do at these sizes, axis by axis."""
    return [state_of(one_axis(a, i), one_axis(b, i), n) for i, n in enumerate(sizes)]


@functools.lru_cache(1 << 16)
def state_of(a: PoolSpec, b: PoolSpec, n: int) -> State:
    first, second = axis_of(a, n), axis_of(b, n)
    if first is None and second is None:
        return None
    if first is None or second is None or first.out != second.out:
        return False
    cells = cells_of(a, first)
    if cells != cells_of(b, second) or not alike(a, b, all(len(window) == 1 for window in cells)):
        return False
    pairs = zip(counts_of(a, first, cells), counts_of(b, second, cells), strict=True)
    ratios = {Fraction(*pair) for pair in set(pairs)}
    return ratios.pop() if len(ratios) == 1 else False


# ---------------------------------------------------------------------------------------------------- the search


@functools.lru_cache(256)
def states(a: PoolSpec, b: PoolSpec) -> tuple[State, ...]:
    """The states of two specs from `one_axis`, at the lengths 1, 2, … up to where they repeat."""
    return tuple(state_of(a, b, n) for n in range(1, limit(a, b) + 1))


def limit(a: PoolSpec, b: PoolSpec) -> int:
    """A length from which on what two specs do repeats, and two more periods."""
    least, fits, steps = zip(*map(_reach, (a, b)), strict=True)
    sizes: list[Any] = [_single(spec.output_size) for spec in (a, b) if spec.output_size is not None]
    bins: int = max([size or 0 for size in sizes], default=0)
    wanted: int = max(fits) + 2 * math.lcm(*steps) + bins * max(steps)
    most: int = max(MOST, max(least) + SEARCHED)
    return min(max(SEARCHED, wanted), most)


def _reach(spec: PoolSpec) -> tuple[int, int, int]:
    """The least length that fits, the cells that a window and its padding take, and the stride."""
    if spec.window is None:
        return 1, 1, 1
    if KINDS[spec.kind].spreads:
        return spec.window[0], spec.window[0], 1  # type: ignore[index]
    window, stride, dilation, padding = (_single(getattr(spec, f)) for f in ("window", "stride", "dilation", "padding"))
    stride = dict(spec.options).get("grid") or stride
    span = dilation * (window - 1) + 1
    if isinstance(padding, str):
        return span if padding == "valid" else 1, 2 * span, stride
    return max(span - sum(padding), 1), span + sum(padding), stride


def _single(value: Any) -> Any:
    return value if isinstance(value, str) else value[0]


def agreement_of(a: PoolSpec, b: PoolSpec, letters: str) -> str:
    """The text of `agreement` for two specs from `aligned`; `letters` are the letters of their axes."""
    if normal(a) == normal(b):
        return EVERY
    lists = [states(one_axis(a, i), one_axis(b, i)) for i in range(len(letters))]
    choices = combinations(lists, ratio(a, b))
    if len(choices) <= 1:
        wanted = choices[0] if choices else (Fraction(-1),) * len(lists)
        return sizes_text([_holds(line, one) for line, one in zip(lists, wanted, strict=True)], letters)
    return _where_divisors_meet(lists, ratio(a, b))


def combinations(lists: Sequence[Sequence[State]], rest: Fraction) -> list[tuple[Fraction, ...]]:
    """The ratios of counts, one an axis, that leave the same divisor."""
    found = [sorted({Fraction(s) for s in line if s is not None and s is not False}) for line in lists]
    return [several for several in itertools.product(*found) if math.prod(several, start=rest) == 1]


def _holds(line: Sequence[State], wanted: Fraction) -> Holds:
    return [None if state is None else state is not False and state == wanted for state in line]


def _where_divisors_meet(lists: Sequence[Sequence[State]], rest: Fraction) -> str:
    """Sizes that are not the same on each axis: a fixed divisor is right for several sizes of the map."""
    sizes = itertools.product(*[range(1, SEARCHED + 1)] * len(lists))
    met = [s for s in sizes if agrees([line[n - 1] for line, n in zip(lists, s, strict=True)], rest)]
    if not met:
        return "never"
    shown = ["x".join(map(str, s)) for s in met]
    few = f"at {', '.join(shown[:6])}"
    return f"{few} only" if len(shown) <= 6 else f"{few} and {len(shown) - 6} more of the sizes up to {SEARCHED}"
