"""The cases whose results the oracle gives: every rule of docs/semantics.md, by theme.

A name says what a case is about, for it is what a failure is called.
"""

from __future__ import annotations

from poolkit_conformance.case import Case, case
from poolkit_conformance.cases_blur import BLURS
from poolkit_conformance.cases_composites import CHAINS, PYRAMIDS
from poolkit_conformance.cases_further import FURTHER
from poolkit_conformance.cases_mixes import MIXES
from poolkit_conformance.cases_numbers import NUMBERS
from poolkit_conformance.cases_powers import POWERS
from poolkit_conformance.cases_tokens import CASES as TOKENS

# ------------------------------------------------------------------------------------------ windows, on 2 x 3 x 9 x 10

_WINDOWS = {
    "k1": "window=1",
    "k2": "window=2",
    "k3_s1": "window=3 stride=1",
    "k3_s2_p1": "window=3 stride=2 padding=1",
    "k3x2_s2x1_p1x0": "window=3,2 stride=2,1 padding=1,0",
    "k3_s2_same": "window=3 stride=2 padding=same",
    "k4_s3_same": "window=4 stride=3 padding=same",
    "k4_s1_same_lower": "window=4 stride=1 padding=same_lower",
    "k2_s3_same": "window=2 stride=3 padding=same",
    "k3_s2_asymmetric": "window=3 stride=2 padding=0:1,2:0",
    "k3_s2_pads_in_front": "window=3 stride=2 padding=1:0,1:0",
    "k4_s3_pads_behind": "window=4 stride=3 padding=0:2,1:3",
    "k3_causal": "window=3 stride=1 padding=causal",
    "k3x2_dilated2x3": "window=3,2 stride=1 dilation=2,3",
    "k2_s2_dilated3_same": "window=2 stride=2 dilation=3 padding=same",
    "k3_s2_dilated2_causal": "window=3 stride=2 dilation=2 padding=causal",
    "k3_s2_ceil": "window=3 stride=2 ceil_mode=true",
    "k4_s4_p2_ceil_drops_a_window": "window=4 stride=4 padding=2 ceil_mode=true",
    "k4_s1_p7_behind_ceil_drops_windows": "window=4 stride=1 padding=0:7,1:5 ceil_mode=true",
    "k2_s3_p9_behind_ceil_drops_windows": "window=2 stride=3 padding=1:9,0:8 ceil_mode=true",
    "k3_s4_p1_dilated2_ceil": "window=3 stride=4 padding=1 dilation=2 ceil_mode=true",
    "k5_p4_more_than_half": "window=5 stride=3 padding=4",
    "k5_s1_same": "window=5 stride=1 padding=same",
    "k13_s1_same_beyond_the_map": "window=13 stride=1 padding=same",
    "k7x6_s1": "window=7,6 stride=1",
    "k2_s5_skips_cells": "window=2 stride=5",
    "k9x10_whole_map": "window=9,10",
}
# Maxima with and without indices have different routes.
_WITHOUT_INDICES = [name for name, window in _WINDOWS.items() if "padding" in window or "ceil_mode" in window]
_FEW = {"k2", "k3_s2_same", "k3_s2_p1", "k3_s2_ceil", "k3x2_dilated2x3"}
_MAP = (2, 3, 9, 10)

WINDOWS = [
    *(case(f"avg_{name}", f"avg {window}", _MAP, few=name in _FEW) for name, window in _WINDOWS.items()),
    *(case(f"max_{name}", f"max indices=true {window}", _MAP, few=name in _FEW) for name, window in _WINDOWS.items()),
    *(case(f"max_values_{name}", f"max {_WINDOWS[name]}", _MAP) for name in _WITHOUT_INDICES),
    *(case(f"sum_{name}", f"sum {_WINDOWS[name]}", _MAP) for name in ("k3_s2_same", "k5_s1_same", "k3_s2_ceil")),
    *(case(f"min_{name}", f"min {_WINDOWS[name]}", _MAP) for name in ("k3_s2_same", "k3_s2_p1", "k4_s3_same")),
    *(
        case(f"softmax_{name}", f"softmax {_WINDOWS[name]}", _MAP, few=name == "k3_s2_same")
        for name in ("k2", "k3_s2_same", "k3_s2_asymmetric", "k3x2_dilated2x3", "k3_s2_ceil", "k5_s1_same")
    ),
]

