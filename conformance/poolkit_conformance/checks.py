"""What every mode does with a result: it is what the definition says, or the refusal that the case names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import poolkit as pk
from poolkit_conformance.case import Case
from poolkit_conformance.compare import Mismatch, same_derivative, same_indices, same_values, where
from poolkit_conformance.expect import expected, expected_gradient
from poolkit_conformance.harness import Harness, Tensor


def check(h: Harness, case: Case, mode: str, result: Any, label: str = "") -> None:
    """A result (values, or values and indices) against what is expected."""
    answer = expected(case)
    said = where(case, mode + label, h.backend)
    parts: Any = result if case.spec.indices else (result,)
    if not isinstance(parts, tuple) or len(parts) != (2 if case.spec.indices else 1):
        raise Mismatch(
            f"{said}\n  expected {'a pair' if case.spec.indices else 'a tensor'}, got {type(result).__name__}"
        )
    for t in parts:
        if not h.owns(t):
            raise Mismatch(
                f"{said}\n  expected a tensor of {h.backend}, got {type(t).__module__}.{type(t).__qualname__}"
            )
    same_values(said, "values", case.spec.kind, h.to_numpy(parts[0]), answer)
    if case.spec.indices:
        same_indices(said, h.to_numpy(parts[1]), answer, h.index_dtype(case))


def values_of(h: Harness, case: Case) -> Callable[[Tensor], Tensor]:
    """Pooling as a function of one tensor to one tensor, as derivatives need it."""
    spec = case.spec
    return (lambda x: h.pool(x, spec)[0]) if spec.indices else (lambda x: h.pool(x, spec))


def refuses(h: Harness, case: Case, mode: str, attempt: Callable[[], Any]) -> None:
    """The error that the case names, and no other."""
    said = where(case, mode, h.backend)
    try:
        result = attempt()
    except getattr(pk, str(case.error)):
        return
    except Exception as error:
        raise Mismatch(f"{said}\n  expected {case.error}, got {type(error).__name__}: {error}") from error
    raise Mismatch(f"{said}\n  expected {case.error}, got {type(result).__name__}")


def check_gradient(h: Harness, case: Case, run: Callable[[Tensor], Tensor], x: Tensor, mode: str) -> None:
    """The gradient of a function of the case's input."""
    g, derivative = expected_gradient(case)
    found = h.to_numpy(h.vjp(run, x, h.from_numpy(g)))
    same_derivative(where(case, mode, h.backend), "gradient", case.spec.kind, found, derivative, case.dtype)
