"""Large batches some at a time, in calls made one by one: what is made on the way stays in a cache.

Two arrays of 6 MB or more are new pages of memory at each call, to which a C library's `free` gives them back: a
softmax of (8, 512, 768) tokens takes half as long of one in the batch at a time, forward and with its gradient.
"""

from __future__ import annotations

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


def batch_in_parts(plan: AnyPlan, situation: Situation, shape: Sequence[Any], parts: str, copies: bool) -> str:
    """What stands over the function of a program that makes other cells of a large batch before it adds them up.

    So does one that `copies` where windows overlap cell by cell: windows of windows are each as large as the input, and
    take up to 1.6 times as long at once. The derivative of windows, in which most is as large as the input, gains
    nothing. `parts` is what pools them, in a framework's words, of `{some}` at a time.
    """
    if not isinstance(plan, Plan) or plan.at[0] == 0 or shape[0] == 1 or math.prod(shape) < MANY:
        return ""
    facts, some = KINDS[plan.kind], max(SOME // math.prod(shape[1:]), 1)
    as_they_are = facts.selects or facts.adds or "plain" in facts.by_sums
    overlap = all(a.form in ("taps", "keep") and a.stride == 1 for a in plan.axes)
    slides = copies and overlap and max([a.longest for a in plan.axes]) > 2 and not plan.spec.indices
    whole = plan.is_map or not situation.derivative
    return SOURCE.format(some=some, parts=parts.format(some=some)) if whole and (slides or not as_they_are) else ""