# ------------------------------------------------------------------------------------------------ divisors of averages

DIVISORS = [
    case("avg_counts_padding", "avg window=3 stride=2 padding=1 count_include_pad=true", _MAP, few=True),
    case(
        "avg_counts_padding_but_not_ceil_overhang",
        "avg window=3 stride=2 padding=1 ceil_mode=true count_include_pad=true",
        _MAP,
    ),
    case("avg_counts_the_padding_of_same", "avg window=4 stride=3 padding=same count_include_pad=true", _MAP),
    case(
        "avg_counts_the_padding_of_same_lower", "avg window=4 stride=3 padding=same_lower count_include_pad=true", _MAP
    ),
    case("avg_counts_the_padding_of_causal", "avg window=3 stride=1 padding=causal count_include_pad=true", _MAP),
    case("avg_counts_asymmetric_padding", "avg window=3 stride=2 padding=0:2,1:0 count_include_pad=true", _MAP),
    case("avg_counts_dilated_padding", "avg window=3 stride=2 padding=2 dilation=2 count_include_pad=true", _MAP),
    case("avg_divisor_override", "avg window=3 stride=2 padding=1 ceil_mode=true divisor_override=2", _MAP),
    case("avg_divisor_override_negative", "avg window=2,3 divisor_override=-2", _MAP, few=True),
    case("avg_divisor_override_fraction", "avg window=3 stride=1 padding=same divisor_override=0.75", _MAP),
    case("avg_global_divisor_override", "avg output_size=1 divisor_override=7", _MAP),
]

# -------------------------------------------- uneven rows, of the sort that PyTorch tries its own average pooling with

TORTURE = [
    case(
        "avg_torture_6x6_s3_p2x3_ceil_counts",
        "avg window=6 stride=3 padding=2,3 ceil_mode=true count_include_pad=true",
        (1, 3, 9, 9),
    ),
    case(
        "avg_torture_4x4_s2x3_ceil", "avg window=4 stride=2,3 padding=1 ceil_mode=true divisor_override=2", (1, 3, 9, 9)
    ),
    case(
        "avg_torture_4x4_p2_ceil_counts",
        "avg window=4 stride=2 padding=2 ceil_mode=true count_include_pad=true",
        (1, 2, 6, 6),
    ),
    case("max_torture_1x7_s7x1_p0x3", "max window=1,7 stride=7,1 padding=0,3 indices=true", (1, 2, 11, 7)),
    case("max_torture_window_of_one_row", "max window=1,4 stride=1,3 ceil_mode=true indices=true", (3, 1, 1, 8)),
    case("max_torture_map_smaller_than_the_window", "max window=5 stride=2 padding=2 indices=true", (2, 2, 2, 3)),
    case(
        "max_torture_ceil_where_floor_has_no_window", "max window=3 stride=2 ceil_mode=true indices=true", (1, 2, 2, 2)
    ),
    case("avg_torture_prime_sizes", "avg window=5,3 stride=4,7 padding=3:1,0:2", (1, 1, 13, 11)),
    case("max_torture_one_cell", "max window=3 padding=same indices=true", (1, 1, 1, 1)),
]

# ------------------------------------------------------------------------------------------ how many axes, and layouts

