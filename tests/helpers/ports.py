"""Python source, ported: what tests of it ask."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
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


TENSORS: dict[str, Callable[[Any], Any]] = {
    "torch": torch.from_numpy,
    "tensorflow": tf.constant,
    "jax": jnp.asarray,
    "keras": np.asarray,
}


def same_numbers(
    source: str, *rest: Any, of: str = "keras", to: str = "torch", x: np.ndarray = MAP, moved: bool = True, at: int = 1
) -> np.ndarray:
    """Run f(x) of a source and of its port; the result, channels last where it is a map.

    `x` has its channels last, and `at` is where PyTorch's is given them, or nowhere where it is not `moved`.
    """
    source = textwrap.dedent(source)
    after = port_source(source, to)
    assert after.complete, after.rows
    texts = {of: source, to: after.text}
    expected, got = (_numbers(function(text), name, rest, x, at if moved else -1) for name, text in texts.items())
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    return got


def _numbers(run: Any, name: str, rest: tuple[Any, ...], x: np.ndarray, at: int) -> np.ndarray:
    there = at if name == "torch" else -1
    given = [TENSORS[name](one) if isinstance(one, np.ndarray) else one for one in rest]
    y = run(TENSORS[name](np.ascontiguousarray(np.moveaxis(x, -1, there))), *given)
    y = np.asarray(keras.ops.convert_to_numpy(y) if name == "keras" else y)
    return np.moveaxis(y, there, -1) if y.ndim == x.ndim else y
