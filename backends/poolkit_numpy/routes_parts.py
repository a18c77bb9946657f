"""Large arrays in parts: what a program computes on the way then takes little memory, and stays in a cache."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from poolkit.lowering.geometry import letters_of
from poolkit.lowering.parted import in_strips as strips
from poolkit.lowering.parted import strip
from poolkit.lowering.plan import Plan

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

LARGE = 2**23  # bytes of an array that is pooled in parts; what a program holds on the way is up to 13 times the array
PART = 2**18  # bytes; windows of 3 then take 0.6 of the time of the whole; with 2**16 the time of the calls shows
STRIP = 2**20  # bytes of some lines of a map; with 2**19 an average of 3 takes three times as long, for its counts

# A program that is right for a part is right for the whole, so it stays as it is, with this over it.
SOURCE = '''\
def in_parts(pool):
    """Pool {step} at a time along the first axes, so that a large array takes little memory besides the result."""

    def run(x):
        flat = x.reshape({ones}-1, *x.shape[{k}:])
        results = None
        for i in range(0, max(flat.shape[{at}], 1), {step}):
            parts = {one}pool(flat[{every}i : i + {step}]){more}
            results = results or [np.empty_like(t, shape=({ones}flat.shape[{at}], *t.shape[{k}:])) for t in parts]
            for result, part in zip(results, parts):
                result[{every}i : i + {step}] = part
        {made} = [result.reshape(*x.shape[:{k}], *result.shape[{k}:]) for result in results]
        return {returned}

    return run


@in_parts'''


def in_parts(plan: AnyPlan, shape: Sequence[int]) -> str:
    """What stands over the function of a program, so that it runs in parts.

    Empty where the array is small, its axes cannot be taken apart, or it is one reduction.
    """
    part = strip_of(plan, shape)
    if isinstance(plan, Plan) and isinstance(part, Plan) and part != plan:
        return strips(plan, part, "np.empty_like")
    k, each = _apart(plan), _each(plan, shape)
    if plan.further or k == 0 or math.prod(shape[:k]) * each <= LARGE or _reduces(plan):
        return ""
    pair = plan.spec.indices
    return SOURCE.format(
        k=k,
        at=k - 1,
        ones="1, " * (k - 1),
        every=":, " * (k - 1),
        step=max(PART // each, 1),
        one="" if pair else "[",
        more="" if pair else "]",
        made="values, indices" if pair else "[values]",
        returned="values, indices" if pair else "values",
    )


def strip_of(plan: AnyPlan, shape: Sequence[int]) -> AnyPlan:
    """The plan of some lines of a map that is large by itself; otherwise the plan itself."""
    k, each = _apart(plan), _each(plan, shape)
    return strip(plan, STRIP * shape[k] // (each * max(math.prod(shape[:k]), 1))) if each > LARGE else plan


def _each(plan: AnyPlan, shape: Sequence[int]) -> int:
    """Bytes of what is pooled on its own."""
    return math.prod(shape[_apart(plan) :]) * (2 if plan.dtype == "bfloat16" else np.dtype(plan.dtype).itemsize)


def _apart(plan: AnyPlan) -> int:
    """How many of the first axes are pooled each on its own: those before the pooled ones, or of a batch alone."""
    before = min(a.at for a in plan.axes)
    return (
        before if isinstance(plan, Plan) else min(before, plan.rank - len(letters_of(plan.spec, plan.rank).lstrip("N")))
    )


def _reduces(plan: AnyPlan) -> bool:
    """Whether it is one reduction: nothing large lies between, and in parts a maximum takes 1.3 times as long."""
    plain = isinstance(plan, Plan) and plan.kind in ("max", "min", "avg", "sum") and plan.work == plan.dtype
    return plain and not plan.spec.indices and all(a.form == "whole" for a in plan.axes)
