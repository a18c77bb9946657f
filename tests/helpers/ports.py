"""Python source, ported: what tests of it ask."""

from __future__ import annotations

import textwrap
from typing import Any

import keras
import numpy as np
import torch

from poolkit.port.python.source import port_source
from poolkit.port.report import Ported, Row

MAP = np.random.default_rng(0).normal(size=(2, 8, 6, 3)).astype(np.float32)


def ported(source: str, to: str | None = "torch", **options: Any) -> Ported:
    return port_source(textwrap.dedent(source), to, **options)


def line(source: str, to: str = "torch", **options: Any) -> str:
    """The last line of a ported source."""
    return ported(source, to, **options).text.splitlines()[-1].strip()


def row(source: str, to: str = "torch") -> Row:
    rows = ported(source, to).rows
    assert len(rows) == 1, rows
    return rows[0]


def function(source: str, name: str = "f") -> Any:
    """The function that a source of these tests defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "source", "exec"), names)
    return names[name]


def same_numbers(source: str, *rest: Any) -> np.ndarray:
    """Run f(x) of a Keras source, and of its port to PyTorch; the result, channels last where it is a map."""
    source = textwrap.dedent(source)
    after = port_source(source, "torch")
    assert after.complete, after.rows
    expected = np.asarray(keras.ops.convert_to_numpy(function(source)(MAP, *rest)))
    got = function(after.text)(torch.from_numpy(MAP).permute(0, 3, 1, 2), *rest).numpy()
    got = got.transpose(0, 2, 3, 1) if got.ndim == 4 else got
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    return got
