"""What is known to fail, and whose fault it is. Strict: what is repaired fails the run until its row is deleted."""

from __future__ import annotations

import fnmatch
from typing import Literal, NamedTuple

from poolkit.errors import ShapeError
from poolkit_conformance.compare import Mismatch


class KnownFailure(NamedTuple):
    """One row. `cases` and `mode` are patterns as of a shell."""

    backend: str
    cases: str
    mode: str
    fault: Literal["todo", "upstream", "never"]  # ours; the framework's; nobody's, it can't be had
    exception: type[BaseException]
    reason: str

    def covers(self, backend: str, case: str, mode: str) -> bool:
        names = ((backend, self.backend), (case, self.cases), (mode, self.mode))
        return all(fnmatch.fnmatchcase(name, pattern) for name, pattern in names)


def _exports(
    backend: str, modes: str, cases: tuple[str, ...], exception: type[BaseException], reason: str
) -> tuple[KnownFailure, ...]:
    """Rows of what a format, its converter or its runtime does not have."""
    return tuple(KnownFailure(backend, case, f"exported:{modes}", "upstream", exception, reason) for case in cases)


_NAN = ("nan_wins_wherever_it_stands", "nan_wins_in_global_pooling", "max_nan_global_nhwc")
_NAN_OWN = ("max_nan_k3_s2_same",)  # the own call of known sizes, where the older exporter has comparisons
_PARTS = tuple(f"fractional_max_{each}" for each in ("of_paddles_example", "*_parts_*", "*_by_ratio"))
_BY_KEY = ("*_by_key_*", *(f"fractional_max_{each}_k2_to_4" for each in ("mask", "bool")))
_BITS = (*_BY_KEY, "fractional_max_uint8_k2_to_4")
_LITE_3D = (
    *("avg_3d_k2_s2_same", "avg_3d_channels_last_k2x3x1", "avg_huge*_3d_k2", "sum_huge*_3d_k2", "s3_averages_3d"),
    *(f"{kind}_3d_k2" for kind in ("stochastic", "lp", "gem", "logsumexp")),
)
_LITE_AXES = ("stochastic_drawn_3d_k2", "median_3d_k2")
_LITE_AXES_ANY = (
    *("avg_4d_k2", "avg_5d_adaptive", "stochastic_3d_k2", "median_3d_k2"),
    *("roi_align_of_maps", "roi_align_of_a_whole_map", "roi_align_unaligned_is_half_a_cell_further"),
)
_LITE_INFINITE = (
    *(f"{kind}_of_infinite_cells" for kind in ("stochastic", "lp", "lp_1", "gem", "logsumexp")),
    *("median_takes_no_padding", "logsumexp_of_minus_infinity_with_beta_below_0", "a_masked_maximum_of_minus_infinity"),
)
_LITE_BOOL = ("maximum_of_booleans", "max_bool_k3_s2_same", "min_bool_global")

# The goal is that it stays empty.
KNOWN_FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        "torch",
        "max_empty_channels",
        "standalone_any_size",
        "upstream",
        RuntimeError,
        "max_pool2d refuses a map without channels, which what is printed for every size cannot look for",
    ),
    *_exports("torch", "*onnx*", _NAN, Mismatch, "ONNX Runtime's maxima drop NaN, as ONNX lets them"),
    *_exports("torch", "onnx", _NAN_OWN, Mismatch, "ONNX Runtime's maxima drop NaN, as ONNX lets them"),
    *_exports("torch", "onnx batch", _NAN_OWN, Mismatch, "ONNX Runtime's maxima drop NaN, as ONNX lets them"),
    *_exports("torch", "older onnx", _PARTS, ShapeError, "the older exporter knows no size, and windows follow it"),
    *_exports("torch", "older onnx*", _BITS, RuntimeError, "the older exporter has no bitwise operators of integers"),
    *_exports(
        "torch",
        "older onnx",
        ("indices_are_of_the_unpadded_input",),
        Exception,
        "the older exporter writes an invalid graph for PyTorch's own layer of one map with indices",
    ),
    *_exports(
        "torch",
        "older onnx",
        ("fractional_max_middle_empty_batch",),
        Exception,
        "ONNX Runtime gathers nothing from an empty batch",
    ),
    *_exports("tensorflow", "lite", ("roi_max_none", "roi_max_no_channels"), ValueError, "LiteRT has no empty tensors"),
    *_exports("tensorflow", "lite*", ("roi_max_*",), RuntimeError, "LiteRT slices at most five axes"),
    *_exports("tensorflow", "lite", _LITE_AXES, RuntimeError, "LiteRT slices at most five axes"),
    *_exports("tensorflow", "lite", _LITE_3D, Exception, "LiteRT has no average pool of three axes"),
    *_exports("tensorflow", "lite*", _BY_KEY, Exception, "LiteRT has no shifts of integers"),
    *_exports("tensorflow", "lite any", _LITE_AXES_ANY, Exception, "LiteRT pads and selects along at most five axes"),
    *_exports("tensorflow", "lite any", _LITE_INFINITE, Mismatch, "LiteRT's converter makes infinite constants finite"),
    *_exports("tensorflow", "lite any", _LITE_BOOL, Exception, "LiteRT compares no bytes, and takes no maxima of bool"),
    *_exports("tensorflow", "lite any", ("stochastic_empty_batch",), RuntimeError, "LiteRT has no empty tensors"),
    *_exports("tensorflow", "lite", ("avg_empty_batch",), ValueError, "LiteRT has no empty tensors"),
)


def known_failure(backend: str, case: str, mode: str) -> KnownFailure | None:
    """The row for a test, or None."""
    return next((row for row in KNOWN_FAILURES if row.covers(backend, case, mode)), None)


def idle(backend: str, tests: list[tuple[str, str]]) -> list[KnownFailure]:
    """Rows of a backend that match none of its tests (case, mode)."""
    rows = [row for row in KNOWN_FAILURES if fnmatch.fnmatchcase(backend, row.backend)]
    return [row for row in rows if not any(row.covers(backend, case, mode) for case, mode in tests)]
