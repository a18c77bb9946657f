"""What LiteRT, its converter from TensorFlow and its interpreter do not have.

Where sizes are not known poolkit's averages are other calls than at known ones, so the rows of modes differ.
"""

from __future__ import annotations

from poolkit_conformance.apart import EndedError
from poolkit_conformance.compare import Mismatch
from poolkit_conformance.known import BY_KEY, KnownFailure, exports

_EMPTY = "LiteRT has no empty tensors"
_FIVE = "LiteRT slices, pads and selects along at most five axes"
_BOOL = "LiteRT compares and selects no bools, and takes no maxima of them"
_INFINITE = "LiteRT's converter makes infinite constants finite, and its operators clamp what they give"
_NAN = "LiteRT's own averages, convolutions and maxima lose NaN, or spread it"
_ROI = ("roi_align_max", "roi_align_max_adaptive", "roi_align_max_corners")
_AVG_3D = ("avg_3d_k2_s2_same", "avg_3d_channels_last_k2x3x1", "avg_huge*_3d_k2", "sum_huge*_3d_k2")
_POWERS = ("gem", "lp", "logsumexp", "stochastic")
_BOOLS = (
    *("max_mask_bool_k3_s2_same", "max_mask_and_indices_bool", "median_bool_*"),
    *("first_bool_k3_s2_ceil", "last_bool_k3_s2_ceil", "unpool_bool"),
)
_EMPTY_DRAWN = ("median_empty_channels_adaptive", "stochastic_drawn_empty_channels_adaptive")


def _lite(
    modes: tuple[str, ...], cases: tuple[str, ...], exception: type[BaseException], reason: str
) -> tuple[KnownFailure, ...]:
    return tuple(row for mode in modes for row in exports("tensorflow", mode, cases, exception, reason))


ROWS = (
    *_lite(("lite*",), BY_KEY, Exception, "LiteRT has no shifts of integers"),
    *_lite(("lite*",), ("roi_max_none", "roi_max_no_channels"), Exception, _EMPTY),
    *_lite(("lite*",), ("roi_max_*",), RuntimeError, _FIVE),
    *_lite(("lite*",), ("struct_without_channels",), RuntimeError, _EMPTY),
    *_lite(("lite*",), _BOOLS, Exception, _BOOL),
    *_lite(("lite", "lite any"), ("maximum_of_booleans", "min_bool_global", "max_bool_k3_s2_same"), Exception, _BOOL),
    *_lite(("lite batch",), ("min_bool_global", "max_bool_k3_s2_same"), Exception, _BOOL),
    *_lite(("lite", "lite any"), ("segment_max_bool",), Exception, _BOOL),
    *_lite(("lite any",), ("lp_bool_k3_s2_same",), Exception, _BOOL),
    *_lite(
        ("lite", "lite batch"), ("max_int64_extremes", "min_int64_extremes"), Exception, "LiteRT takes no int64 apart"
    ),
    # empty tensors
    *_lite(("lite",), ("*_empty_batch", "*_empty_batch_*", "*_empty_channels*", "*_empty_axis_*"), ValueError, _EMPTY),
    *_lite(("lite",), ("*_no_channels", "pyramid_without_any_channel", "struct_without_graphs"), ValueError, _EMPTY),
    *_lite(("lite", "lite batch"), ("roi_align_none",), ValueError, _EMPTY),
    *_lite(("lite any", "lite batch"), _EMPTY_DRAWN, EndedError, _EMPTY),
    *_lite(("lite any",), ("first_of_empty_batch", "last_of_empty_batch", "median_empty_batch"), EndedError, _EMPTY),
    *_lite(("lite any",), ("stochastic_drawn_empty_batch", "fractional_max_*_empty_batch"), EndedError, _EMPTY),
    *_lite(("lite any",), ("stochastic_empty_batch",), RuntimeError, _EMPTY),
    # axes
    *_lite(("lite", "lite batch"), _ROI, RuntimeError, _FIVE),
    *_lite(("lite", "lite batch"), ("roi_align_max_corners_adaptive",), EndedError, _FIVE),
    *_lite(("lite",), ("stochastic_drawn_3d_k2", "median_3d_k2"), RuntimeError, _FIVE),
    *_lite(("lite", "lite any"), ("avg_4d_k2", "avg_5d_adaptive"), Exception, _FIVE),
    *_lite(
        ("lite any",), ("stochastic_3d_k2", "stochastic_drawn_3d_k2", "median_3d_k2", "roi_align_*"), Exception, _FIVE
    ),
    *_lite(("lite", "lite batch"), _AVG_3D, Exception, "LiteRT has no average pool of three axes"),
    *_lite(
        ("lite",),
        ("s3_averages_3d", *(f"{kind}_3d_k2" for kind in _POWERS)),
        Exception,
        "LiteRT has no average pool of three axes",
    ),
    # infinity and NaN
    *_lite(("lite*",), tuple(f"{kind}_all_plus_inf_k3_s2_same" for kind in (*_POWERS, "median")), Mismatch, _INFINITE),
    *_lite(("lite*",), tuple(f"{kind}_inf_k*" for kind in _POWERS), Mismatch, _INFINITE),
    *_lite(("lite*",), tuple(f"{kind}_inf_global" for kind in _POWERS if kind != "logsumexp"), Mismatch, _INFINITE),
    *_lite(("lite*",), ("gem_all_plus_inf_global", "lp_all_plus_inf_global"), Mismatch, _INFINITE),
    *_lite(("lite*",), ("stochastic_all_plus_inf_global", "max_mask_inf_k3_s2_same"), Mismatch, _INFINITE),
    *_lite(("lite*",), ("lp_mostly_minus_inf_*",), Mismatch, _INFINITE),
    *_lite(("lite*",), ("stochastic_drawn_all_plus_inf", "stochastic_drawn_inf"), Mismatch, _INFINITE),
    *_lite(("lite", "lite batch"), ("avg_inf", "avg_inf_counts_padding", "blur_inf"), Mismatch, _INFINITE),
    *_lite(
        ("lite", "lite any"), tuple(f"{kind}_of_infinite_cells" for kind in (*_POWERS, "lp_1")), Mismatch, _INFINITE
    ),
    *_lite(("lite", "lite any"), ("median_takes_no_padding", "segment_max_empty_value"), Mismatch, _INFINITE),
    *_lite(("lite", "lite any"), ("logsumexp_of_minus_infinity_with_beta_below_0",), Mismatch, _INFINITE),
    *_lite(("lite", "lite any"), ("a_masked_maximum_of_minus_infinity",), Mismatch, _INFINITE),
    *_lite(("lite",), ("blur_of_infinite_cells",), Mismatch, _INFINITE),
    *_lite(("lite*",), ("logsumexp_nan_k3_s2_same",), Mismatch, _NAN),
    *_lite(("lite", "lite batch"), ("avg_nan", "blur_nan", "s3_nan_averages_*"), Mismatch, _NAN),
    *_lite(("lite",), ("logsumexp_nan_global",), Mismatch, _NAN),
)
