"""`segment`: pool the rows that share a number."""

from __future__ import annotations

from typing import Any

from poolkit.errors import ShapeError
from poolkit.running import registry
from poolkit.running.dispatch import pool_made, pool_through
from poolkit.spec.arguments import as_route
from poolkit.spec.segment import Segment
from poolkit.spec.signatures import explained

Tensor = Any

LETTERS = "LCHWDABEFGIJKMNOPQRSTUVXYZ"  # the rows, then channels and whatever else there is


@explained
def segment(
    x: Tensor,
    ids: Tensor,
    num_segments: int,
    kind: str = "sum",
    empty_value: float = 0.0,
    *,
    route: str | None = None,
) -> Tensor:
    """Pool the rows of a tensor of any framework whose numbers in `ids` are equal, into `num_segments` rows.

    Rows are along the first axis, and need not be in order. `kind` is "sum", "avg", "max", "min" or "softmax", with the
    dtypes, ties, NaN and gradients of `pool`. A row whose number is below 0 or not below `num_segments` is dropped. A
    segment without rows gives `empty_value`, and no gradient. Sums are the framework's own, of float32 in float32; with
    ``route="exact"`` in float64 where there is one.

    >>> import numpy as np
    >>> nodes, graph = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0, 0, 2])
    >>> segment(nodes, graph, 3, "avg")
    array([[2., 3.],
           [0., 0.],
           [5., 6.]])
    """

    def make() -> Segment:
        adapter = registry.find(x)
        adapter.check(x)
        rank = adapter.rank(x, 2)[1]
        if not 1 <= rank <= len(LETTERS):
            raise ShapeError(
                f"received an input of rank {rank}, and segments are made of rows along the first of at most "
                f"{len(LETTERS)} axes; give a tensor of rows"
            )
        return Segment(kind, num_segments, layout=LETTERS[:rank], empty_value=empty_value)

    if route is None:
        return pool_made(x, make, ("segment", kind, num_segments, empty_value), ids=ids)
    return pool_through(x, make(), as_route(route), ids=ids)
