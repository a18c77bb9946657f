"""Large batches and large maps some at a time, in calls made one by one: what is made on the way stays in a cache.

Two arrays of 6 MB or more are new pages of memory at each call, to which a C library's `free` gives them back: a
softmax of (8, 512, 768) tokens takes half as long of one in the batch at a time, forward and with its gradient.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.plan import Plan
from poolkit.spec.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.lowering.backend import Situation
    from poolkit.lowering.plan import AnyPlan

MANY = 3 * 2**19  # numbers of a batch
SOME = 2**19  # numbers at a time

SOURCE = '''\
def in_parts(pool):
    """Pool {some} of a batch at a time, so that what is computed on the way takes little memory."""
    return lambda x: {parts}


@in_parts'''


def in_parts(plan: AnyPlan, situation: Situation, shape: Sequence[Any], parts: str) -> str:
    """What stands over the function of a program that makes other cells of a large batch before it adds them up.

    The derivative of windows, in which most is as large as the input, gains nothing. `parts` is what pools them, in a
    framework's words, of `{some}` at a time.
    """
    if not isinstance(plan, Plan) or plan.at[0] == 0 or shape[0] == 1 or math.prod(shape) < MANY:
        return ""
    facts, some = KINDS[plan.kind], max(SOME // math.prod(shape[1:]), 1)
    as_they_are = facts.selects or facts.adds or "plain" in facts.by_sums
    whole = plan.is_map or not situation.derivative
    return SOURCE.format(some=some, parts=parts.format(some=some)) if whole and not as_they_are else ""


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
SPANS = 4  # how many windows, or strides, long a strip is at least: a quarter of such a one is read twice


def in_leading_parts(plan: AnyPlan, k: int, step: int, empty: str) -> str:
    """What stands over the function of a program that pools `step` at a time along the first `k` axes.

    `empty` makes an array like another one, in a framework's words.
    """
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


def strip(plan: AnyPlan, lines: int) -> AnyPlan:
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


def in_strips(plan: Plan, part: Plan, empty: str) -> str:
    """What stands over the function of a program for a `strip`; `empty` as above."""
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
