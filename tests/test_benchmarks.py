"""The benchmarks run, and tell a slow call from a fast one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.ports import main as ports
from poolkit.measure import compare, overheads
from tests.support import ROOT, environment


def fast() -> None:
    time.sleep(0.0005)


def slow() -> None:
    time.sleep(0.002)


def test_a_ratio_above_one_means_that_the_second_call_is_faster() -> None:
    result = compare(slow, fast, turns=5, seconds=0.005)

    assert result.native > result.poolkit
    assert result.ratio > 1.5


def test_overhead_is_what_a_call_takes_more() -> None:
    [more] = overheads(fast, [slow], turns=5, seconds=0.005)

    assert 0.0005 < more < 0.01


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_benchmarks_run(backend: str) -> None:
    words = ["--backend", backend, "--site", "stem", "--batch", "1", "--turns", "1", "--seconds", "0.0001", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {(row["backend"], row["layout"]) for row in result["sites"]} == {(backend, "NCHW"), (backend, "NHWC")}
    assert all(row["ratio"] > 0 for row in result["sites"])
    assert len(result["overhead"]) == (3 if backend == "torch" else 0)


def test_ports_of_one_commit_are_equal_and_a_changed_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before, after = tmp_path / "files", tmp_path / "before.json", tmp_path / "after.json"
    folder.mkdir()
    source = folder / "net.py"
    source.write_text("from torch import nn\n\npool = nn.MaxPool2d(2)\n")
    ports(["record", str(before), str(folder)])
    assert ports(["compare", str(before), str(before)]) == 0
    source.write_text("from torch import nn\n\npool = nn.MaxPool2d(3)\n")
    ports(["record", str(after), str(folder)])

    assert ports(["compare", str(before), str(after)]) == 1
    assert "files/net.py --to keras" in capsys.readouterr().out
