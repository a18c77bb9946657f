"""Cases about the numbers themselves: ties, NaN and infinities, precision, dtypes, empty inputs, what is refused."""

from __future__ import annotations

from poolkit_conformance.case import Case, case

_MAP = (2, 3, 9, 10)


# --------------------------------------------------- ties, NaN and infinities: the choice is exact, and the first wins

_PLACES = {
    "k3_s2_same": (_MAP, "window=3 stride=2 padding=same"),
    "k3_s1_nhwc": ((2, 7, 8, 5), "window=3 stride=1 layout=NHWC"),
    "k5_p3": (_MAP, "window=5 stride=2 padding=3"),
    "global": (_MAP, "output_size=1"),
    "global_nhwc": ((2, 7, 8, 5), "output_size=1 keepdims=false layout=NHWC"),
    "adaptive": (_MAP, "output_size=4,3"),
    "1d_dilated": ((2, 11, 3), "window=3 stride=1 dilation=2 padding=same layout=NLC"),
    "3d_k2": ((2, 4, 5, 6, 3), "window=2 stride=1 layout=NDHWC"),
    "3d_k4_one_channel": ((2, 9, 1, 4, 1), "window=3,1,4 stride=2 layout=NDHWC"),
    "3d_global": ((2, 3, 3, 4, 5), "output_size=1 layout=NCDHW"),
}


def _chosen(data: str, *places: str, kind: str = "max", few: tuple[str, ...] = ()) -> list[Case]:
    label = data.replace(" ", "_").replace("-", "minus_").replace("+", "plus_")
    chosen = {place: _PLACES[place] for place in places}
    return [
        case(f"{kind}_{label}_{place}", f"{kind} indices=true {window}", shape, data, few=place in few)
        for place, (shape, window) in chosen.items()
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
    case("avg_nan", "avg window=3 stride=2 padding=same", _MAP, "nan"),
    case("avg_inf", "avg window=3 stride=2 padding=same", _MAP, "inf", few=True),
    case("avg_inf_global", "avg output_size=1", _MAP, "inf"),
    case("avg_inf_adaptive", "avg output_size=4,3", _MAP, "inf"),
    case("avg_inf_counts_padding", "avg window=3 stride=2 padding=1 count_include_pad=true", _MAP, "inf"),
    *(
        case(f"{kind}_{data.replace(' ', '_')}_{place}", f"{kind} {_PLACES[place][1]}", _PLACES[place][0], data)
        for kind in ("avg", "sum")
        for data in ("huge", "huge positive")
        for place in ("k3_s2_same", "k3_s1_nhwc", "global", "global_nhwc", "adaptive", "3d_k2")
    ),
    case("avg_huge_bfloat16", "avg window=3 stride=1", _MAP, "huge", "bfloat16"),
    case("sum_nan_inf_dilated", "sum window=3 dilation=2 padding=same", _MAP, "nan"),
]

# -------------------------------------------------------------------------------------- precision, for any window size

