"""What ONNX Runtime and PyTorch's two exporters to ONNX do not have."""

from __future__ import annotations

from poolkit.errors import ShapeError
from poolkit_conformance.apart import EndedError
from poolkit_conformance.compare import Mismatch
from poolkit_conformance.known import BY_KEY, KnownFailure, exports

_DROPS = "ONNX Runtime's maxima drop NaN, as ONNX lets them"
_EMPTY = "ONNX Runtime has no empty maps in its pools, slices and reshapes"
_ENDS = "the older exporter ends the process at a reshape of no numbers"
_ONE_MAP = "the older exporter writes an invalid graph for PyTorch's own layers of one map"
_NAN = (
    *("nan_wins_wherever_it_stands", "nan_wins_in_global_pooling", "nan_wins_in_its_segment_alone", "chain_sppf_nan"),
    *("max_nan_global", "max_nan_global_nhwc", "max_nan_3d_global", "max_nan_3d_k2", "max_nan_k3_s1_nhwc"),
    *("max_mask_nan_k3_s2_same", "s3_nan_averages_*", "s3_nan_by_samples_*", "segment_max_nan"),
)
_NAN_OWN = ("max_nan_k3_s2_same", "min_nan_k3_s2_same")  # the newer exporter's own call, where others have comparisons
_ENDING = (
    *("max_empty_batch_global", "unpool_empty_batch", "unpool_no_channels", "roi_max_no_channels"),
    *("median_empty_channels_adaptive", "stochastic_empty_channels_adaptive"),
    "stochastic_drawn_empty_channels_adaptive",
)
_PARTS = tuple(f"fractional_max_{each}" for each in ("of_paddles_example", "*_parts_*", "*_by_ratio"))


def _onnx(
    modes: tuple[str, ...], cases: tuple[str, ...], exception: type[BaseException], reason: str
) -> tuple[KnownFailure, ...]:
    return tuple(row for mode in modes for row in exports("torch", mode, cases, exception, reason))


ROWS = (
    *_onnx(("*onnx*",), _NAN, Mismatch, _DROPS),
    *_onnx(("onnx", "onnx batch"), _NAN_OWN, Mismatch, _DROPS),
    *_onnx(("onnx", "onnx batch", "older onnx*"), ("max_nan_3d_k4_one_channel",), Mismatch, _DROPS),
    *_onnx(("onnx any", "older onnx any"), ("segment_min_nan",), Mismatch, _DROPS),
    *_onnx(
        ("onnx", "onnx batch"),
        ("max_mask_inf_k3_s2_same",),
        Mismatch,
        "ONNX Runtime's maximum of a window over the edge whose cells are -inf is -3.4e38",
    ),
    *_onnx(("onnx any", "program any"), ("struct_one_node",), Exception, "PyTorch takes a size of 1 for a constant"),
    # empty tensors
    *_onnx(("onnx", "older onnx"), ("segment_max_no_channels",), Exception, _EMPTY),
    *_onnx(("onnx batch",), ("unpool_no_channels", "pyramid_without_any_channel"), Exception, _EMPTY),
    *_onnx(("onnx batch", "onnx any"), ("roi_max_no_channels",), Exception, _EMPTY),
    *_onnx(("onnx any",), ("pyramid_empty_batch", "pyramid_without_any_channel"), Exception, _EMPTY),
    *_onnx(("onnx any",), ("roi_align_none", "roi_max_none"), Exception, _EMPTY),
    *_onnx(("older onnx*",), ("avg_empty_channels_global", "pyramid_without_any_channel"), Exception, _EMPTY),
    *_onnx(("older onnx*",), ("avg_empty_axis_that_is_not_pooled",), Exception, _EMPTY),
    *_onnx(("older onnx",), ("roi_align_none", "roi_max_none"), Exception, _EMPTY),
    *_onnx(("older onnx",), ("fractional_max_middle_empty_batch",), Exception, _EMPTY),
    *_onnx(("older onnx",), _ENDING, EndedError, _ENDS),
    *_onnx(("older onnx any",), _ENDING, Exception, _EMPTY),
    *_onnx(("older onnx*",), ("max_empty_channels",), RuntimeError, "max_pool2d refuses a map without channels"),
    # what the older exporter cannot write
    *_onnx(("older onnx",), _PARTS, ShapeError, "the older exporter knows no size, and windows follow it"),
    *_onnx(
        ("older onnx*",),
        (*BY_KEY, "fractional_max_uint8_k2_to_4"),
        RuntimeError,
        "the older exporter has no bitwise operators of integers",
    ),
    *_onnx(("older onnx",), ("indices_are_of_the_unpadded_input",), Exception, _ONE_MAP),
    *_onnx(("older onnx*",), ("avg_HW_rank2", "avg_CHW_rank3"), Exception, _ONE_MAP),
    *_onnx(("older onnx*",), ("*_mask_HW_rank2", "*_mask_CHW_rank3"), Exception, _ONE_MAP),
    *_onnx(("older onnx*",), ("s3_by_samples_without_batch", "s3_averages_without_batch"), Exception, _ONE_MAP),
)
