"""`struct_pool`: the nodes of graphs pooled into clusters, with their adjacency."""

from __future__ import annotations

from typing import Any

from poolkit.errors import ShapeError
from poolkit.running import registry
from poolkit.running.dispatch import pool
from poolkit.running.further import check
from poolkit.spec.signatures import explained
from poolkit.spec.struct_pool import StructPool

Tensor = Any


@explained
def struct_pool(
    x: Tensor,
    adjacency: Tensor,
    unary: Tensor,
    steps: int = 5,
    filter: Tensor | None = None,
    compatibility: Tensor | None = None,
    mask: Tensor | None = None,
    attention: str = "dot",
) -> tuple[Tensor, Tensor]:
    """Pool the nodes of graphs into clusters by the mean field of a conditional random field (StructPool).

    `x` holds nodes, of shape (graphs, nodes, channels) or (nodes, channels); `adjacency` is (graphs, nodes, nodes),
    `unary` scores each node for each cluster, (graphs, nodes, clusters). In each of `steps` a node's scores are its own
    and the average of the other nodes' shares, weighted by dot products of their rows of `x`, or by a softmax of these
    with ``attention="softmax"``. `filter` and `compatibility`, (clusters, clusters), are applied to what it hears.
    `mask`, (graphs, nodes), says which nodes there are. The pair is that of pooled nodes and pooled adjacency.

    >>> import numpy as np
    >>> x, path = np.array([[1.0], [2.0], [4.0]]), np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> nodes, links = struct_pool(x, path, np.array([[9.0, 0.0], [9.0, 0.0], [0.0, 9.0]]), steps=0)
    >>> nodes.round(2), links.round(2)
    (array([[3.],
           [4.]]), array([[2., 1.],
           [1., 0.]]))
    """
    adapter = registry.find(x)
    adapter.check(x)
    check(adapter, {"unary": unary})
    rank = adapter.rank(x, 3)[1]
    scores, axes = adapter.rank(unary, rank)
    clusters = adapter.known_size(scores, axes - 1) if axes > 0 else None
    if rank not in (2, 3) or clusters is None or clusters == 0:
        raise ShapeError(
            f"received nodes of rank {rank} and scores of rank {axes} with {clusters} clusters, and graphs are pooled "
            "from (graphs, nodes, channels) or (nodes, channels), with a known number of clusters from 1 on as the "
            "last size of unary; give tensors of these shapes"
        )
    spec = StructPool(clusters, layout="NLC"[3 - rank :], steps=steps, attention=attention)
    given = {"filter": filter, "compatibility": compatibility, "mask": mask}
    more = {name: t for name, t in given.items() if t is not None}
    both = pool(x, spec, adjacency=adjacency, unary=unary, **more)
    o = adapter.ops(rank, adapter.dtype(both))
    return o.slice(both, rank - 1, 0, -clusters, 1), o.slice(both, rank - 1, -clusters, None, 1)
