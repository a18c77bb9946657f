"""What a program computes on the way is let go where nothing reads it any more."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import poolkit as pk
from poolkit.programs.lifetimes import letting_go


def test_a_name_is_let_go_behind_the_last_line_that_reads_it() -> None:
    lines = ["a = x + 1", "b = a + x", "c = a * b", "return c + b"]
    assert letting_go(_module(lines)) == _module(["a = x + 1", "b = a + x", "c = a * b; del a", "return c + b"])


@pytest.mark.parametrize("within", ["f = lambda t: t + a", "def f(t):\n        return t + a"])
def test_what_a_function_reads_stays(within: str) -> None:
    source = _module(["a = x + 1", within, "b = a * 2", "c = f(b)", "d = c * c", "return f(d)"])
    namespace: dict[str, object] = {}
    exec(letting_go(source), namespace)
    function: object = namespace["pool"]
    assert callable(function)
    assert function(3) == 148
    assert letting_go(source).count("; del") == 2  # of b, and of c


def _module(lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f'import numpy as np\n\n\ndef pool(x):\n    """a title, for a"""\n{body}\n'


@pytest.mark.parametrize(("kind", "window", "most"), [("avg", 3, 3.2), ("avg", 63, 5.0), ("max", 3, 2.2)])
def test_a_large_array_takes_a_few_copies(kind: str, window: int, most: float) -> None:
    """Before, 6, 13 and 6: a fold kept every step until it returned."""
    spec = pk.PoolSpec(kind, window=window, stride=1, padding="same", layout="NCHW")
    x = np.ones((1, 1, 1200, 1200), "float32")
    spec(x)
    tracemalloc.start()
    y = spec(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert y.shape == x.shape
    assert peak < most * x.nbytes


def test_what_is_printed_says_nothing_of_it() -> None:
    program = pk.lower(pk.AvgPool(63, 1, layout="NCHW"), "numpy", (1, 1, 80, 80), route="fold")
    assert "del " not in program.source
