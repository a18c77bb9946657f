"""What fuzzers share: `--fuzz-seconds` and `--fuzz-seed`, cases that can be made again, and counts where a run ends."""

from __future__ import annotations

import importlib
import itertools
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.support import python

# How long a case takes says how busy the machine is, and nothing of poolkit. Examples are the same in every run, so
# that a change isn't refused for a case that it does not touch; others: `--hypothesis-profile "other examples"`.
settings.register_profile("other examples", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", settings.get_profile("other examples"), derandomize=True)
settings.load_profile("any machine")


class Fuzz:
    """The cases of one fuzzer: iterating gives a generator for each, until the time is over; at least one is given.

    A case depends on the seed, the test and its number alone, never on those before it or on how fast the machine is.
    """

    def __init__(self, name: str, seconds: float, seed: str) -> None:
        self.name, self.seconds, self.seed = name, seconds, seed
        self.cases = 0
        self.case = ""
        self.outcomes: Counter[str] = Counter()

    def __iter__(self) -> Iterator[random.Random]:
        end = time.monotonic() + self.seconds
        seed, _, only = self.seed.partition(":")
        for number in [int(only)] if only else itertools.count():
            self.case = f"{seed}:{number}"
            self.cases += 1
            yield random.Random(f"{self.name} {self.case}")
            if time.monotonic() > end:
                return

    def count(self, outcome: str) -> None:
        """One case ended so."""
        self.outcomes[outcome] += 1

    def elsewhere(self, fuzzer: str, **environment: str) -> None:
        """Let `fuzzer`, as "module.function", go through these cases in a Python with another environment."""
        code = f"from tests.conftest import child; child({fuzzer!r}, {self.name!r}, {self.seconds!r}, {self.seed!r})"
        told = json.loads(python(code, **environment).splitlines()[-1])
        self.cases, self.case = told["cases"], told["case"]
        self.outcomes.update(told["outcomes"])
        assert not told["error"], told["error"]

    def __str__(self) -> str:
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        return f"{self.name}: {self.cases} cases in {self.seconds:g} s{': ' if told else ''}{told}"


def child(fuzzer: str, name: str, seconds: float, seed: str) -> None:
    """What `Fuzz.elsewhere` runs: the last line that is printed tells what came of it."""
    module, _, function = fuzzer.rpartition(".")
    fuzz, error = Fuzz(name, seconds, seed), ""
    try:
        getattr(importlib.import_module(module), function)(fuzz)
    except Exception:
        error = traceback.format_exc()
    told = {"cases": fuzz.cases, "case": fuzz.case, "outcomes": fuzz.outcomes, "error": error}
    sys.stdout.write(json.dumps(told) + "\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fuzzers")
    group.addoption("--fuzz-seconds", type=float, default=5, metavar="N", help="how long each fuzzer goes on (5)")
    group.addoption("--fuzz-seed", default="0", metavar="SEED", help="0; SEED:CASE is one case, as a failure gives it")


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Fuzz:
    """The cases of this test; the run ends by saying what came of them, and a failure by saying which case it was."""
    options = request.config.option
    return Fuzz(request.node.nodeid.rpartition("/")[2], options.fuzz_seconds, options.fuzz_seed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fuzz = getattr(item, "funcargs", {}).get("fuzz")
    if report.when == "call" and isinstance(fuzz, Fuzz):
        # Properties travel from the workers of pytest-xdist to the process that writes the summary.
        report.user_properties.append(("fuzz", str(fuzz)))
        if report.failed:
            report.sections.append(("fuzzer", f"this case again: --fuzz-seed {fuzz.case}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    told = [text for report in reports for name, text in report.user_properties if name == "fuzz"]
    if told:
        terminalreporter.section("fuzzers")
        for line in sorted(told):
            terminalreporter.line(line)
