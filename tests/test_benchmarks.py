"""The benchmarks run, and tell a slow call from a fast one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.counting import counted, parsed
from benchmarks.grid import same
from benchmarks.porting import main as porting
from benchmarks.porting import whole
from benchmarks.sites import Site
from poolkit.tools.measure import compare, overheads
from tests.helpers.support import ROOT, environment


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


def benchmarks(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# For correctness alone: no time is looked at. The sites of JAX and TensorFlow take minutes to compile.
@pytest.mark.parametrize(
    "backend",
    ["numpy", "torch", pytest.param("tensorflow", marks=pytest.mark.slow), pytest.param("jax", marks=pytest.mark.slow)],
)
def test_every_cell_of_the_grid_gives_the_numbers_of_the_documented_call(backend: str) -> None:
    said = benchmarks("grid", "--quick", "--check", "--channels", "2", "--backend", backend)

    assert int(said.split()[0]) >= 58


def test_a_grid_is_kept_and_shown_again(tmp_path: Path) -> None:
    words = ("--site", "global avg 7x7", "--backend", "torch", "--turns", "1", "--seconds", "0.0001")
    benchmarks("grid", "--quick", *words, "--results", str(tmp_path))
    benchmarks("overhead", *words, "--results", str(tmp_path))

    results = json.loads((tmp_path / "results.json").read_text())
    assert {(row["layout"], row["gradient"]) for row in results["grid"]} == {
        (layout, gradient) for layout in ("channels_first", "channels_last") for gradient in (False, True)
    }
    assert all(time["us"] > 0 for row in results["grid"] for time in row["times"].values())
    assert set(results["grid"][0]["times"]) == {"copy", "native", "keras", "einops", "poolkit"}
    assert len(results["overhead"]) == 3
    assert results["machine"]["threads"] == 1
    shown = benchmarks("table", "--results", str(tmp_path))
    assert "global avg 7x7x2048" in shown
    assert "adaptive_avg_pool2d" in shown


def test_a_contender_that_gives_other_numbers_is_told() -> None:
    site = Site("made up", "avg", (4, 4), 2, output_size=1)
    right = np.ones((1, 2), np.float32)

    with pytest.raises(AssertionError, match="poolkit of torch"):
        same("poolkit of torch", right * (1 + 2e-6), right, site)
    same("poolkit of torch", right * (1 + 2e-7), right, site)


def test_ports_of_one_commit_are_equal_and_a_changed_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before = tmp_path / "files", tmp_path / "before.json"
    folder.mkdir()
    source = folder / "net.py"
    source.write_text("from torch import nn\n\npool = nn.MaxPool2d(2)\n")
    porting([str(folder), "--json", str(before)])
    assert porting([str(folder), "--against", str(before)]) == 0
    source.write_text("from torch import nn\n\npool = nn.MaxPool2d(3)\n")

    assert porting([str(folder), "--against", str(before)]) == 1
    assert "files/net.py --to keras" in capsys.readouterr().out


NET = """import torch.nn.functional as F
from torch import nn
from .ops import max_pool2d

class Net(nn.Module):
    def __init__(self, pool: nn.MaxPool2d):
        self.avg_pool = nn.AvgPool2d(2)

    def forward(self, x):
        x = self.avg_pool(x)  # made above, where it is counted
        x = max_pool2d(getattr(nn, f"AvgPool{2}d")(2)(nn.MaxPool2d(2)(x)))
        return block(x.mean((2, 3)) + x.mean(1), nn.MaxPool2d)
"""


def test_pools_are_counted_where_they_are_spelled_and_not_where_they_are_used() -> None:
    words = [(call.lines[0], call.word) for call in counted(parsed(NET))]

    assert words == [
        (7, "AvgPool2d"),
        (11, "MaxPool2d"),
        (11, "getattr"),
        (11, "max_pool2d"),
        (12, "MaxPool2d"),
        (12, "mean"),
    ]


def test_a_name_that_nothing_defines_is_told() -> None:
    before, after = "import a\nx = a.f(b)\n", "import a\nx = torch.f(b)\n"

    assert whole(before, after) == {"undefined": ["torch"]}
    assert "broken" in whole(before, "x = (")
