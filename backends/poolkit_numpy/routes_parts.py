"""Large arrays in parts: what a program computes on the way then takes little memory, and stays in a cache."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from poolkit.lowering.geometry import letters_of
from poolkit.lowering.parted import in_leading_parts, in_strips, strip
from poolkit.lowering.plan import Plan

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

LARGE = 2**23  # bytes of an array that is pooled in parts; what a program holds on the way is up to 13 times the array
PART = 2**18  # bytes; windows of 3 then take 0.6 of the time of the whole; with 2**16 the time of the calls shows
STRIP = 2**20  # bytes of some lines of a map; with 2**19 an average of 3 takes three times as long, for its counts


def in_parts(plan: AnyPlan, shape: Sequence[int]) -> str:
    """What stands over the function of a program, so that it runs in parts.

    Empty where the array is small, its axes cannot be taken apart, or it is one reduction.
    """
    part = strip_of(plan, shape)
    if isinstance(plan, Plan) and isinstance(part, Plan) and part != plan:
        return in_strips(plan, part, "np.empty_like")
    k, each = _apart(plan), _each(plan, shape)
    if plan.further or k == 0 or math.prod(shape[:k]) * each <= LARGE or _reduces(plan):
        return ""
    return in_leading_parts(plan, k, max(PART // each, 1), "np.empty_like")


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
