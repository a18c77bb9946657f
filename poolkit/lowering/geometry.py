"""A spec and an input's sizes become axes: the windows and bins of each pooled axis, in exact integers.

This is the only place where a window's size is computed. A size is an int (*known*) or a symbol of some tracer
(`torch.SymInt`, a JAX dimension expression, a TensorFlow scalar, a recorded name). Symbols are added, multiplied
and divided with ``//``; they are never compared, so that nothing here depends on what a symbol turns out to be.

Notation, as in docs/semantics.md: an axis of `n` cells, window `k`, stride `s`, dilation `r`, `span = r*(k-1)+1`;
window `o` covers `o*s - low + r*j` for `j` in `0..k-1`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from poolkit.errors import ShapeError
from poolkit.lowering import spread as spreading
from poolkit.lowering.axis import Axis as Axis
from poolkit.lowering.axis import Form, Size
from poolkit.spec.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.spec.operation import Operation
    from poolkit.spec.pool_spec import PoolSpec

Padding = str | tuple[int, int]

SPATIAL = {1: "L", 2: "HW", 3: "DHW"}
MOST_SEARCHED = 2**20  # windows that are looked at one by one
MORE_SPATIAL = "STUVXYZDHWLABEFG"


def letters_of(spec: Operation, rank: int) -> str:
    """The layout's letters, one for each of the last axes of an input of this rank."""
    if spec.layout not in ("channels_first", "channels_last"):
        return spec.letters
    count = rank - 2
    if count < 1:
        raise ShapeError(
            f"{spec.layout} needs batch, channels and at least one spatial axis, received an input of rank {rank}; "
            'for an unbatched input write its layout out, as in layout="CHW"'
        )
    spatial = SPATIAL.get(count, MORE_SPATIAL[:count])
    return f"NC{spatial}" if spec.layout == "channels_first" else f"N{spatial}C"


def leading(spec: Operation, rank: int) -> int:
    """How many axes of an input of this rank stand before the layout's first letter."""
    letters = letters_of(spec, rank)
    more = rank - len(letters)
    if more < 0 or (more > 0 and not spec.layout.startswith("...")):
        at_least = "at least " if spec.layout.startswith("...") else ""
        raise ShapeError(
            f"layout {spec.layout} describes {at_least}{len(letters)} axes, received an input of rank {rank}; "
            f"give the layout of this input, or reshape it"
        )
    return more


def positions(spec: Operation, rank: int) -> tuple[int, ...]:
    """The pooled axes as positions in an input of this rank."""
    letters, more = letters_of(spec, rank), leading(spec, rank)
    pooled = spec.axes if spec.axes is not None else [c for c in letters if c not in "NC"]
    return tuple(more + letters.index(c) for c in pooled)


def axes_of(
    spec: PoolSpec,
    rank: int,
    size: Callable[[int], tuple[Size, bool]],
) -> tuple[Axis, ...]:
    """The axes of a spec on an input of this rank; `size(at)` gives a length and whether it is a known int."""
    letters, more = letters_of(spec, rank), leading(spec, rank)
    ats = positions(spec, rank)
    made: list[Axis] = []
    for i, at in enumerate(ats):
        n, known = size(at)
        letter = letters[at - more]
        if KINDS[spec.kind].spreads and (n >= 1 if known else True):
            made.append(_spread_axis(spec, i, len(ats), at, letter, n, known))
            continue
        unchanged = spec.output_size is not None and spread(spec.output_size, i, len(ats)) is None
        if known and n < 1 and not unchanged:
            raise ShapeError(
                f"axis {letter} has size 0, and a pooled axis needs at least one cell: "
                f"received an input whose axis {at} is empty for {spec}; pool a non-empty input"
            )
        if spec.output_size is not None:
            made.append(_adaptive_axis(at, letter, n, known, spread(spec.output_size, i, len(ats))))
        else:
            made.append(_window_axis(spec, i, len(ats), at, letter, n, known))
    return tuple(made)