RANKS = [
    case("avg_1d_k3_s2_same", "avg layout=NCL window=3 stride=2 padding=same", (2, 3, 11), few=True),
    case(
        "max_1d_k3_dilated2_ceil", "max layout=NCL window=3 stride=2 dilation=2 ceil_mode=true indices=true", (2, 3, 11)
    ),
    case("sum_1d_causal", "sum layout=NLC window=4 stride=1 padding=causal", (2, 11, 3)),
    case("softmax_1d_k4_s3", "softmax layout=NLC window=4 stride=3", (2, 11, 3)),
    case("avg_3d_k2_s2_same", "avg layout=NCDHW window=2 padding=same", (2, 2, 3, 5, 4), few=True),
    case("max_3d_k3_s2_p1", "max layout=NCDHW window=3 stride=2 padding=1 indices=true", (2, 2, 5, 6, 4), few=True),
    case("avg_3d_channels_last_k2x3x1", "avg layout=NDHWC window=2,3,1 stride=1 padding=same", (2, 3, 5, 4, 2)),
    *(
        case(
            f"{kind}_3d_k4_ceil_of_a_smaller_map",
            f"{kind} layout=NDHWC window=4,5,3 stride=2,3,3 ceil_mode=true",
            (2, 7, 3, 2, 3),
        )
        for kind in ("avg", "sum", "max", "logsumexp")
    ),
    case("max_3d_channels_last_ceil", "max layout=NDHWC window=2 ceil_mode=true indices=true", (2, 3, 5, 4, 2)),
    # Without indices, by routes of their own where the channels come last.
    case("max_3d_channels_last_k3_s2_p1", "max layout=NDHWC window=3 stride=2 padding=1", (2, 3, 5, 4, 2)),
    case("max_channels_last_k9_s1_same", "max layout=NHWC window=9 stride=1 padding=same", (2, 9, 10, 3), "ties"),
    case("min_channels_last_k9x7", "min layout=NHWC window=9,7 padding=4,3 stride=1", (2, 9, 10, 3), "ties"),
    case("min_3d_channels_last_k2_s1", "min layout=NDHWC window=2 stride=1", (2, 3, 5, 4, 2), few=True),
    case("min_3d_dilated", "min layout=NCDHW window=2 stride=1 dilation=2", (1, 2, 5, 5, 5)),
    case("softmax_3d", "softmax layout=NCDHW window=2 stride=1 padding=same", (1, 2, 3, 4, 4)),
    case("avg_4d_k2", "avg layout=NCTDHW window=2 padding=same", (1, 2, 3, 3, 4, 4)),
    case("max_4d_k2_s1", "max layout=NTDHWC window=2 stride=1 indices=true", (1, 3, 3, 3, 4, 2)),
    case("sum_4d_global", "sum layout=NCTDHW output_size=1 keepdims=false", (2, 2, 3, 2, 3, 2)),
    case("avg_5d_adaptive", "avg layout=NCSTDHW output_size=2", (1, 1, 2, 3, 3, 2, 3)),
]


def _in_layout(layout: str, shape: tuple[int, ...], axes: str = "") -> list[Case]:
    """An average and a maximum with positions; no two sizes are equal, so that a swapped axis is seen."""
    name = "_".join([layout.replace("...", "any_"), *([axes] if axes else []), f"rank{len(shape)}"])
    window = f"window=3 stride=2 padding=same layout={layout}" + (f" axes={axes}" if axes else "")
    few = layout in ("NHWC", "NTHWC", "...HWC")
    return [
        case(f"avg_{name}", f"avg {window}", shape, few=few),
        case(f"max_{name}", f"max indices=true {window}", shape, few=few),
    ]


LAYOUTS = [
    *_in_layout("NHWC", (2, 9, 10, 3)),
    *_in_layout("CHW", (3, 9, 10)),
    *_in_layout("HWC", (9, 10, 3)),
    *_in_layout("HNWC", (9, 2, 10, 3)),
    *_in_layout("HW", (9, 10)),
    *_in_layout("L", (9,)),
    *_in_layout("NTHWC", (2, 4, 9, 10, 3), axes="HW"),
    *_in_layout("NCTHW", (2, 3, 9, 5, 4), axes="T"),
    *_in_layout("NHWTC", (2, 7, 4, 9, 3), axes="HT"),
    *_in_layout("...HWC", (9, 10, 3)),
    *_in_layout("...HWC", (2, 3, 9, 10, 4)),
    *_in_layout("...CL", (2, 2, 3, 9)),
    *_in_layout("channels_first", (2, 3, 9)),
    *_in_layout("channels_first", (2, 3, 9, 10)),
    *_in_layout("channels_last", (2, 9, 10, 3)),
    *_in_layout("channels_last", (2, 4, 5, 6, 3)),
]

# ------------------------------------------------------------------------------------------------- adaptive and global

