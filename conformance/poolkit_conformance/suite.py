"""The suite as pytest sees it: a class to inherit from, whose subclass names a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from poolkit_conformance import modes, runner
from poolkit_conformance.case import Case
from poolkit_conformance.generated import check_generated
from poolkit_conformance.known_failures import idle, known_failure
from poolkit_conformance.runner import Test

Record = Callable[[str, object], None]


def _parameter(backend: str, test: Test) -> object:
    """A test with a readable id, expected to fail where the known-failure table has a row for it."""
    case, mode = test
    row = known_failure(backend, case.name, mode)
    marks = [pytest.mark.xfail(reason=f"{row.fault}: {row.reason}", raises=row.exception, strict=True)] if row else []
    return pytest.param(case, mode, id=f"{mode}-{case.name}", marks=marks)


class PoolConformance:
    """Every case in every mode of a backend. A framework that is absent is a failure: its harness can't be imported.

    >>> class TestNumpy(PoolConformance):
    ...     backend = "numpy"
    """

    backend: ClassVar[str]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if metafunc.function.__name__ == "test_case":
            full = bool(metafunc.config.getoption("full", default=False))
            found = runner.tests(runner.harness(self.backend), full)
            metafunc.parametrize(("case", "mode"), [_parameter(self.backend, test) for test in found])

    def test_case(self, case: Case, mode: str, record_property: Record) -> None:
        record_property("conformance", (self.backend, mode))
        modes.run(runner.harness(self.backend), case, mode)

    def test_caveats_say_where_own_layers_are_wrong(self, record_property: Record) -> None:
        right, unsaid = runner.own_layers(runner.harness(self.backend))
        record_property("own", (self.backend, right))
        assert unsaid == []

    def test_dtypes_that_a_mode_lacks_are_refused_there(self) -> None:
        assert runner.taken_after_all(runner.harness(self.backend)) == []

    def test_generated(self) -> None:
        check_generated(runner.harness(self.backend))

    def test_known_failures_are_about_tests_that_exist(self) -> None:
        every = runner.tests(runner.harness(self.backend), full=True)  # which cases share a mode is by chance
        found = [(case.name, mode) for case, mode in every]
        assert idle(self.backend, found) == []
