"""Specs drawn at random, against the conformance suite's definition: every backend, through every route it lists."""

from __future__ import annotations

import random

import pytest

from poolkit_conformance.case import Case
from poolkit_conformance.generated import check_one, draw, dtypes_of, other_values
from poolkit_conformance.harness import Harness
from poolkit_conformance.runner import harness
from tests.conftest import Fuzz

BACKENDS = ("numpy", "torch", "tensorflow", "jax", "keras")
ENGINES = ("jax", "torch")  # of Keras, besides that of this process
SHARE = 1 / 3  # of a fuzzer's time: all of them take as long as two others
MODES = ("eager", "gradient", "routes", "route_gradients", "standalone_any_size", "noncontiguous", "untouched")
# A framework that compiles takes a second for a spec and a shape, and for further numbers none.
COMPILED = ("tensorflow", "jax", "keras")
VALUES = 10


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers(backend: str, fuzz: Fuzz) -> None:
    fuzz.seconds *= SHARE
    run(fuzz, harness(backend))


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_of_keras_on(engine: str, fuzz: Fuzz) -> None:
    fuzz.seconds *= SHARE
    fuzz.elsewhere("tests.lowering.test_fuzz_numbers.of_keras", KERAS_BACKEND=engine, TF_CPP_MIN_LOG_LEVEL="3")


def of_keras(fuzz: Fuzz) -> None:
    run(fuzz, harness("keras"))


def run(fuzz: Fuzz, h: Harness) -> None:
    for rng in fuzz:
        case = draw(rng, dtypes_of(h))
        # What PyTorch's own pools refuse: docs/semantics.md (8).
        refuses = h.backend == "torch" and 0 in case.shape
        check(fuzz, h, case, tuple(mode for mode in MODES if not refuses or mode != "standalone_any_size"))
        if h.backend in COMPILED and not case.error:
            check_values(fuzz, h, case, rng)


def check_values(fuzz: Fuzz, h: Harness, case: Case, rng: random.Random) -> None:
    for _ in range(VALUES):
        check(fuzz, h, other_values(rng, case), ("eager", "gradient"))


def check(fuzz: Fuzz, h: Harness, case: Case, modes: tuple[str, ...]) -> None:
    try:
        ran = check_one(h, case, modes)
    except Exception as error:
        error.add_note(f"{case.spec!r} on {case.dtype}{list(case.shape)} of {case.data}")
        raise
    fuzz.count("refused" if case.error else "answered")
    for mode in ran[1:]:
        fuzz.count(f"also {mode}")
