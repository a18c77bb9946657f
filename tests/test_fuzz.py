"""What fuzzers share: a failure names its case, which can be run again, and a run ends by telling what came of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import Fuzz
from tests.helpers.support import ROOT, environment

FUZZER = """
def test_numbers(fuzz):
    for case in fuzz:
        number = case.randrange(1000)
        fuzz.count("even" if number % 2 == 0 else "odd")
        assert number % 100 != 7, f"{number} it was"
"""


def run(folder: Path, *options: str) -> str:
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_fuzzer.py").write_text(FUZZER)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False).stdout


def test_a_case_depends_on_its_number_and_not_on_the_clock() -> None:
    slow, fast = Fuzz("test_numbers", 0.0, "3"), Fuzz("test_numbers", 0.05, "3")

    first, others = [case.random() for case in slow], [case.random() for case in fast]

    assert first == others[:1]
    assert len(others) == fast.cases > 1
    assert len(set(others)) == len(others)
    assert [case.random() for case in Fuzz("test_numbers", 9.0, "3:1")] == others[1:2]


def test_a_failure_names_its_case_and_the_run_ends_with_counts(tmp_path: Path) -> None:
    shown = run(tmp_path, "--fuzz-seconds", "30")

    case = re.search(r"this case again: --fuzz-seed (0:\d+)", shown)
    number = re.search(r"AssertionError: (\d+) it was", shown)
    assert case, shown
    assert number, shown
    assert re.search(r"test_fuzzer.py::test_numbers: \d+ cases in 30 s: \d+ (odd|even), \d+ (odd|even)\n", shown)
    assert f"AssertionError: {number[1]} it was" in run(tmp_path, "--fuzz-seed", case[1])
