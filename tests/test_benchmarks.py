"""The benchmarks run, and tell a slow call from a fast one."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

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
