"""Sums of cells that are 0 or 1 times what they are, as products of matrices, which read each cell once.

A framework's product adds up a row in any way it likes. So rows are short, and their sums are added up as others are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from poolkit.lowering.axis import Axis
from poolkit.lowering.fold import total

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor

ROW = 8  # cells: 2.5 eps off where all are equal and 512 are added up; with 16 it is 4.2, and 0.9 of the time


def in_a_row(plan: Plan) -> int:
    """How many cells of whole axes between a batch and its channels a row has; 0 where it would have few."""
    if not plan.known or not plan.is_map or plan.at != tuple(range(1, plan.rank - 1)):
        return 0
    cells = math.prod([a.n for a in plan.axes])
    return next((k for k in range(ROW, ROW // 2 - 1, -1) if cells % k == 0), 0)


def product(o: Ops, x: Tensor, ones: Tensor, plan: Plan) -> Tensor:
    """The sum of the products of cells and `ones`, which has one number for all channels."""
    few, flat, channels = in_a_row(plan), o.of_rank(3), o.size(x, plan.rank - 1)
    parts = flat.matmul(flat.reshape(ones, (-1, 1, few)), flat.reshape(x, (-1, few, channels)))
    rows = Axis(1, "", "whole", math.prod([a.n for a in plan.axes]) // few, known=True)
    made = total(flat, flat.reshape(parts, (-1, rows.n, channels)), (rows,))
    return made if plan.rank == 3 else o.reshape(made, (-1, *[1] * len(plan.axes), channels))
