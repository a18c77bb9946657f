"""`--works FILE.md` makes the table "what works where" from this run; `--full` runs each case in each mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from poolkit.tools.conformance_report import markdown, renewed
from poolkit_conformance.runner import Result

STATUSES: dict[str, Any] = {"passed": "passed", "failed": "failed", "xfailed": "known"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--works", type=Path, metavar="FILE.md", help="make the table of what works where anew")
    parser.addoption("--full", action="store_true", help="every case in every mode that it fits, which takes hours")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    file: Path | None = config.option.works
    if file is not None:
        tests, own = _recorded(terminalreporter, "conformance"), _recorded(terminalreporter, "own")
        results = [Result(backend, "", mode, status, "", 0.0) for status, (backend, mode) in tests]
        table = markdown(results, dict(value for _, value in own))
        file.write_text(renewed(file.read_text() if file.exists() else "", table))
        terminalreporter.section("what works where")
        terminalreporter.line(table)


def _recorded(reporter: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What tests have recorded by this name, and how they went."""
    for outcome, status in STATUSES.items():
        for report in reporter.getreports(outcome):
            yield from ((status, value) for key, value in report.user_properties if key == name)
