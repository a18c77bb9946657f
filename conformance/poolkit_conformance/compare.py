"""Comparison that raises by itself: type, dtype and shape before numbers, and a message with the first difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit_conformance.case import FLOATS, Array, Case
from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.tolerances import LARGEST, SELECTIONS, allowed, kind_of


class Mismatch(AssertionError):  # noqa: N818  # what a test says, not an error of the program
    """A backend's result is not what the definition says."""


def where(case: Case, mode: str, backend: str) -> str:
    """How a message begins."""
    about = f" ({case.why})" if case.why else ""
    return f"{backend}, {mode}, {case.name}{about}: {case.spec} on {case.dtype}{list(case.shape)}"


def same_form(label: str, what: str, found: Array, dtype: str, shape: tuple[int, ...]) -> None:
    """The dtype and shape, which are looked at before any number."""
    if found.dtype.name != dtype:
        raise Mismatch(f"{label}\n  {what} of dtype {found.dtype.name}, expected {dtype}")
    if found.shape != shape:
        raise Mismatch(f"{label}\n  {what} of shape {found.shape}, expected {shape}")


def same_values(label: str, what: str, spec: Any, found: Array, expected: Answer, by: str | None = None) -> None:
    """Values against the oracle: exact for selections, within the table's tolerance otherwise, or in the row `by`."""
    same_form(label, what, found, expected.dtype, expected.values.shape)
    if expected.dtype not in FLOATS:
        _raise_at(label, what, found != expected.values, found, expected.values, None)
        return
    error = allowed(by or kind_of(spec), expected.dtype, expected.values, expected.magnitude)
    got = found.astype(np.float64)
    overflown = kind_of(spec) not in SELECTIONS and _may_overflow(got, expected)
    values = np.where(overflown, got, expected.values.astype(np.float64))
    _close(label, what, got, values, error, expected.dtype)


def _may_overflow(found: Array, expected: Answer) -> Array:
    """Where a result is what is left of partial sums that were too large, in whatever order cells were added."""
    most = LARGEST["float32"] if expected.dtype in LARGEST else np.finfo(np.float64).max  # half types add in float32
    above, below = expected.highest >= most, -expected.lowest >= most
    may: Array = (above & (found == np.inf)) | (below & (found == -np.inf)) | (above & below & np.isnan(found))
    return may


def same_indices(label: str, found: Array, expected: Answer, dtype: str) -> None:
    """Positions are exact; where a window holds several NaNs, that of any of them."""
    assert expected.indices is not None
    same_form(label, "indices", found, dtype, expected.indices.shape)
    wrong = found != expected.indices
    for place, positions in expected.free.items():
        wrong[place] = int(found[place]) not in positions
    _raise_at(label, "indices", wrong, found, expected.indices, None)


def same_derivative(label: str, what: str, spec: Any, found: Array, expected: Derivative, dtype: str) -> None:
    """A gradient or tangent, where it is defined."""
    same_form(label, what, found, dtype, expected.values.shape)
    error = allowed(kind_of(spec), dtype, expected.values, expected.magnitude, derivative=True)
    values = np.where(expected.defined, expected.values, 0)
    got = np.where(expected.defined, found.astype(np.float64), 0)
    _close(label, what, got, values, np.where(expected.defined, error, 0), dtype)


def same_bits(label: str, what: str, found: Array, expected: Array) -> None:
    """The very same numbers; NaN equals NaN, and zeros of either sign are equal."""
    same_form(label, what, found, expected.dtype.name, expected.shape)
    a, b = (t.astype(np.float64) if t.dtype.name in FLOATS else t for t in (found, expected))
    _raise_at(label, what, ~((a == b) | ((a != a) & (b != b))), a, b, None)


def _close(label: str, what: str, found: Array, expected: Array, error: Array, dtype: str) -> None:
    overflow = np.abs(expected) >= LARGEST.get(dtype, np.inf)
    expected = np.where(overflow, np.copysign(np.inf, expected), expected)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - expected) <= error
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    _raise_at(label, what, ~(same | (near & np.isfinite(expected))), found, expected, error)


def _raise_at(label: str, what: str, wrong: Array, found: Array, expected: Array, error: Array | None) -> None:
    """Name the first place that is wrong, and how many there are."""
    if not np.any(wrong):
        return
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    tolerance = "" if error is None else f" within {float(error[place]):.3g}"
    raise Mismatch(
        f"{label}\n  {what}: {int(np.sum(wrong))} of {wrong.size} wrong, the first at {place}: "
        f"expected {expected[place]!r}{tolerance}, got {found[place]!r}"
    )
