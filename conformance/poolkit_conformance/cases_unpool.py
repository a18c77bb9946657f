"""Cases of unpooling: every padding and mode of the windows, places that are taken twice, or by nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit import MaxPool, PoolSpec, Unpool
from poolkit_conformance.case import Case, Fixed

NAN, INF = float("nan"), float("inf")


def _case(name: str, shape: tuple[int, ...], size: Any, how: Any = "windows", **more: Any) -> Case:
    case = {key: more.pop(key) for key in ("dtype", "data", "few", "error") if key in more}
    fields: dict[str, Any] = {"layout": "NCHW", **more}
    spec = Unpool(PoolSpec("max", **fields), size)
    like = (("like", "zeros"),) if size == "like" else ()
    return Case(f"unpool_{name}", spec, shape, tensors=(("indices", how), *like), **case)


UNPOOLS = [
    _case("k2", (2, 3, 4, 5), "smallest", window=2),
    _case("k2_of_9x10", (2, 3, 4, 5), (9, 10), window=2),
    _case("apart", (2, 3, 4, 5), (17, 14), window=2, stride=(4, 3), few=True),
    _case("k3_s1", (2, 3, 4, 5), None, window=3, stride=1),
    _case("k3_s2_p1", (2, 2, 5, 4), (9, 8), window=3, stride=2, padding=1, few=True),
    _case("k3_s2_same_last", (2, 5, 4, 3), (9, 8), window=3, stride=2, padding="same", layout="NHWC", few=True),
    _case("same_smallest", (1, 2, 4, 3), "smallest", window=3, stride=2, padding="same_lower"),
    _case("ceil", (1, 2, 4, 4), "smallest", window=3, stride=2, ceil_mode=True),
    _case("ceil_padded", (1, 2, 3, 4), "smallest", window=2, stride=3, padding=1, ceil_mode=True),
    _case("dilated", (1, 2, 3, 4), "smallest", window=(2, 3), stride=(2, 1), dilation=(3, 2)),
    _case("causal", (2, 4, 3), "smallest", window=2, padding="causal", layout="NLC"),
    _case("3d", (2, 2, 3, 2, 2), (3, 5, 4), window=(1, 2, 2), layout="NCDHW"),
    _case("1d_without_channels", (3, 4), (9,), window=2, layout="NL"),
    _case("line", (4,), (9,), window=2, layout="L"),
    _case("adaptive", (2, 3, 3, 4), (7, 9), output_size=(3, 4), few=True),
    _case("global", (2, 3, 1, 1), (4, 3), output_size=1),
    _case("one_axis", (2, 3, 4, 5), (9,), window=2, axes="H"),
    _case("leading", (2, 2, 3, 4), (8,), window=2, layout="...CL"),
    _case("channels_last", (2, 3, 2, 3), (6, 4), window=2, layout="channels_last"),
    _case("anywhere", (2, 3, 4, 5), (9, 10), "any", window=2, few=True),
    _case("anywhere_last", (2, 6, 3), (7,), "any int32", window=2, stride=1, layout="NLC"),
    _case("nan", (2, 3, 4, 5), "smallest", "any", window=2, data="nan"),
    _case("inf", (2, 3, 4, 5), "smallest", "any", window=2, data="inf"),
    *(
        _case(dtype, (2, 3, 3, 4), (7, 8), "any", window=2, dtype=dtype)
        for dtype in ("float16", "bfloat16", "float64", "int32", "uint8", "bool")
    ),
    _case("like", (2, 3, 4, 5), "like", window=2),
    _case("like_padded_last", (2, 5, 4, 3), "like", window=3, stride=2, padding=1, layout="NHWC"),
    _case("like_one_axis", (2, 3, 4, 5), "like", window=2, axes="H"),
    _case("like_leading", (2, 2, 3, 4), "like", window=2, layout="...CL"),
    _case("like_channels_first", (2, 3, 4, 5), "like", window=2, layout="channels_first"),
    _case("empty_batch", (0, 3, 4, 5), "smallest", window=2),
    _case("no_channels", (2, 0, 4, 5), "smallest", window=2),
    _case("of_another_size", (2, 3, 4, 5), (12, 10), Fixed(np.zeros((2, 3, 4, 5), int)), window=2, error="ShapeError"),
]


def _literal(name: str, x: Any, indices: Any, size: Any, values: Any, why: str = "", **more: Any) -> Case:
    flat = not isinstance(x[0], tuple)
    pool = MaxPool(2, layout="L" if flat else "HW", **{k: more.pop(k) for k in ("stride",) if k in more})
    tensors = (("indices", Fixed(np.array(indices, "int64"))),)
    return Case(name, Unpool(pool, size), np.shape(x), data=x, values=values, why=why, tensors=tensors, **more)


UNPOOL_LITERALS = [
    _literal(
        "unpool_of_onnx_document",
        ((1, 2), (3, 4)),
        ((5, 7), (13, 15)),
        "smallest",
        ((0, 0, 0, 0), (0, 1, 0, 2), (0, 0, 0, 0), (0, 3, 0, 4)),
        "the example of ONNX MaxUnpool",
    ),
    _literal(
        "the_last_at_a_place_is_seen_and_has_the_gradient",
        (5, 7, 6),
        (1, 1, 2),
        None,
        (0, 7, 6, 0),
        "PyTorch gives every one of them the gradient",
        stride=1,
        gradient=(0, 1, 1),
    ),
    _literal("an_index_of_minus_one_is_none", (5, 7), (-1, 2), 4, (0, 0, 7, 0), gradient=(0, 1)),
    _literal("a_hidden_nan_stays_hidden", (NAN, -INF, 2), (3, 3, 0), None, (2, 0, 0, -INF), stride=1),
]