def spread(value: Any, i: int, count: int) -> Any:
    """Entry `i` of a field that holds one value for all axes or a tuple with one an axis."""
    if not isinstance(value, tuple):
        return _constant(value)
    entries = cast("tuple[object, ...]", value)
    if len(entries) != count:
        raise ShapeError(
            f"received {entries!r}, which has {len(entries)} entries, for an input with {count} pooled axes; "
            f"give one int, or {count} entries"
        )
    return _constant(entries[i])


def _constant(value: Any) -> Any:
    """The same number. Dynamo takes a spec's ints for symbols with ``dynamic=True``; the length of a range is none."""
    if isinstance(value, tuple):
        return tuple([_constant(v) for v in cast("tuple[object, ...]", value)])
    return len(range(value)) if isinstance(value, int) else value


def _spread_axis(spec: PoolSpec, i: int, count: int, at: int, letter: str, n: Size, known: bool) -> Axis:
    window, size = (None if v is None else spread(v, i, count) for v in (spec.window, spec.output_size))
    ratio = spread(dict(spec.options)["output_ratio"], i, count)
    if size is None and ratio is None:
        return Axis(at, letter, "keep", n, known, n if known else None)
    if not known:
        return Axis(at, letter, "parts" if window is None else "spread", n, False, size, window or 1)
    out = spreading.count(n, size, ratio)
    spreading.check(letter, n, window, out)
    form: Form = "parts" if window is None else "spread"
    return Axis(at, letter, form, n, True, out, window or -(-n // out) + 1)


def _adaptive_axis(at: int, letter: str, n: Size, known: bool, o: int | None) -> Axis:
    if o == 1:
        return Axis(at, letter, "whole", n, known, 1)
    if o is None or (known and o == n):
        return Axis(at, letter, "keep", n, known, n if known else o)
    return Axis(at, letter, "bins", n, known, o)


def _window_axis(spec: PoolSpec, i: int, count: int, at: int, letter: str, n: Size, known: bool) -> Axis:
    k, s, r = (spread(v, i, count) for v in (spec.window, spec.stride, spec.dilation))
    p: Padding = spec.padding if isinstance(spec.padding, str) else _pair(spread(spec.padding, i, count))
    strips = KINDS[spec.kind].strips
    sliding = Axis(at, letter, "taps", n, known, None, k, 1 if strips else s, r)
    axis = _same(sliding, p) if p in ("same", "same_lower") else _explicit(sliding, p, spec.ceil_mode)
    _check_windows(axis, spec)
    return _strips(axis, s, spread(dict(spec.options)["grid"], i, count) or s) if strips else axis


def _strips(a: Axis, stride: int, grid: int) -> Axis:
    """Each strip of `grid` windows with stride 1 gives as many as a stride would; the last has what remains."""
    made = dataclasses.replace(a, form="strips", stride=stride, grid=grid, out=None)
    if not a.known:
        return made
    strips, drawn = a.n // grid, grid // stride
    last = a.out - (strips - 1) * grid
    if strips < 1 or last < drawn or a.out <= strips * grid - stride - stride // 2:
        raise ShapeError(
            f"received axis {a.letter} of size {a.n}, which has {strips} strips of {grid} cells and {a.out} windows of "
            f"{a.window} with stride 1, and {drawn} windows are drawn from each strip; give a smaller window or grid"
        )
    return dataclasses.replace(made, out=strips * drawn)


def _pair(p: int | tuple[int, int]) -> tuple[int, int]:
    return (p, p) if isinstance(p, int) else p


def _same(a: Axis, p: Padding) -> Axis:
    """The TensorFlow rule: ceil(n/s) windows; the odd cell of padding is high (`same`) or low (`same_lower`)."""

    def share(total: Size) -> Size:
        return total // 2 if p == "same" else total - total // 2

    if a.stride == 1:
        return dataclasses.replace(a, out=a.n if a.known else None, low=share(a.span - 1), total=a.span - 1)
    if a.known:
        out = -(-a.n // a.stride)
        total = max((out - 1) * a.stride + a.span - a.n, 0)
        return dataclasses.replace(a, out=out, low=share(total), total=total)
    # `span - 1` in all gives ceil(n/s) windows for every n; what exceeds the rule's own padding holds no real cell.
    least = share(max(a.span - a.stride, 0))
    lows = tuple(range(least, share(a.span - 1) + 1)[:MOST_SEARCHED])
    low = least if len(lows) == 1 else _low_of(a, least, share)
    return dataclasses.replace(a, low=low, total=a.span - 1, lows=lows, rule=str(p))


def _low_of(a: Axis, least: int, share: Callable[[Size], Size]) -> Size:
    """The padding before an axis whose length is a symbol; each operation is a node of an exported graph."""
    if a.stride == 2:  # one cell more of padding where the length is odd
        return a.n % 2 + least if least else a.n % 2
    wanted = a.span - 1 - (a.n - 1) % a.stride
    if a.span < a.stride:
        # max(wanted, 0), for it is between -s and s; symbols have no maximum.
        wanted = wanted * ((wanted + a.stride) // a.stride)
    return share(wanted)


def _explicit(a: Axis, p: Padding, ceil_mode: bool) -> Axis:
    """Given padding; in ceil mode with an overhang behind it, so that the last partial window fits."""
    if isinstance(p, str):
        low, high = (a.span - 1, 0) if p == "causal" else (0, 0)
    else:
        low, high = p
    if not a.known:
        # As many windows as by the rule below for every length; no window starts in a negative overhang.
        overhang = min(a.stride - 1, a.span - 1 - high) if ceil_mode else 0
        return dataclasses.replace(a, low=low, total=low + high + overhang, overhang=overhang)
    room = a.n + low + high - a.span
    if not ceil_mode:
        return dataclasses.replace(a, out=room // a.stride + 1, low=low, total=low + high)
    # PyTorch's rule: a window that would start in the high padding is dropped. PyTorch's own padding is at most half a
    # window, so that it drops one at most; a padding of a window and more holds several.
    out = min(-(-room // a.stride), (a.n + low - 1) // a.stride) + 1
    overhang = max((out - 1) * a.stride - room, -high)
    return dataclasses.replace(a, out=out, low=low, total=low + high + overhang, overhang=overhang)


def _check_windows(a: Axis, spec: PoolSpec) -> None:
    if a.known and a.out < 1:
        raise ShapeError(
            f"a window of {a.window} with dilation {a.dilation} spans {a.span} cells and does not fit axis {a.letter} "
            f"of size {a.n} with {a.total} of padding ({spec}); use a smaller window, or padding"
        )
    if not a.known:
        if isinstance(a.low, int) and a.low > a.span - 1:
            raise _empty_window(a, 0)
        if isinstance(a.high, int) and a.overhang == 0 and a.high > a.span + a.stride - 2:
            raise _empty_window(a, -1)  # whatever the size, the last window starts in the padding behind
        return
    # The windows that start in the low padding. Later ones have more real cells, unless a dilation steps over all.
    starting = min(a.out, -(-a.low // a.stride), 1 if a.dilation <= a.n else a.dilation)
    if starting > MOST_SEARCHED:
        raise ShapeError(
            f"received a dilation of {a.dilation}, and over {a.n} cells {MOST_SEARCHED} is the most; use a smaller one"
        )
    for o in range(starting):
        first_real = a.low - o * a.stride
        j = -(-first_real // a.dilation)
        if j >= a.window or o * a.stride - a.low + j * a.dilation >= a.n:
            raise _empty_window(a, o)
    if (a.out - 1) * a.stride - a.low >= a.n:
        raise _empty_window(a, a.out - 1)
    if ("pad_mode", "reflect") in spec.options and max(a.low, a.reached) >= a.n:
        raise ShapeError(
            f"received axis {a.letter} of size {a.n} with padding ({a.low}, {a.reached}), and mirrored padding has "
            f'fewer cells than the axis ({spec}); use less of it, or pad_mode="replicate"'
        )


def _empty_window(a: Axis, o: int) -> ShapeError:
    size = f" of size {a.n}" if a.known else ""
    window = "the last window" if o < 0 else f"window {o}"
    return ShapeError(
        f"{window} along axis {a.letter}{size} covers padding only, and a window needs at least one real cell "
        f"(window {a.window}, stride {a.stride}, dilation {a.dilation}, padding ({a.low}, {a.high})); use less padding"
    )
