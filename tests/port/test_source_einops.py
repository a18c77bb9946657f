"""Calls of einops, whose patterns name the axes themselves."""

from __future__ import annotations

from poolkit.port.python.source import port_source

SOURCE = """from einops import reduce
from einops.layers.torch import Reduce

head = Reduce("b c h w -> b c", "mean")


def f(x):
    return reduce(x, "b c (h 2) (w 2) -> b c h w", "max")
"""


def test_reductions_become_pools() -> None:
    ported = port_source(SOURCE, "keras")

    assert "head = keras.layers.GlobalAveragePooling2D()" in ported.text
    assert "return keras.layers.MaxPooling2D(2)(x)" in ported.text
    assert "einops" not in ported.text
    assert [row.where for row in ported.rows] == ["line 4", "line 8"]
    assert ported.complete


def test_a_pattern_that_is_a_variable_stays() -> None:
    ported = port_source("import einops\ny = einops.reduce(x, pattern, 'mean')\n", "torch")

    assert [row.status for row in ported.rows] == ["failed"]
    assert "pattern=pattern is not known here" in ported.rows[0].note