PRECISION = [
    case(
        "avg_64x64_of_100_bfloat16",
        "avg layout=NHWC output_size=1 keepdims=false",
        (1, 64, 64, 2),
        "constant 100",
        "bfloat16",
        True,
    ),
    case(
        "avg_64x64_of_100_float16",
        "avg layout=NHWC output_size=1 keepdims=false",
        (1, 64, 64, 2),
        "constant 100",
        "float16",
        True,
    ),
    case("avg_window_64x64_of_100_bfloat16", "avg layout=NHWC window=64", (1, 64, 64, 2), "constant 100", "bfloat16"),
    case("avg_window_64x64_of_100_float16", "avg window=64", (1, 2, 64, 64), "constant 100", "float16"),
    case(
        "avg_3d_16x16x16_of_100_bfloat16", "avg layout=NCDHW window=16", (1, 2, 16, 16, 16), "constant 100", "bfloat16"
    ),
    case("sum_40x40_float16_stays_finite", "sum output_size=1", (1, 2, 40, 40), "normal", "float16"),
    case("sum_64x64_of_100_float16_overflows", "sum output_size=1", (1, 2, 64, 64), "constant 100", "float16"),
    case(
        "avg_7x7_bfloat16_rounds_once",
        "avg layout=NHWC output_size=1 keepdims=false",
        (4, 7, 7, 8),
        "normal",
        "bfloat16",
    ),
    case("avg_7x7_float16_rounds_once", "avg window=7", (4, 8, 7, 7), "normal", "float16"),
    case(
        "avg_512x512_around_100",
        "avg layout=NHWC output_size=1 keepdims=false",
        (1, 512, 512, 3),
        "around 100",
        few=True,
    ),
    case("avg_512x512_around_100_nchw", "avg output_size=1", (1, 2, 512, 512), "around 100"),
    case("avg_1024x1024_around_100", "avg layout=NHWC output_size=1 keepdims=false", (1, 1024, 1024, 1), "around 100"),
    case("sum_1024x1024", "sum output_size=1", (1, 1, 1024, 1024), "around 100"),
    case("avg_window_512x256_around_100", "avg layout=NHWC window=512,256", (1, 512, 512, 1), "around 100"),
    case("avg_adaptive_2_of_500x300", "avg output_size=3,2", (1, 1, 500, 300), "around 100"),
    case("avg_window_31x31_s1_same", "avg window=31 stride=1 padding=same", (1, 1, 40, 36), "around 100"),
    case("avg_window_21x7_s1_last", "avg window=21,7 stride=1 padding=same layout=NHWC", (1, 24, 9, 2), "normal"),
    case("sum_window_21x7_s1_last", "sum window=21,7 stride=1 padding=same layout=NHWC", (1, 24, 9, 2), "normal"),
    case("avg_window_31x31_s1_bfloat16", "avg window=31 stride=1 padding=same", (1, 1, 40, 36), "normal", "bfloat16"),
    case("max_window_31x31_s1_bfloat16", "max window=31 stride=1 padding=same", (1, 1, 40, 36), "negative", "bfloat16"),
    # 961 windows choose the same cell: a gradient that is added up in bfloat16 stops at 256.
    case(
        "max_window_31x31_of_one_peak_bfloat16", "max window=31 stride=1", (1, 1, 61, 61), "peak", "bfloat16", ones=True
    ),
    case("max_window_31x31_of_one_peak", "max window=31 stride=1", (1, 1, 61, 61), "peak", ones=True),
    case(
        "avg_512x512_float64", "avg layout=NHWC output_size=1 keepdims=false", (1, 512, 512, 1), "around 100", "float64"
    ),
]

# ------------------------------------------------------------------------------------------- softmax-weighted averages

SOFTMAX = [
    case("softmax_beta_3", "softmax window=3 stride=2 padding=same beta=3.0", _MAP),
    case("softmax_beta_negative", "softmax window=3 stride=2 padding=1 beta=-0.5", _MAP),
    case("softmax_semi_gradient", "softmax window=3 stride=2 padding=same grad=semi", _MAP),
    case("softmax_semi_gradient_global", "softmax output_size=1 grad=semi", _MAP),
    case("softmax_of_large_numbers", "softmax window=3 stride=1 padding=same", _MAP, "large"),
    case("softmax_of_large_numbers_global", "softmax output_size=1", _MAP, "large"),
    case("softmax_of_large_numbers_adaptive", "softmax output_size=4", _MAP, "large"),
    case("softmax_ties", "softmax window=2", _MAP, "ties"),
    case("softmax_float64_beta_0.7", "softmax window=3 stride=2 beta=0.7", _MAP, "normal", "float64"),
    case("softmax_float64_beta_3.3", "softmax output_size=1 beta=3.3", _MAP, "normal", "float64"),
    case("avg_float64_divided_by_0.7", "avg window=3 stride=2 divisor_override=0.7", _MAP, "normal", "float64"),
    case("softmax_float64", "softmax window=3 stride=2 padding=same", _MAP, "normal", "float64"),
    case("softmax_bfloat16", "softmax window=3 stride=2 padding=same", _MAP, "normal", "bfloat16"),
    case("softmax_float16_global", "softmax output_size=1", _MAP, "normal", "float16"),
]

# -------------------------------------------------------------------------------------------------------------- dtypes

