"""Large arrays in parts that are written into one result, so that what a program makes on the way stays in a cache.

For a framework whose arrays can be written to, and whose calls are made one by one (measured with NumPy).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from poolkit.lowering.geometry import letters_of
from poolkit.lowering.plan import Plan
from poolkit.spec.dtypes import BYTES

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

# A program that is right for a part is right for the whole, so it stays as it is, with this over it.
LEADING = '''\
def in_parts(pool):
    """Pool {step} at a time along the first axes, so that a large array takes little memory besides the result."""

    def run(x):
        flat = x.reshape({ones}-1, *x.shape[{k}:])
        results = None
        for i in range(0, max(flat.shape[{at}], 1), {step}):
            parts = {one}pool(flat[{every}i : i + {step}]){more}
            results = results or [{empty}(t, shape=({ones}flat.shape[{at}], *t.shape[{k}:])) for t in parts]
            for result, part in zip(results, parts):
                result[{every}i : i + {step}] = part
        results = [result.reshape(*x.shape[:{k}], *result.shape[{k}:]) for result in results]
        return {returned}

    return run


@in_parts'''

# Windows that reach over an end of a strip which is none of the map are left out, so that the numbers are the map's.
STRIPS = '''\
def in_strips(pool):
    """Pool {n} of axis {letter} at a time, so that a large map takes little memory besides the result."""

    def run(x):
        results, done = None, 0
        for first in (*range(0, {last}, {step}), {last}):
            parts = {one}pool(x[{every}first * {stride} : first * {stride} + {n}]){more}{moved}
            end = {out} if first == {last} else first + {stop}
            results = results or [{empty}(t, shape=(*t.shape[:{at}], {out}, *t.shape[{at} + 1:])) for t in parts]
            for result, part in zip(results, parts):
                result[{every}done:end] = part[{every}done - first : end - first]
            done = end
        return {returned}

    return run


@in_strips'''
LARGE = 2**23  # bytes of an array that is pooled in parts; what a program holds on the way is up to 13 times the array
PART = 2**18  # bytes; windows of 3 then take 0.6 of the time of the whole; with 2**16 the time of the calls shows
STRIP = 2**20  # bytes of some lines of a map; with 2**19 an average of 3 takes three times as long, for its counts
SPANS = 4  # how many windows, or strides, long a strip is at least: a quarter of such a one is read twice


def array_in_parts(plan: AnyPlan, shape: Sequence[int], empty: str) -> str:
    """What stands over the function of a program, so that it runs in parts; `empty` makes an array like another one.

    Empty where the array is small, its axes cannot be taken apart, or it is one reduction.
    """
    part = strip_of(plan, shape)
    if isinstance(plan, Plan) and isinstance(part, Plan) and part != plan:
        return _in_strips(plan, part, empty)
    k, each = _apart(plan), _each(plan, shape)
    if plan.further or k == 0 or math.prod(shape[:k]) * each <= LARGE or _reduces(plan):
        return ""
    return _in_leading_parts(plan, k, max(PART // each, 1), empty)


def strip_of(plan: AnyPlan, shape: Sequence[int]) -> AnyPlan:
    """The plan of some lines of a map that is large by itself; otherwise the plan itself."""
    k, each = _apart(plan), _each(plan, shape)
    return _strip(plan, STRIP * shape[k] // (each * max(math.prod(shape[:k]), 1))) if each > LARGE else plan


def _each(plan: AnyPlan, shape: Sequence[int]) -> int:
    """Bytes of what is pooled on its own."""
    return math.prod(shape[_apart(plan) :]) * BYTES[plan.dtype]


def _apart(plan: AnyPlan) -> int:
    """How many of the first axes are pooled each on its own: those before the pooled ones, or of a batch alone."""
    before = min(a.at for a in plan.axes)
    if isinstance(plan, Plan):
        return before
    return min(before, plan.rank - len(letters_of(plan.spec, plan.rank).lstrip("N")))


def _reduces(plan: AnyPlan) -> bool:
    """Whether it is one reduction: nothing large lies between, and in parts a maximum takes 1.3 times as long."""
    plain = isinstance(plan, Plan) and plan.kind in ("max", "min", "avg", "sum") and plan.work == plan.dtype
    return plain and not plan.spec.indices and all(a.form == "whole" for a in plan.axes)


def _in_leading_parts(plan: AnyPlan, k: int, step: int, empty: str) -> str:
    """Over a program that pools `step` at a time along the first `k` axes."""
    return LEADING.format(
        k=k,
        at=k - 1,
        ones="1, " * (k - 1),
        every=":, " * (k - 1),
        step=step,
        empty=empty,
        **_results(plan.spec.indices),
    )


def _results(pair: bool) -> dict[str, str]:
    """How a text takes the values, or values and indices, of a part."""
    return {
        "one": "" if pair else "[",
        "more": "" if pair else "]",
        "returned": "tuple(results)" if pair else "results[0]",
    }


def _strip(plan: AnyPlan, lines: int) -> AnyPlan:
    """The plan of `lines` along the first pooled axis of a large map, or a few more; itself where that is no part.

    A strip ends where the map does for some whole number of strides, so that its padding is the map's.
    """
    if not isinstance(plan, Plan) or plan.further or not plan.known or plan.axes[0].form != "taps":
        return plan
    a = plan.axes[0]
    n = max(lines, SPANS * max(a.span, a.stride) + a.total)
    n += (a.n - n) % a.stride
    if 2 * n > a.n:
        return plan
    part = dataclasses.replace(a, n=n, out=a.out - (a.n - n) // a.stride)
    return dataclasses.replace(plan, axes=(part, *plan.axes[1:]))


def _in_strips(plan: Plan, part: Plan, empty: str) -> str:
    """Over a program that pools a strip."""
    a, n, pair = plan.axes[0], part.axes[0].n, plan.spec.indices
    stop = (n + a.low - a.span) // a.stride + 1
    below = a.stride * math.prod([b.n for b in plan.axes[1:]])  # how far positions of a map move by each window
    return STRIPS.format(
        n=n,
        letter=a.letter,
        out=a.out,
        at=a.at,
        stride=a.stride,
        last=(a.n - n) // a.stride,
        step=stop - -(-a.low // a.stride),  # the windows that begin in the padding of a strip are the last one's
        stop=stop,
        every=":, " * a.at,
        empty=empty,
        moved=f"\n            parts[1][...] += first * {below}" if pair else "",
        **_results(pair),
    )
