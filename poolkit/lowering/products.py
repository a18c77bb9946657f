"""Sums of cells that are 0 or 1 times what they are, as products of matrices, which read each cell once.

A framework's product adds up a row in any way it likes. So rows are short, and their sums are added up as others are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from poolkit.lowering.axis import Axis
from poolkit.lowering.fold import total
from poolkit.lowering.routes.stages import factors

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan, Run
    from poolkit.lowering.primitives import Ops, Tensor

ROW = 8  # cells: 2.5 eps off where all are equal and 512 are added up; with 16 it is 4.2, and 0.9 of the time
DOUBLED = 512  # cells up to which rows of 16 are close, where what follows is added up in stages
STAGES = "product in stages"


def in_a_row(plan: Plan, stages: bool = False) -> int:
    """How many cells of whole axes between a batch and its channels a row has; 0 where it would have few.

    With `stages` the sums of rows are added up in two steps of at most 12 (3.7 eps; of 512 cells in rows of 16 3.9).
    """
    if not plan.known or not plan.is_map or plan.at != tuple(range(1, plan.rank - 1)):
        return 0
    cells = math.prod([a.n for a in plan.axes])
    most = 2 * ROW if stages and cells <= DOUBLED else ROW
    few = next((k for k in range(most, most // 2 - 1, -1) if cells % k == 0), 0)
    return few if few and (not stages or factors(cells // few, 2)) else 0


def product(o: Ops, x: Tensor, ones: Tensor, plan: Plan, way: str = "product") -> Tensor:
    """The sum of the products of cells and `ones`, which has one number for all channels."""
    stages = way == STAGES
    few, cells = in_a_row(plan, stages), math.prod([a.n for a in plan.axes])
    parts = [*reversed(factors(cells // few, 2) or ())] if stages else [cells // few]
    wide = o.of_rank(len(parts) + 3)
    made = wide.matmul(o.rows(ones, (*parts, 1, few)), o.rows(x, (*parts, few), plan.rank - 1))
    for at in range(len(parts), 0, -1):
        row = Axis(at, "", "whole", parts[at - 1], known=True)
        made = wide.running(made, (at,)) if stages else total(wide, made, (row,))
    left = len(parts) + 3 - plan.rank
    return wide.drop(made, tuple(range(1, left + 1))) if left > 0 else made if not left else wide.expand(made, 1)


def tried(o: Ops, x: Tensor, mask: Tensor, ones: Tensor, plan: Plan, run: Run, way: str) -> Tensor:
    """The sum of real cells. To multiply takes a third of the time of a choice, but hands on a masked NaN."""
    made = run(o.multiply(x, ones))[0] if way == "tried" else product(o, x, ones, plan, way)
    return o.branch(o.between(made, -math.inf, math.inf), lambda x: made, lambda x: run(o.where(mask, x, 0))[0], x)
