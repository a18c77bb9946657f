"""Whole files of Python source, ported there and back: the same specs, and everything else byte for byte."""

from __future__ import annotations

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
import torch

from poolkit.dialects.normal import normal
from poolkit.port.python.source import port_source
from poolkit.spec.pool_spec import PoolSpec
from tests.helpers.ports import MAP, function
from tests.helpers.support import ROOT

EXAMPLES = ROOT / "examples"
KEPT = ROOT / "tests" / "porting"
FILES = {
    "keras": [EXAMPLES / "porting" / "deeplab_keras.py", EXAMPLES / "keras_sequential.py"],
    "torch": [KEPT / "torch_net.txt", EXAMPLES / "torch_sequential.py"],
    "jax": [EXAMPLES / "flax_modules.py", EXAMPLES / "equinox_sequential.py"],
}
WAYS = [
    pytest.param(path, own, to, id=f"{path.stem} to {to}")
    for own, paths in FILES.items()
    for path in paths
    for to in ("torch", "keras", "tensorflow", "jax")
    if to != own
]


def specs(source: str) -> list[PoolSpec | str]:
    """What each pooling call of a file pools, in normal form; its text where that is only known when it runs."""
    rows = [row for row in port_source(source, None).rows if row.status != "left"]
    return [normal(row.spec) if isinstance(row.spec, PoolSpec) else "an expression" for row in rows]


@pytest.mark.parametrize(("path", "own", "to"), WAYS)
def test_there_and_back_gives_the_same_specs(path: Path, own: str, to: str) -> None:
    source = path.read_text()
    layout = "NCHW" if "equinox" in path.stem else None  # one image at a time, channels first
    there = port_source(source, to)
    back = port_source(there.text, own, layout=layout)
    assert there.complete
    assert back.complete
    assert len(specs(source)) >= 3
    assert specs(back.text) == specs(source)


def test_the_text_of_a_whole_file() -> None:
    before, after = (KEPT / name for name in ("keras_segmentation.txt", "keras_segmentation_torch.txt"))
    ported = port_source(before.read_text(), "torch")
    assert ported.text == after.read_text()
    assert [row.status for row in ported.rows].count("left") == 1
    assert ported.complete


def test_nothing_else_of_a_file_changes() -> None:
    """Every line that holds no pooling and no import is there, in the same order."""
    for path in (path for paths in FILES.values() for path in paths):
        source = path.read_text()
        for to in ("torch", "keras"):
            after = port_source(source, to)
            ast.parse(after.text)
            told = {row.before.splitlines()[0] for row in after.rows}
            kept = [
                line for line in source.splitlines() if "import" not in line and not any(part in line for part in told)
            ]
            lines = iter(after.text.splitlines())
            assert all(line in lines for line in kept), path


def test_numbers_of_the_pools_of_a_whole_file() -> None:
    source = (KEPT / "keras_segmentation.txt").read_text()
    first = torch.from_numpy(MAP).permute(0, 3, 1, 2)
    expected = function(source, "heads")(MAP)
    got = function(port_source(source, "torch").text, "heads")(first)
    for a, b in zip(expected, got, strict=True):
        array = b.numpy()
        array = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
        np.testing.assert_allclose(array, keras.ops.convert_to_numpy(a), rtol=1e-5, atol=1e-6)


def test_a_large_file_takes_no_long_time() -> None:
    source = (KEPT / "keras_segmentation.txt").read_text()
    many = source + "".join(
        f"\n\ndef f{n}(x):\n    x = layers.MaxPooling2D({n + 2})(x)\n    return x + {n}\n" for n in range(300)
    )
    assert len(port_source(many, "torch").rows) > 300
