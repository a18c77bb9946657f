"""Cases about the numbers themselves: ties, NaN and infinities, precision, dtypes, empty inputs, what is refused."""

from __future__ import annotations

from typing import Any

from poolkit import PoolSpec
from poolkit_conformance.case import Case

_MAP = (2, 3, 9, 10)


def numbers(
    name: str,
    kind: str,
    shape: tuple[int, ...],
    data: str = "normal",
    dtype: str = "float32",
    few: bool = False,
    **fields: Any,
) -> Case:
    ones = fields.pop("ones", False)
    asked: dict[str, Any] = {"layout": "NCHW"} | fields
    return Case(name, PoolSpec(kind, **asked), shape, dtype, data, few, ones)


# --------------------------------------------------- ties, NaN and infinities: the choice is exact, and the first wins

_PLACES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "k3_s2_same": (_MAP, {"window": 3, "stride": 2, "padding": "same"}),
    "k3_s1_nhwc": ((2, 7, 8, 5), {"window": 3, "stride": 1, "layout": "NHWC"}),
    "k5_p3": (_MAP, {"window": 5, "stride": 2, "padding": 3}),
    "global": (_MAP, {"output_size": 1}),
    "global_nhwc": ((2, 7, 8, 5), {"output_size": 1, "keepdims": False, "layout": "NHWC"}),
    "adaptive": (_MAP, {"output_size": (4, 3)}),
    "1d_dilated": ((2, 11, 3), {"window": 3, "stride": 1, "dilation": 2, "padding": "same", "layout": "NLC"}),
    "3d_k2": ((2, 4, 5, 6, 3), {"window": 2, "stride": 1, "layout": "NDHWC"}),
    "3d_k4_one_channel": ((2, 9, 1, 4, 1), {"window": (3, 1, 4), "stride": 2, "layout": "NDHWC"}),
    "3d_global": ((2, 3, 3, 4, 5), {"output_size": 1, "layout": "NCDHW"}),
}


def _chosen(data: str, *places: str, kind: str = "max", few: tuple[str, ...] = ()) -> list[Case]:
    label = data.replace(" ", "_").replace("-", "minus_").replace("+", "plus_")
    return [
        numbers(
            f"{kind}_{label}_{place}",
            kind,
            _PLACES[place][0],
            data,
            few=place in few,
            indices=True,
            **_PLACES[place][1],
        )
        for place in places
    ]


SELECTION = [
    *_chosen("ties", *_PLACES, few=("k3_s2_same", "global", "3d_k2")),
    *_chosen("ties", "k3_s2_same", "global", "3d_k2", kind="min"),
    *_chosen("nan", *_PLACES, few=("k3_s2_same", "global_nhwc", "1d_dilated")),
    *_chosen("nan", "k3_s2_same", "adaptive", kind="min"),
    *_chosen("inf", "k3_s2_same", "global", "adaptive"),
    *_chosen("mostly -inf", "k3_s2_same", "k3_s1_nhwc", "adaptive", "1d_dilated", few=("k3_s2_same",)),
    *_chosen("all -inf", "k3_s2_same", "k5_p3", "global", "3d_k2", "3d_k4_one_channel", few=("k5_p3", "global")),
    *_chosen("all +inf", "k5_p3", "global", kind="min"),
    *_chosen("negative", "k3_s2_same", "k5_p3"),
    *_chosen("signed zeros", "k3_s2_same", "global"),
    numbers("avg_nan", "avg", _MAP, "nan", window=3, stride=2, padding="same"),
    numbers("avg_inf", "avg", _MAP, "inf", few=True, window=3, stride=2, padding="same"),
    numbers("avg_inf_global", "avg", _MAP, "inf", output_size=1),
    numbers("avg_inf_adaptive", "avg", _MAP, "inf", output_size=(4, 3)),
    numbers("avg_inf_counts_padding", "avg", _MAP, "inf", window=3, stride=2, padding=1, count_include_pad=True),
    *(
        numbers(f"{kind}_{data.replace(' ', '_')}_{place}", kind, _PLACES[place][0], data, **_PLACES[place][1])
        for kind in ("avg", "sum")
        for data in ("huge", "huge positive")
        for place in ("k3_s2_same", "k3_s1_nhwc", "global", "global_nhwc", "adaptive", "3d_k2")
    ),
    numbers("avg_huge_bfloat16", "avg", _MAP, "huge", "bfloat16", window=3, stride=1),
    numbers("sum_nan_inf_dilated", "sum", _MAP, "nan", window=3, dilation=2, padding="same"),
]

