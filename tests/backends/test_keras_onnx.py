"""Keras models on the engine PyTorch, exported to ONNX: ONNX Runtime gives the numbers of the definition."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.helpers.support import ROOT

# Keras makes an unknown size one cell while it exports, and its own `same` maximum with a stride asks for sizes that
# the exporter does not know: both fail for Keras's layers, too.
ONE_CELL, OWN_SAME = "Output size is too small", "because it is not constant"
FAILED = {
    **{
        f"{how} {spec} any size": ONE_CELL
        for how, spec in (
            ("pool", "max window=2 layout=NHWC"),
            ("pool", "avg window=3 stride=2 layout=NHWC"),
            ("layer", "max window=2 layout=NHWC"),
            ("layer", "avg window=3 stride=2 layout=NHWC"),
            ("layer", "max window=2 layout=NCHW indices=true"),
        )
    },
    "pool max window=3 stride=2 padding=1 layout=NCHW one size": OWN_SAME,
    "pool max window=3 stride=2 padding=same layout=NHWC one size": OWN_SAME,
    "pool max window=3 stride=2 padding=same layout=NHWC any size": OWN_SAME,
}


def test_all_but_what_keras_itself_cannot_export_gives_the_numbers_of_the_definition() -> None:
    command = [sys.executable, "-m", "tests.helpers.keras_onnx"]
    done = subprocess.run(
        command, env={**os.environ, "KERAS_BACKEND": "torch"}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    failed: dict[str, str] = json.loads(done.stdout.splitlines()[-1])

    assert set(failed) == set(FAILED), failed
    assert [name for name, text in failed.items() if FAILED[name] not in text] == []
