"""All tests of a backend, and a run of them without pytest, for the command line."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import poolkit as pk
from poolkit.running import registry
from poolkit_conformance import modes
from poolkit_conformance.case import Case
from poolkit_conformance.cases import CASES
from poolkit_conformance.cases_graphs import GRAPH_LITERALS, GRAPHS
from poolkit_conformance.cases_learned import LEARNED
from poolkit_conformance.cases_outside import outside_cases
from poolkit_conformance.cases_regions import REGION_LITERALS, REGIONS
from poolkit_conformance.cases_segments import SEGMENT_LITERALS, SEGMENTS
from poolkit_conformance.cases_unpool import UNPOOL_LITERALS, UNPOOLS
from poolkit_conformance.checks import arguments, check
from poolkit_conformance.harness import Harness, chosen
from poolkit_conformance.known_failures import known_failure
from poolkit_conformance.literals import LITERALS
from poolkit_conformance.onnx_nodes import onnx_cases

Test = tuple[Case, str]


@dataclass(frozen=True)
class Result:
    """How one case went in one mode."""

    backend: str
    case: str
    mode: str
    status: Literal["passed", "failed", "known"]
    message: str
    seconds: float


def harness(backend: str) -> Harness:
    """The harness in `conformance.py` of a backend's adapter; ImportError where the framework is absent."""
    made = importlib.import_module(f"{registry.row(backend).package}.conformance").HARNESS
    assert isinstance(made, Harness)
    return made


def all_cases() -> list[Case]:
    """Every case; those of ONNX where its package is installed, and of kinds that are registered."""
    literals = [*LITERALS, *SEGMENT_LITERALS, *GRAPH_LITERALS, *UNPOOL_LITERALS, *REGION_LITERALS]
    return [*literals, *CASES, *SEGMENTS, *GRAPHS, *LEARNED, *UNPOOLS, *REGIONS, *onnx_cases(), *outside_cases()]


def tests(h: Harness, full: bool = False) -> list[Test]:  # noqa: PT028  # it is no test
    """Every case in every mode that the harness declares for it, or in all that it fits where that is asked for.

    The modes of one case follow each other, so that what the oracle says of it is computed once.
    """
    return [
        (case, mode)
        for case in all_cases()
        for mode, which in h.modes.items()
        if (full or chosen(which, case)) and modes.fits(h, case, mode)
    ]


def run(backend: str, full: bool = False) -> Iterator[Result]:
    """Run all tests of a backend, one after the other; the number of them is `len(tests(harness(backend), full))`."""
    h = harness(backend)
    for case, mode in tests(h, full):
        yield _result(h, case, mode)


def own_layers(h: Harness) -> tuple[int, list[str]]:
    """In how many cases the framework's own layer gives the definition, and where it does not though no caveat says so.

    Most cases have no own layer that `pk.native` calls equal.
    """
    right = 0
    unsaid: list[str] = []
    for case in all_cases():
        spec = case.spec
        if isinstance(spec, pk.PoolSpec) and not (case.error or case.tensors) and modes.fits(h, case, "eager"):
            try:
                layer = pk.native(spec, h.backend)
            except (pk.NotExactError, pk.BackendError):
                continue
            try:
                with h.context(case):
                    check(h, case, "own layer", layer(*arguments(h, case)))
                right += 1
            except Exception:  # whatever a framework does with what it cannot pool
                unsaid += [] if pk.caveats(spec, h.backend) else [case.name]
    return right, unsaid


def taken_after_all(h: Harness) -> list[tuple[str, str]]:
    """The modes and dtypes that a harness says a mode lacks, of which it takes an average and a maximum."""
    kinds = [pk.PoolSpec(kind, window=3, layout="NCHW") for kind in ("avg", "max")]

    def passes(spec: pk.PoolSpec, mode: str, dtype: str) -> bool:
        return _result(h, Case(f"{spec.kind}_{dtype}", spec, (1, 2, 6, 6), dtype), mode).status == "passed"

    lacking = [(mode, dtype) for mode in h.modes for dtype in sorted(h.dtypes - h.takes(mode))]
    return [(mode, dtype) for mode, dtype in lacking if all(passes(spec, mode, dtype) for spec in kinds)]


def _result(h: Harness, case: Case, mode: str) -> Result:
    began = time.perf_counter()
    message = ""
    try:
        modes.run(h, case, mode)
    except Exception as error:  # the report is about whatever may happen
        message = f"{type(error).__name__}: {error}"
    row = known_failure(h.backend, case.name, mode)
    status: Literal["passed", "failed", "known"] = "failed" if message else "passed"
    if row is not None:
        status, message = ("known", row.reason) if message else ("failed", f"repaired: delete its row ({row.reason})")
    return Result(h.backend, case.name, mode, status, message, time.perf_counter() - began)
