"""Specs drawn at random, against the conformance suite's definition: every backend, through every route it lists."""

from __future__ import annotations

import pytest

from poolkit_conformance.generated import check_one, draw, dtypes_of
from poolkit_conformance.runner import harness
from tests.conftest import Fuzz

BACKENDS = ("numpy", "torch", "tensorflow", "jax", "keras")
MODES = ("eager", "gradient", "routes", "route_gradients", "standalone_any_size", "noncontiguous", "untouched")


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers(backend: str, fuzz: Fuzz) -> None:
    h = harness(backend)
    fuzz.seconds /= len(BACKENDS)  # all of them take as long as another fuzzer
    for rng in fuzz:
        case = draw(rng, dtypes_of(h))
        # What PyTorch's own pools refuse: docs/semantics.md (8).
        refuses = backend == "torch" and 0 in case.shape
        try:
            ran = check_one(h, case, tuple(mode for mode in MODES if not refuses or mode != "standalone_any_size"))
        except Exception as error:
            error.add_note(f"{case.spec!r} on {case.dtype}{list(case.shape)} of {case.data}")
            raise
        fuzz.count("refused" if case.error else "answered")
        for mode in ran[1:]:
            fuzz.count(f"also {mode}")
