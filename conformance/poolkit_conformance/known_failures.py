"""What is known to fail, and whose fault it is. Strict: what is repaired fails the run until its row is deleted."""

from __future__ import annotations

import fnmatch

from poolkit.errors import ShapeError
from poolkit_conformance.known import KnownFailure, exports
from poolkit_conformance.known_lite import ROWS as LITE
from poolkit_conformance.known_onnx import ROWS as ONNX

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
    *ONNX,
    *(
        KnownFailure(
            "jax", case, "dynamic", "upstream", ShapeError, "JAX cannot tell (2n - 1)(2m - 1) from a negative size"
        )
        for case in ("unpool_same_smallest", "unpool_ceil_padded")
    ),
    *LITE,
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