_BINS = {
    "5x7_to_3": ((2, 3, 5, 7), "3"),
    "7_to_7_is_the_input": ((2, 3, 7, 7), "7"),
    "28_to_7_divides": ((1, 2, 28, 14), "7"),
    "13x12_to_7x5": ((2, 2, 13, 12), "7,5"),
    "3x2_to_7x5_repeats_cells": ((2, 2, 3, 2), "7,5"),
    "none_keeps_an_axis": ((2, 3, 5, 7), "none,2"),
    "1xNone": ((2, 3, 5, 7), "1,none"),
    "6x1": ((2, 3, 9, 10), "6,1"),
}
_MANY = {"5x7_to_3", "3x2_to_7x5_repeats_cells", "none_keeps_an_axis"}

ADAPTIVE = [
    *(case(f"avg_adaptive_{n}", f"avg output_size={o}", s, few=n in _MANY) for n, (s, o) in _BINS.items()),
    *(case(f"max_adaptive_{n}", f"max output_size={o} indices=true", s, few=n in _MANY) for n, (s, o) in _BINS.items()),
    *(case(f"{kind}_none_keeps_an_axis", f"{kind} output_size=none,2", (2, 3, 5, 7)) for kind in ("max", "min")),
    case("sum_adaptive_5_to_3", "sum layout=NLC output_size=3", (2, 5, 3)),
    case("min_adaptive_9x10_to_4x3", "min output_size=4,3 indices=true", _MAP),
    case("sum_adaptive_9x10_to_3x5", "sum output_size=3,5", _MAP),
    case("sum_adaptive_9x10_to_3x5_nhwc", "sum output_size=3,5 layout=NHWC", (2, 9, 10, 3)),
    case("softmax_adaptive_9x10_to_4x3", "softmax output_size=4,3", _MAP),
    case("avg_adaptive_3d_nhwc", "avg layout=NDHWC output_size=2,3,4", (1, 5, 4, 7, 2)),
    case("max_adaptive_3d", "max layout=NCDHW output_size=2,none,1 indices=true", (1, 2, 5, 4, 7)),
    # Bins of 9 cells, above the 8 up to which NumPy's fold is faster than a sum of each bin.
    case("avg_adaptive_54x27_to_6x3_divides", "avg output_size=6,3", (1, 2, 54, 27)),
    case("sum_adaptive_54x27_to_6x3_divides", "sum output_size=6,3", (1, 2, 54, 27)),
    case("avg_adaptive_441_to_100", "avg layout=NCL output_size=100", (1, 1, 441)),
]

GLOBAL = [
    case("avg_global_keepdims", "avg layout=NHWC output_size=1", (2, 8, 9, 3), few=True),
    case("avg_global", "avg layout=NHWC output_size=1 keepdims=false", (2, 8, 9, 3), few=True),
    case("max_global_keepdims", "max output_size=1 indices=true", _MAP, few=True),
    case("max_global", "max output_size=1 keepdims=false indices=true", _MAP),
    case("max_global_nhwc", "max layout=NHWC output_size=1 keepdims=false indices=true", (2, 8, 9, 3), few=True),
    case("sum_global", "sum output_size=1 keepdims=false", _MAP),
    case("min_global", "min output_size=1 keepdims=false", _MAP),
    # Large enough for routes that look at blocks of about 200 cells first.
    case("max_global_48x56", "max output_size=1 indices=true", (1, 2, 48, 56), few=True),
    case("min_global_48x56", "min output_size=1", (1, 2, 48, 56)),
    case("softmax_global", "softmax output_size=1 keepdims=false", _MAP, few=True),
    case("avg_global_over_one_of_three_axes", "avg layout=NTHWC axes=T output_size=1 keepdims=false", (2, 4, 5, 6, 3)),
    case("max_global_over_two_of_three_axes", "max layout=NTHWC axes=TW output_size=1 indices=true", (2, 4, 5, 6, 3)),
    case("avg_global_unbatched_one_cell", "avg layout=CHW output_size=1 keepdims=false", (3, 1, 1)),
    case("avg_global_1d", "avg layout=channels_first output_size=1 keepdims=false", (2, 3, 50)),
]

CASES: list[Case] = [
    *WINDOWS,
    *DIVISORS,
    *TORTURE,
    *RANKS,
    *LAYOUTS,
    *ADAPTIVE,
    *GLOBAL,
    *NUMBERS,
    *POWERS,
    *BLURS,
    *FURTHER,
    *MIXES,
    *TOKENS,
    *CHAINS,
    *PYRAMIDS,
]