_WINDOW = "window=3 stride=2 padding=same"
DTYPES = [
    *(
        case(f"{kind}_{dtype}_k3_s2_same", f"{kind} {_WINDOW}", _MAP, "normal", dtype, dtype == "float16")
        for dtype in ("float16", "bfloat16", "float64")
        for kind in ("avg", "max", "sum")
    ),
    case("avg_float64_3d", "avg layout=NDHWC window=2 stride=1", (1, 4, 5, 6, 2), "normal", "float64"),
    case("max_float64_3d", "max layout=NDHWC window=2 stride=1 indices=true", (1, 4, 5, 6, 2), "ties", "float64"),
    case("avg_float64_global", "avg output_size=1", _MAP, "normal", "float64"),
    *(
        case(f"max_{dtype}_k3_s2_same", f"max indices=true {_WINDOW}", _MAP, "integers", dtype, dtype == "int32")
        for dtype in ("int8", "uint8", "int32", "int64", "bool")
    ),
    *(
        case(f"{kind}_{dtype}_extremes", f"{kind} window=3 stride=2 padding=1", _MAP, "extremes", dtype)
        for kind in ("max", "min")
        for dtype in ("int8", "uint8", "int32", "int64")
    ),
    case("max_int64_extremes_global", "max output_size=1 indices=true", _MAP, "extremes", "int64"),
    case("max_int32_adaptive", "max output_size=4,3 indices=true", _MAP, "integers", "int32"),
    case("min_bool_global", "min layout=NCL output_size=1", (2, 3, 4), "integers", "bool"),
    case("max_uint8_1d_dilated", "max layout=NLC window=3 stride=1 dilation=2", (2, 11, 3), "integers", "uint8"),
    *(
        case(f"avg_{t}_k3_s2_same", "avg window=3 stride=2 padding=same", _MAP, "integers", t)
        for t in ("uint8", "int32", "int64", "bool")
    ),
    *(case(f"sum_{t}_global", "sum output_size=1", _MAP, "integers", t) for t in ("int8", "uint8", "int64", "bool")),
    case("softmax_int32", "softmax layout=NCL window=3 beta=0.05", (2, 3, 6), "integers", "int32"),
]

# -------------------------------------------------------------------------------------------------------- empty inputs

EMPTY = [
    case("avg_empty_batch", "avg window=3 stride=2 padding=same", (0, 3, 9, 10), few=True),
    case("max_empty_batch_indices", "max indices=true window=3 stride=2 padding=same", (0, 3, 9, 10)),
    case("max_empty_channels", "max layout=NHWC window=3 stride=2 padding=same", (2, 9, 10, 0)),
    case("avg_empty_channels_global", "avg output_size=1 keepdims=false", (2, 0, 9, 10)),
    case("max_empty_batch_global", "max layout=NHWC output_size=1 indices=true", (0, 9, 10, 3)),
    case("softmax_empty_batch", "softmax window=3 stride=2 padding=same", (0, 3, 9, 10)),
    case(
        "avg_empty_axis_that_is_not_pooled", "avg layout=NTHWC axes=HW window=3 stride=2 padding=same", (2, 0, 9, 10, 3)
    ),
    case("avg_empty_axis_that_none_keeps", "avg output_size=none,3", (2, 3, 0, 10), few=True),
    case("softmax_empty_axis_that_none_keeps", "softmax output_size=1,none", (2, 3, 9, 0)),
    case("avg_empty_batch_adaptive", "avg output_size=4,3", (0, 3, 9, 10)),
    case("softmax_empty_channels_adaptive", "softmax layout=NHWC output_size=4,3", (2, 9, 10, 0)),
    case("max_empty_batch_adaptive", "max output_size=4,3", (0, 3, 9, 10)),
]


# A result that is equal to the input is still not the input.
IDENTITIES = [
    case("max_k1_of_its_own_memory", "max window=1", _MAP),
    case("max_adaptive_of_its_own_memory", "max output_size=7", (2, 3, 7, 7)),
    case("min_none_of_its_own_memory", "min output_size=none,none", (2, 3, 7, 7)),
    case("max_global_of_its_own_memory", "max output_size=1 keepdims=false", (2, 3, 1, 1)),
    case("sum_k1_of_its_own_memory", "sum window=1", _MAP),
    case("avg_global_of_its_own_memory", "avg output_size=1 keepdims=false layout=NHWC", (2, 1, 1, 3)),
]


def _refused(name: str, spec: str, shape: tuple[int, ...], dtype: str = "float32", error: str = "ShapeError") -> Case:
    return case(f"refuses_{name}", spec, shape, dtype=dtype, error=error)


REFUSED = [
    _refused("a_pooled_axis_of_size_0", "max window=2", (2, 3, 0, 4)),
    _refused("a_pooled_axis_of_size_0_in_an_empty_batch", "max output_size=1", (0, 3, 0, 4)),
    _refused("a_pooled_axis_of_size_0_though_padded", "sum window=3 padding=same", (2, 3, 0, 4)),
    _refused("a_window_beyond_the_map", "avg window=3", (2, 3, 2, 9)),
    _refused("a_window_of_padding_only", "avg window=2 stride=1 padding=3", (2, 3, 5, 5)),
    _refused(
        "a_window_of_padding_only_by_dilation",
        "max layout=NCL window=2 stride=1 dilation=3 padding=same",
        (2, 3, 2),
    ),
    _refused("another_rank", "max window=2", (3, 5, 5)),
    _refused("complex_numbers", "avg window=2", (1, 1, 4, 4), "complex64", "DtypeError"),
]

NUMBERS: list[Case] = [*SELECTION, *PRECISION, *SOFTMAX, *DTYPES, *EMPTY, *IDENTITIES, *REFUSED]
