"""The benchmarks run, and tell a slow call from a fast one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.counting import counted, parsed
from benchmarks.grid import same
from benchmarks.kept import alike, merged
from benchmarks.overhead import overheads
from benchmarks.porting import main as porting
from benchmarks.porting import whole
from benchmarks.report import least, plots
from benchmarks.sites import Site
from poolkit.tools.measure import interleaved
from tests.helpers.support import ROOT, environment


def fast() -> None:
    time.sleep(0.0005)


def slow() -> None:
    time.sleep(0.002)


def test_overhead_is_what_a_call_takes_more() -> None:
    _, more = overheads(fast, [slow], turns=5, seconds=0.005)

    assert 0.0005 < more < 0.01


def test_a_call_is_timed_behind_one_of_its_own() -> None:
    """What another one left in the caches made calls that are the same 0.7 of each other."""
    said: list[str] = []

    def clock() -> float:
        said.append("clock")
        return 0.0

    calls = [lambda: said.append("first"), lambda: said.append("second")]
    list(interleaved(calls, turns=1, seconds=1e-9, clock=clock))

    assert said[-8:] == ["first", "clock", "first", "clock", "second", "clock", "second", "clock"]


def test_maxima_of_windows_alone_have_the_lower_target_of_eager_tensorflow() -> None:
    row = {"backend": "tensorflow", "mode": "eager", "layout": "channels_last"}
    names = ("VGG max 2 s2 112x112x64", "max to 7 14x14x512", "max to 7 30x30x512", "global max 7x7x2048")

    assert [least(row | {"site": name}) for name in names] == [0.75, 0.75, 0.97, 0.97]


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


@pytest.mark.parametrize(
    ("backend", "least"),
    [("torch", 28), *[pytest.param(b, n, marks=pytest.mark.slow) for b, n in (("tensorflow", 12), ("jax", 54))]],
)
def test_kinds_give_the_numbers_of_what_is_written_by_hand(backend: str, least: int) -> None:
    said = benchmarks("kinds", "--quick", "--check", "--channels", "2", "--backend", backend)

    assert int(said.split()[0]) >= least


def test_a_grid_is_kept_and_shown_again(tmp_path: Path) -> None:
    words = ("--site", "global avg 7x7", "--backend", "torch", "--turns", "1", "--seconds", "0.0001")
    benchmarks("grid", "--quick", *words, "--results", str(tmp_path))
    benchmarks("overhead", *words, "--results", str(tmp_path))
    benchmarks("memory", "--quick", *words, "--results", str(tmp_path))

    results = json.loads((tmp_path / "results.json").read_text())
    assert {(row["layout"], row["gradient"]) for row in results["grid"]} == {
        (layout, gradient) for layout in ("channels_first", "channels_last") for gradient in (False, True)
    }
    assert [row["MB"] > 0.38 for row in results["memory"]] == [True] * 4  # an input of 7x7x2048 is that much
    assert all(time["us"] > 0 for row in results["grid"] for time in row["times"].values())
    assert set(results["grid"][0]["times"]) == {"copy", "native", "keras", "einops", "poolkit"}
    assert [(row["threads"], row["clock"]) for row in results["overhead"]] == [(1, "wall")] * 4
    assert [row["call"] for row in results["overhead"]] == ["pk.pool", "pk.pool", "layer", "layer"]
    shown = benchmarks("table", "--results", str(tmp_path))
    assert "global avg 7x7x2048" in shown
    assert "adaptive_avg_pool2d" in shown


def test_graphs_are_measured_and_their_nodes_counted(tmp_path: Path) -> None:
    words = ("--backend", "torch", "--mode", "exported", "exported-any", "traced", "--channels", "2")
    short = ("--turns", "1", "--seconds", "0.0001", "--results", str(tmp_path))
    benchmarks("grid", "--quick", "--site", "PSPNet avg to 6", "--layout", "channels_first", *words, *short)
    benchmarks("kinds", "--quick", "--site", "min window", *words, *short)

    results = json.loads((tmp_path / "results.json").read_text())
    cells = {(row["mode"], row["gradient"]): row for row in results["grid"]}
    assert set(cells) == {(mode, train) for mode in ("exported", "exported-any", "traced") for train in (False, True)}
    assert cells["exported", False]["nodes"] == {"native": 1, "poolkit": 1}
    assert [row["nodes"]["hand"] for row in results["kinds"] if not row["gradient"]] == [3, 3, 3]
    assert "3 of 3" in benchmarks("table", "--results", str(tmp_path))


def test_what_was_measured_before_a_process_died_is_kept_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"  # ends at the second of three cells, as XLA may
    python.write_text(
        "#!/bin/sh\neval skip=\\${$#}\n"
        'if [ $skip -eq 0 ]; then echo \'{"us": 1, "cell": 0}\'; kill -9 $$; fi\n'
        'echo \'{"us": 3, "cell": 2}\'\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(SystemExit, match="not all was measured: torch"):
        main(["overhead", "--backend", "torch", "--results", str(tmp_path)])

    assert [row["cell"] for row in json.loads((tmp_path / "results.json").read_text())["overhead"]] == [0, 2]
    assert "measuring torch ended at cell 2" in capsys.readouterr().err


def test_rows_of_the_same_cell_are_replaced_and_those_of_another_machine_stay_alone(tmp_path: Path) -> None:
    assert merged([{"cell": 0, "us": 1}, {"cell": 1, "us": 1}], [{"cell": 1, "us": 2}]) == [
        {"cell": 0, "us": 1},
        {"cell": 1, "us": 2},
    ]
    assert alike({"machine": {"cpu": "a", "date": "1"}}, {"cpu": "a", "date": "2"})
    assert not alike({"machine": {"cpu": "b"}}, {"cpu": "a"})
    file = tmp_path / "results.json"
    file.write_text('{"machine": {"cpu": "made up"}, "overhead": []}')
    with pytest.raises(SystemExit, match=r"results\.json was measured on another machine .* --results"):
        main(["overhead", "--backend", "torch", "--results", str(tmp_path)])
    assert "made up" in file.read_text()


def test_each_backend_of_the_kept_results_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    results = json.loads((ROOT / "benchmarks/results/results.json").read_text())

    drawn = {path.stem: path.read_text().count("<use ") for path in plots(results, tmp_path)}
    first = [(tmp_path / f"{backend}.svg").read_text() for backend in drawn]
    again = [path.read_text() for path in plots(results, tmp_path)]

    assert first == again
    assert set(drawn) == {row["backend"] for row in results["grid"]}
    for backend, points in drawn.items():
        assert points >= sum((row["backend"], row["threads"]) == (backend, 1) for row in results["grid"])


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
