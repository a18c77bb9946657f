"""The tables of the README: what frameworks give today, and which spec each layer is."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

import poolkit as pk
from tests.helpers.support import ROOT, environment

README = (ROOT / "README.md").read_text()


def test_the_table_of_differences_is_what_the_script_prints() -> None:
    done = subprocess.run(
        [sys.executable, "examples/differences.py"],
        cwd=ROOT,
        env=environment(TF_ENABLE_ONEDNN_OPTS="0"),
        capture_output=True,
        text=True,
        check=True,
    )
    *rows, halves = [row for row in done.stdout.splitlines() if row.startswith("|")]
    assert len(rows) == 5
    for row in rows:
        assert row in README
    # The row about halves differs between CPUs, for all but PyTorch and poolkit.
    assert halves.startswith("| bfloat16 mean of 64x64 times 100 | 100 |")
    assert halves.endswith("| 100 |")
    assert any(cell.strip() != "100" for cell in halves.split("|")[3:6])


ROWS = re.findall(r"^\| `((?:keras|torch|flax|tf|x)\.[^`]*)` \| `(pk\.[^`]*)` \|$", README, re.MULTILINE)

LAYERS = """
import os, sys
os.environ["KERAS_BACKEND"] = "tensorflow"
import flax, flax.linen, keras, numpy as np, tensorflow as tf, torch
import poolkit as pk

theirs, ours = sys.argv[1:]
array = np.random.default_rng(0).normal(size=(2, 14, 13, 12)).astype("float32")
name = theirs.split(".")[0]
if "torch" in theirs or name == "x":
    x = torch.tensor(array)
    expected = eval(theirs)(x) if "torch" in theirs else eval(theirs)
elif name == "flax":
    x = array
    expected = eval(theirs)
else:
    x = tf.constant(array)
    expected = eval(theirs)(x) if name == "keras" else eval(theirs)
result = eval(ours)(torch.tensor(array) if "torch" in theirs or name == "x" else array)
pairs = zip(expected, result) if isinstance(expected, tuple) else [(expected, result)]
for one, other in pairs:
    np.testing.assert_allclose(np.asarray(other), np.asarray(one), rtol=1e-5, atol=1e-6)
    assert np.asarray(other).shape == np.asarray(one).shape
print("equal", expected[0].shape if isinstance(expected, tuple) else expected.shape)
"""


def test_every_row_was_found() -> None:
    assert len(ROWS) == 15


@pytest.fixture(scope="module")
def answers() -> list[str]:
    """All rows in one process: importing three frameworks takes seconds."""
    code = "import sys\nfor theirs, ours in ROWS:\n    sys.argv = ['', theirs, ours]\n    exec(CODE)\n"
    program = f"ROWS = {ROWS!r}\nCODE = {LAYERS!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [line for line in done.stdout.splitlines() if line.startswith("equal")]


def test_each_row_gives_the_numbers_of_their_layer(answers: list[str]) -> None:
    assert len(answers) == len(ROWS)


def oracle(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([x[:2].mean(), x[2:4].mean(), x[4:].mean()])


def test_the_average_of_the_first_row_is_the_definitions() -> None:
    assert oracle(np.arange(1.0, 6.0)).tolist() == [1.5, 3.5, 5.0]


@pytest.mark.parametrize(("theirs", "ours"), ROWS)
def test_pk_read_knows_each_layer(theirs: str, ours: str) -> None:
    assert pk.read(theirs) == eval(ours, {"pk": pk})