# -------------------------------------------------------------------------------------- precision, for any window size

_GAP: dict[str, Any] = {"layout": "NHWC", "output_size": 1, "keepdims": False}
PRECISION = [
    numbers("avg_64x64_of_100_bfloat16", "avg", (1, 64, 64, 2), "constant 100", "bfloat16", True, **_GAP),
    numbers("avg_64x64_of_100_float16", "avg", (1, 64, 64, 2), "constant 100", "float16", True, **_GAP),
    numbers(
        "avg_window_64x64_of_100_bfloat16", "avg", (1, 64, 64, 2), "constant 100", "bfloat16", layout="NHWC", window=64
    ),
    numbers("avg_window_64x64_of_100_float16", "avg", (1, 2, 64, 64), "constant 100", "float16", window=64),
    numbers(
        "avg_3d_16x16x16_of_100_bfloat16",
        "avg",
        (1, 2, 16, 16, 16),
        "constant 100",
        "bfloat16",
        layout="NCDHW",
        window=16,
    ),
    numbers("sum_40x40_float16_stays_finite", "sum", (1, 2, 40, 40), "normal", "float16", output_size=1),
    numbers("sum_64x64_of_100_float16_overflows", "sum", (1, 2, 64, 64), "constant 100", "float16", output_size=1),
    numbers("avg_7x7_bfloat16_rounds_once", "avg", (4, 7, 7, 8), "normal", "bfloat16", **_GAP),
    numbers("avg_7x7_float16_rounds_once", "avg", (4, 8, 7, 7), "normal", "float16", window=7),
    numbers("avg_512x512_around_100", "avg", (1, 512, 512, 3), "around 100", few=True, **_GAP),
    numbers("avg_512x512_around_100_nchw", "avg", (1, 2, 512, 512), "around 100", output_size=1),
    numbers("avg_1024x1024_around_100", "avg", (1, 1024, 1024, 1), "around 100", **_GAP),
    numbers("sum_1024x1024", "sum", (1, 1, 1024, 1024), "around 100", output_size=1),
    numbers("avg_window_512x256_around_100", "avg", (1, 512, 512, 1), "around 100", layout="NHWC", window=(512, 256)),
    numbers("avg_adaptive_2_of_500x300", "avg", (1, 1, 500, 300), "around 100", output_size=(3, 2)),
    numbers("avg_window_31x31_s1_same", "avg", (1, 1, 40, 36), "around 100", window=31, stride=1, padding="same"),
    numbers(
        "avg_window_31x31_s1_bfloat16", "avg", (1, 1, 40, 36), "normal", "bfloat16", window=31, stride=1, padding="same"
    ),
    numbers(
        "max_window_31x31_s1_bfloat16",
        "max",
        (1, 1, 40, 36),
        "negative",
        "bfloat16",
        window=31,
        stride=1,
        padding="same",
    ),
    # 961 windows choose the same cell: a gradient that is added up in bfloat16 stops at 256.
    numbers(
        "max_window_31x31_of_one_peak_bfloat16",
        "max",
        (1, 1, 61, 61),
        "peak",
        "bfloat16",
        ones=True,
        window=31,
        stride=1,
    ),
    numbers("max_window_31x31_of_one_peak", "max", (1, 1, 61, 61), "peak", ones=True, window=31, stride=1),
    numbers("avg_512x512_float64", "avg", (1, 512, 512, 1), "around 100", "float64", **_GAP),
]

