"""Cases of segments: every kind, in order or not, with rows that are dropped and segments without rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit import Segment
from poolkit_conformance.case import Case, Fixed

_KINDS = ("sum", "avg", "max", "min", "softmax")
NAN, INF = float("nan"), float("inf")


def _case(name: str, kind: str, shape: tuple[int, ...] = (9, 3), ids: str = "ids", **more: Any) -> Case:
    fields = {key: more.pop(key) for key in ("empty_value",) if key in more}
    spec = Segment(kind, more.pop("num_segments", 4), layout="LCHW"[: len(shape)], **fields)
    return Case(f"segment_{kind}_{name}", spec, shape, tensors=(("ids", ids),), **more)


SEGMENTS = [
    *(_case("of_rows", kind, few=kind in ("avg", "max", "softmax")) for kind in _KINDS),
    _case("in_order", "avg", ids="ids sorted"),
    *(_case("of_numbers", kind, (9,)) for kind in ("avg", "max")),
    *(_case("of_maps", kind, (7, 2, 3, 2)) for kind in ("max", "softmax")),
    _case("of_lines", "avg", (7, 2, 3), few=True),
    *(_case("nan", kind, data="nan") for kind in _KINDS),
    *(_case("inf", kind, data="inf") for kind in ("sum", "max", "softmax")),
    *(_case("ties", kind, (12, 3), data="ties") for kind in ("max", "min")),
    _case("all_minus_inf", "max", data="all -inf"),
    _case("all_plus_inf", "min", data="all +inf"),
    *(_case(dtype, "avg", dtype=dtype) for dtype in ("float16", "float64", "int32")),
    *(_case(dtype, "max", dtype=dtype) for dtype in ("float16", "bfloat16", "float64", "uint8", "bool")),
    *(_case(dtype, kind, dtype=dtype) for kind, dtype in (("softmax", "float16"), ("sum", "bfloat16"))),
    *(_case("int32", kind, dtype="int32", data="extremes") for kind in ("max", "min")),
    *(_case(f"ids_{dtype}", "avg", ids=f"ids {dtype}") for dtype in ("uint8", "int64")),
    *(_case("without_rows", kind, (0, 3), few=kind == "max", empty_value=-2.5) for kind in ("avg", "max", "softmax")),
    *(_case("empty_value", kind, empty_value=value) for kind, value in (("max", -INF), ("avg", NAN), ("sum", 7))),
    _case("no_channels", "max", (9, 0)),
    _case("all_dropped", "max", ids="ids dropped"),
    _case("many", "avg", (300, 2), num_segments=70),
    _case("huge", "avg", data="huge positive"),
    _case("around_100", "avg", (100, 3), data="around 100", num_segments=1),
]


def _literal(name: str, kind: str, x: Any, ids: Any, values: Any, why: str = "", **more: Any) -> Case:
    fields = {key: more.pop(key) for key in ("empty_value",) if key in more}
    spec = Segment(kind, len(values), layout="LC" if isinstance(x[0], tuple) else "L", **fields)
    shape = np.shape(x)
    tensors = (("ids", Fixed(np.array(ids, "int32"))),)
    return Case(name, spec, shape, data=x, values=values, why=why, tensors=tensors, **more)


_GRAPHS = ((1, 2), (3, 4), (5, 6), (-7, 8))
SEGMENT_LITERALS = [
    _literal("segment_sum_of_two_graphs", "sum", _GRAPHS, (0, 0, 2, 2), ((4, 6), (0, 0), (-2, 14))),
    _literal("segment_avg_of_two_graphs", "avg", _GRAPHS, (0, 0, 2, 2), ((2, 3), (0, 0), (-1, 7))),
    _literal("segment_max_of_two_graphs", "max", _GRAPHS, (2, 0, 2, 0), ((3, 8), (0, 0), (5, 6))),
    _literal("segment_min_of_two_graphs", "min", _GRAPHS, (2, 0, 2, 0), ((-7, 4), (0, 0), (1, 2))),
    _literal("segment_softmax_of_1_to_4", "softmax", (1, 2, 3, 4), (0, 0, 0, 0), (3.492652734585770,)),
    _literal(
        "rows_of_no_segment_are_dropped",
        "sum",
        (1, 2, 4, 8, 16),
        (-1, 0, 2, 1, 5),
        (2, 8),
        "a framework's own may wrap -1 around, or end the process",
        gradient=(0, 1, 0, 1, 0),
    ),
    _literal("a_segment_without_rows_gives_its_own_number", "max", (1, 2), (2, 2), (-1, -1, 2), empty_value=-1),
    _literal(
        "ties_in_a_segment_go_to_the_first",
        "max",
        (2, 5, 5, 5, 2),
        (1, 0, 1, 1, 0),
        (5, 5),
        "torch.scatter_reduce and jax.ops.segment_max share the gradient out",
        gradient=(0, 1, 1, 0, 0),
    ),
    _literal("a_segment_of_minus_infinity_is_minus_infinity", "max", (-INF, 1, -INF), (0, 1, 0), (-INF, 1)),
    _literal("nan_wins_in_its_segment_alone", "max", (NAN, 1, 9, 3), (0, 1, 0, 1), (NAN, 3)),
]
