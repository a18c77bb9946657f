"""How much `poolkit port --check` computes: a file may declare windows, bins and sizes by the million."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from poolkit.dialects.reading import call_of, read_call
from poolkit.port import check as checking
from poolkit.port.check import Checked, check, checks
from poolkit.port.python.source import port_source
from poolkit.port.report import Row
from tests.helpers.portmodels import run

HEAD = "import torch.nn as nn\nfrom torch.nn import functional as F\n"
TARGETS = ("jax", "tensorflow", "keras")


def checked(call: str, to: str) -> Checked:
    [row] = port_source(f"{HEAD}y = {call}\n", to).rows
    found = check(row, to)
    assert found is not None
    return found


@pytest.mark.parametrize("to", TARGETS)
def test_bins_by_the_hundred_are_not_run(to: str) -> None:
    assert (
        str(checked("F.adaptive_avg_pool2d(x, 50)", to)) == "not run: it has 100 bins, of which 64 are run at the most"
    )
    assert "it has 1000000 bins" in str(checked("F.adaptive_max_pool1d(x, 1000000)", to))


def test_a_window_over_most_of_a_large_input_is_run_at_smaller_sizes() -> None:
    call = call_of("torch.nn.MaxPool1d(300000, 1)")
    port = call_of("jax.numpy.max(x, axis=1)")
    row = Row("pool", "a", "exact", "b", spec=read_call(call), call=call, ported=port, shape=(1, 3, 10**6))
    shapes = list(checking._shapes(row, "NCL"))
    spec = read_call(call)

    assert shapes[0] == (2, 3, 10**6)
    assert [checking._fits(spec, shape) for shape in shapes] == [False, True, True, False]


@pytest.mark.parametrize("call", ["nn.MaxPool1d(1000000, 1)(x)", "nn.AvgPool2d(1000, 1)(x)", "nn.MaxPool3d(100, 1)(x)"])
def test_large_windows_end(call: str) -> None:
    began = time.process_time()
    found = checked(call, "jax")

    assert found.agrees
    assert time.process_time() - began < 20


def test_rows_after_a_minute_are_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = port_source(f"{HEAD}import os\ny = F.max_pool2d(x, 2)\nz = os.path.join(x)\n", "jax").rows
    monkeypatch.setattr(checking, "SECONDS", 0)

    assert [str(one) for one in checks(rows, "jax").values()] == [
        "not run: the rows before it took 0 s; port and check it by itself"
    ]


def test_rows_that_are_alike_are_run_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls, once = list[Row](), checking.check
    monkeypatch.setattr(checking, "check", lambda row, *rest: calls.append(row) or once(row, *rest))
    (tmp_path / "it.py").write_text(HEAD + "y = F.max_pool2d(x, 2)\n" * 50 + "y = F.max_pool2d(x, 3)\n")
    result = run(tmp_path / "it.py", "--to", "jax", "--check")

    assert result.exit_code == 0
    assert result.stderr.rstrip().endswith("51 exact; 51 of 51 checked")
    assert [row.before for row in calls] == ["F.max_pool2d(x, 2)", "F.max_pool2d(x, 3)"]