# ------------------------------------------------------------------------------------------- softmax-weighted averages

SOFTMAX = [
    numbers("softmax_beta_3", "softmax", _MAP, window=3, stride=2, padding="same", beta=3.0),
    numbers("softmax_beta_negative", "softmax", _MAP, window=3, stride=2, padding=1, beta=-0.5),
    numbers("softmax_semi_gradient", "softmax", _MAP, window=3, stride=2, padding="same", grad="semi"),
    numbers("softmax_semi_gradient_global", "softmax", _MAP, output_size=1, grad="semi"),
    numbers("softmax_of_large_numbers", "softmax", _MAP, "large", window=3, stride=1, padding="same"),
    numbers("softmax_of_large_numbers_global", "softmax", _MAP, "large", output_size=1),
    numbers("softmax_of_large_numbers_adaptive", "softmax", _MAP, "large", output_size=4),
    numbers("softmax_ties", "softmax", _MAP, "ties", window=2),
    numbers("softmax_float64_beta_0.7", "softmax", _MAP, "normal", "float64", window=3, stride=2, beta=0.7),
    numbers("softmax_float64_beta_3.3", "softmax", _MAP, "normal", "float64", output_size=1, beta=3.3),
    numbers("avg_float64_divided_by_0.7", "avg", _MAP, "normal", "float64", window=3, stride=2, divisor_override=0.7),
    numbers("softmax_float64", "softmax", _MAP, "normal", "float64", window=3, stride=2, padding="same"),
    numbers("softmax_bfloat16", "softmax", _MAP, "normal", "bfloat16", window=3, stride=2, padding="same"),
    numbers("softmax_float16_global", "softmax", _MAP, "normal", "float16", output_size=1),
]

# -------------------------------------------------------------------------------------------------------------- dtypes

_WINDOW: dict[str, Any] = {"window": 3, "stride": 2, "padding": "same"}
DTYPES = [
    *(
        numbers(f"{kind}_{dtype}_k3_s2_same", kind, _MAP, "normal", dtype, dtype == "float16", **_WINDOW)
        for dtype in ("float16", "bfloat16", "float64")
        for kind in ("avg", "max", "sum")
    ),
    numbers("avg_float64_3d", "avg", (1, 4, 5, 6, 2), "normal", "float64", layout="NDHWC", window=2, stride=1),
    numbers(
        "max_float64_3d", "max", (1, 4, 5, 6, 2), "ties", "float64", layout="NDHWC", window=2, stride=1, indices=True
    ),
    numbers("avg_float64_global", "avg", _MAP, "normal", "float64", output_size=1),
    *(
        numbers(f"max_{dtype}_k3_s2_same", "max", _MAP, "integers", dtype, dtype == "int32", indices=True, **_WINDOW)
        for dtype in ("int8", "uint8", "int32", "int64", "bool")
    ),
    *(
        numbers(f"{kind}_{dtype}_extremes", kind, _MAP, "extremes", dtype, window=3, stride=2, padding=1)
        for kind in ("max", "min")
        for dtype in ("int8", "uint8", "int32", "int64")
    ),
    numbers("max_int64_extremes_global", "max", _MAP, "extremes", "int64", output_size=1, indices=True),
    numbers("max_int32_adaptive", "max", _MAP, "integers", "int32", output_size=(4, 3), indices=True),
    numbers("min_bool_global", "min", (2, 3, 4), "integers", "bool", layout="NCL", output_size=1),
    numbers(
        "max_uint8_1d_dilated", "max", (2, 11, 3), "integers", "uint8", layout="NLC", window=3, stride=1, dilation=2
    ),
    *(
        numbers(f"avg_{t}_k3_s2_same", "avg", _MAP, "integers", t, **_WINDOW)
        for t in ("uint8", "int32", "int64", "bool")
    ),
    *(
        numbers(f"sum_{t}_global", "sum", _MAP, "integers", t, output_size=1)
        for t in ("int8", "uint8", "int64", "bool")
    ),
    numbers("softmax_int32", "softmax", (2, 3, 6), "integers", "int32", layout="NCL", window=3, beta=0.05),
]

