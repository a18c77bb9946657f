"""What is known to fail, and whose fault it is. Strict: what is repaired fails the run until its row is deleted."""

from __future__ import annotations

import fnmatch

from poolkit.errors import ShapeError
from poolkit_conformance.compare import Mismatch
from poolkit_conformance.known import BY_KEY, KnownFailure, exports
from poolkit_conformance.known_lite import ROWS

_NAN = ("nan_wins_wherever_it_stands", "nan_wins_in_global_pooling", "max_nan_global_nhwc")
_NAN_OWN = ("max_nan_k3_s2_same",)  # the own call of known sizes, where the older exporter has comparisons
_PARTS = tuple(f"fractional_max_{each}" for each in ("of_paddles_example", "*_parts_*", "*_by_ratio"))
_BITS = (*BY_KEY, "fractional_max_uint8_k2_to_4")
_SMALLEST = (
    *("a_hidden_nan_stays_hidden", "the_last_at_a_place_is_seen_and_has_the_gradient", "unpool_of_onnx_document"),
    *("unpool_causal", "unpool_ceil*", "unpool_dilated", "unpool_k2", "unpool_k3_s1", "unpool_same_smallest"),
    *("unpool_empty_batch", "unpool_no_channels", "unpool_inf", "unpool_nan", "unpool_like*"),
)

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
    *exports("torch", "trace any", ("max_empty_channels",), RuntimeError, "max_pool2d refuses a map without channels"),
    *exports("torch", "*onnx*", _NAN, Mismatch, "ONNX Runtime's maxima drop NaN, as ONNX lets them"),
    *exports("torch", "onnx", _NAN_OWN, Mismatch, "ONNX Runtime's maxima drop NaN, as ONNX lets them"),
    *exports("torch", "onnx batch", _NAN_OWN, Mismatch, "ONNX Runtime's maxima drop NaN, as ONNX lets them"),
    *exports("torch", "older onnx", _PARTS, ShapeError, "the older exporter knows no size, and windows follow it"),
    *exports("torch", "older onnx*", _BITS, RuntimeError, "the older exporter has no bitwise operators of integers"),
    *exports(
        "torch",
        "older onnx",
        ("indices_are_of_the_unpadded_input",),
        Exception,
        "the older exporter writes an invalid graph for PyTorch's own layer of one map with indices",
    ),
    *exports(
        "torch",
        "older onnx*",
        ("avg_HW_rank2", "avg_CHW_rank3", "*_mask_HW_rank2", "*_mask_CHW_rank3"),
        Exception,
        "the older exporter writes an invalid graph for PyTorch's own layers of one map",
    ),
    *exports(
        "torch",
        "older onnx",
        ("fractional_max_middle_empty_batch",),
        Exception,
        "ONNX Runtime gathers nothing from an empty batch",
    ),
    *(
        KnownFailure(
            "jax", case, "dynamic", "upstream", ShapeError, "JAX cannot tell (2n - 1)(2m - 1) from a negative size"
        )
        for case in ("unpool_same_smallest", "unpool_ceil_padded")
    ),
    *ROWS,
    *(
        KnownFailure(
            "keras", case, "dynamic", "never", ShapeError, "a Keras model has to know the size of what it makes"
        )
        for case in _SMALLEST
    ),
)


def known_failure(backend: str, case: str, mode: str) -> KnownFailure | None:
    """The row for a test, or None."""
    return next((row for row in KNOWN_FAILURES if row.covers(backend, case, mode)), None)


def idle(backend: str, tests: list[tuple[str, str]]) -> list[KnownFailure]:
    """Rows of a backend that match none of its tests (case, mode)."""
    rows = [row for row in KNOWN_FAILURES if fnmatch.fnmatchcase(backend, row.backend)]
    return [row for row in rows if not any(row.covers(backend, case, mode) for case, mode in tests)]
