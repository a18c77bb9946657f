"""PyTorch Geometric's readouts, recognised by name as segments; torch_geometric is not imported."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.dialect import Fields, Word, need_value
from poolkit.errors import NotExactError
from poolkit.spec.operation import Operation
from poolkit.spec.segment import Segment

NN = "torch_geometric.nn"


def _global(name: str, kind: str) -> Word:
    def read(batch: Any, size: Any = None) -> Fields | Operation:
        if batch is None:  # one graph, which keeps its axis of nodes
            return {"kind": kind, "output_size": 1, "layout": "LC"}
        if size is None:
            raise NotExactError(
                "without size the number of graphs is counted in batch when it runs, and a program has to know how "
                "many rows its result has; give size, as in size=32"
            )
        need_value("size", size)
        return Segment(kind, size)

    return Word(f"{NN}.{name}", read, "x", further=(("ids", "batch"),))


GEOMETRIC: tuple[Word, ...] = (
    _global("global_add_pool", "sum"),
    _global("global_mean_pool", "avg"),
    _global("global_max_pool", "max"),
)