# -------------------------------------------------------------------------------------------------------- empty inputs

EMPTY = [
    numbers("avg_empty_batch", "avg", (0, 3, 9, 10), few=True, **_WINDOW),
    numbers("max_empty_batch_indices", "max", (0, 3, 9, 10), indices=True, **_WINDOW),
    numbers("max_empty_channels", "max", (2, 9, 10, 0), layout="NHWC", **_WINDOW),
    numbers("avg_empty_channels_global", "avg", (2, 0, 9, 10), output_size=1, keepdims=False),
    numbers("max_empty_batch_global", "max", (0, 9, 10, 3), layout="NHWC", output_size=1, indices=True),
    numbers("softmax_empty_batch", "softmax", (0, 3, 9, 10), **_WINDOW),
    numbers("avg_empty_axis_that_is_not_pooled", "avg", (2, 0, 9, 10, 3), layout="NTHWC", axes="HW", **_WINDOW),
    numbers("avg_empty_axis_that_none_keeps", "avg", (2, 3, 0, 10), few=True, output_size=(None, 3)),
    numbers("softmax_empty_axis_that_none_keeps", "softmax", (2, 3, 9, 0), output_size=(1, None)),
    numbers("avg_empty_batch_adaptive", "avg", (0, 3, 9, 10), output_size=(4, 3)),
    numbers("softmax_empty_channels_adaptive", "softmax", (2, 9, 10, 0), layout="NHWC", output_size=(4, 3)),
    numbers("max_empty_batch_adaptive", "max", (0, 3, 9, 10), output_size=(4, 3)),
]


# A result that is equal to the input is still not the input.
IDENTITIES = [
    numbers("max_k1_of_its_own_memory", "max", _MAP, window=1),
    numbers("max_adaptive_of_its_own_memory", "max", (2, 3, 7, 7), output_size=7),
    numbers("min_none_of_its_own_memory", "min", (2, 3, 7, 7), output_size=(None, None)),
    numbers("max_global_of_its_own_memory", "max", (2, 3, 1, 1), output_size=1, keepdims=False),
    numbers("sum_k1_of_its_own_memory", "sum", _MAP, window=1),
    numbers("avg_global_of_its_own_memory", "avg", (2, 1, 1, 3), output_size=1, keepdims=False, layout="NHWC"),
]


def _refused(
    name: str, error: str, shape: tuple[int, ...], kind: str = "max", dtype: str = "float32", **fields: Any
) -> Case:
    asked: dict[str, Any] = {"layout": "NCHW"} | fields
    return Case(f"refuses_{name}", PoolSpec(kind, **asked), shape, dtype, error=error)


REFUSED = [
    _refused("a_pooled_axis_of_size_0", "ShapeError", (2, 3, 0, 4), window=2),
    _refused("a_pooled_axis_of_size_0_in_an_empty_batch", "ShapeError", (0, 3, 0, 4), output_size=1),
    _refused("a_pooled_axis_of_size_0_though_padded", "ShapeError", (2, 3, 0, 4), "sum", window=3, padding="same"),
    _refused("a_window_beyond_the_map", "ShapeError", (2, 3, 2, 9), "avg", window=3),
    _refused("a_window_of_padding_only", "ShapeError", (2, 3, 5, 5), "avg", window=2, stride=1, padding=3),
    _refused(
        "a_window_of_padding_only_by_dilation",
        "ShapeError",
        (2, 3, 2),
        layout="NCL",
        window=2,
        stride=1,
        dilation=3,
        padding="same",
    ),
    _refused("another_rank", "ShapeError", (3, 5, 5), window=2),
    _refused("complex_numbers", "DtypeError", (1, 1, 4, 4), "avg", "complex64", window=2),
]

NUMBERS: list[Case] = [*SELECTION, *PRECISION, *SOFTMAX, *DTYPES, *EMPTY, *IDENTITIES, *REFUSED]
