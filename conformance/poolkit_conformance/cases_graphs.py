"""Cases of pooled graphs: padded batches, one graph, everything that can be learned, nodes that hear nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit import StructPool
from poolkit_conformance.case import Case

NAN = float("nan")
_ALL = ("adjacency", "unary", "filter", "compatibility", "mask")


def _case(name: str, shape: tuple[int, ...] = (2, 5, 3), with_: tuple[str, ...] = (), **more: Any) -> Case:
    fields = {key: more.pop(key) for key in ("steps", "attention") if key in more}
    spec = StructPool(4, layout="NLC"[3 - len(shape) :], **fields)
    own = more.pop("own", {})
    tensors = tuple((n, own.get(n, "cells")) for n in _ALL if n in ("adjacency", "unary", *with_))
    return Case(f"struct_{name}", spec, shape, data=more.pop("data", "positive"), tensors=tensors, **more)


GRAPHS = [
    _case("of_graphs"),
    _case("padded", with_=_ALL, few=True, steps=1),
    _case("of_one_graph", (5, 3), with_=("compatibility",)),
    _case("one_graph_padded", (5, 3), with_=("filter", "mask"), own={"mask": "cells int32"}),
    _case("without_steps", steps=0),
    _case("softmax", data="normal", attention="softmax", steps=2),
    _case("softmax_padded", with_=("mask",), data="normal", attention="softmax", steps=2),
    _case("signed", data="normal", dtype="float64", with_=("filter",), steps=2),
    _case("one_node", (2, 1, 3), steps=2),
    _case("without_channels", (2, 4, 0), steps=1),
    _case("without_graphs", (0, 4, 3), steps=1),
    _case("float16", dtype="float16", with_=("mask",), steps=2),
    _case("bfloat16", dtype="bfloat16", steps=1),
    _case("int32", dtype="int32", steps=1),
    _case("links_of_integers", own={"adjacency": "cells int64", "unary": "cells int8"}, steps=1),
    _case("refuses_no_nodes", (2, 0, 3), error="ShapeError"),
]


def _literal(name: str, x: Any, why: str = "", **more: Any) -> Case:
    tensors = tuple((n, more.pop(n)) for n in _ALL if n in more)
    fields = {key: more.pop(key) for key in ("steps",) if key in more}
    clusters = np.shape(dict(tensors)["unary"])[-1]
    layout = "NLC"[3 - np.ndim(x) :]
    return Case(
        name, StructPool(clusters, layout=layout, **fields), np.shape(x), data=x, why=why, tensors=tensors, **more
    )


_PATH = ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 0.0))
_EQUAL = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
GRAPH_LITERALS = [
    _literal(
        "struct_shares_of_one_half",
        ((1, 2), (2, 0), (4, 6)),
        adjacency=_PATH,
        unary=_EQUAL,
        values=((3.5, 4, 1, 1), (3.5, 4, 1, 1)),
    ),
    _literal(
        "struct_nodes_that_are_not_alike_hear_nothing",
        ((1, 0), (0, 3)),
        "the row of weights adds up to 0, and the published code divides by it",
        adjacency=((0.0, 2.0), (1.0, 0.0)),
        unary=((0.0, np.log(3)), (0.0, 0.0)),
        values=((0.25, 1.5, 0.375, 0.625), (0.75, 1.5, 0.875, 1.125)),
    ),
    _literal(
        "struct_one_step_hears_the_other_node",
        ((1,), (1,)),
        "scores of the first are log(3) + 1/2 for the second cluster and 1/2 for the first",
        steps=1,
        adjacency=((0.0, 1.0), (1.0, 0.0)),
        unary=((0.0, np.log(3)), (0.0, 0.0)),
        values=((0.6275406688, 0.1887703344, 0.4387703344), (1.3724593312, 0.4387703344, 0.9336889968)),
    ),
    _literal(
        "struct_padded_nodes_stay_out",
        (((2,), (NAN,), (4,)),),
        mask=((1, 0, 1),),
        adjacency=(((0.0, NAN, 3.0), (NAN, NAN, NAN), (1.0, NAN, 0.0)),),
        unary=(((0.0, 0.0), (NAN, NAN), (0.0, 0.0)),),
        values=(((3, 1, 1), (3, 1, 1)),),
    ),
]
