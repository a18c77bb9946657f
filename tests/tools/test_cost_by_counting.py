"""`spec.cost` beside a count: the formula of each kind, written down plainly, on numbers that count operations."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.spec.kinds import BUILT_IN, KINDS

SEMANTICS = Path(__file__).parents[2] / "docs" / "semantics.md"


class Number:
    """A number that counts operations, comparisons included."""

    done = 0

    def __init__(self, value: float) -> None:
        self.value = value

    def _made(self, value: float) -> Number:
        Number.done += 1
        return Number(value)

    def __add__(self, other: Number) -> Number:
        return self._made(self.value + other.value)

    def __sub__(self, other: Number) -> Number:
        return self._made(self.value - other.value)

    def __mul__(self, other: Any) -> Number:
        return self._made(self.value * (other.value if isinstance(other, Number) else other))

    def __truediv__(self, other: Any) -> Number:
        return self._made(self.value / (other.value if isinstance(other, Number) else other))

    def __pow__(self, p: float) -> Number:
        return self._made(self.value**p)

    def __abs__(self) -> Number:
        return self._made(abs(self.value))

    def __lt__(self, other: Number) -> bool:
        Number.done += 1
        return self.value < other.value

    def exp(self) -> Number:
        return self._made(math.exp(self.value))

    def log(self) -> Number:
        return self._made(math.log(self.value))

    def at_least(self, least: float) -> Number:
        return self._made(max(self.value, least))


def added(cells: Sequence[Number]) -> Number:
    return functools.reduce(lambda a, b: a + b, cells)


def softmax(cells: Sequence[Number], beta: float = 1.0) -> Number:
    weights = [(a * beta).exp() for a in cells]
    return added([w * a for w, a in zip(weights, cells, strict=True)]) / added(weights)


def stochastic(cells: Sequence[Number]) -> Number:
    positive = [a.at_least(0) for a in cells]
    return added([a**2 for a in positive]) / added(positive)


def std(cells: Sequence[Number]) -> Number:
    mean = added(cells) / len(cells)
    return (added([(a - mean) ** 2 for a in cells]) / len(cells)) ** 0.5


FORMULAS: dict[str, Callable[[Sequence[Number]], Any]] = {
    "max": max,
    "fractional_max": max,
    "min": min,
    "sum": added,
    "avg": lambda cells: added(cells) / len(cells),
    "lp": lambda cells: added([abs(a) ** 2.0 for a in cells]) ** 0.5,
    "gem": lambda cells: (added([a.at_least(1e-6) ** 3.0 for a in cells]) / len(cells)) ** (1 / 3),
    "logsumexp": lambda cells: (added([(a * 1.0).exp() for a in cells]) / len(cells)).log() / 1.0,
    "softmax": softmax,
    "stochastic": stochastic,
    "s3": lambda cells: added([max(window) for window in cells]) / len(cells),
    "blur": lambda cells: (
        added([a * math.comb(len(cells) - 1, j) for j, a in enumerate(cells)]) / 2 ** (len(cells) - 1)
    ),
    "first": lambda cells: cells[0],
    "last": lambda cells: cells[-1],
    "mean_sqrt": lambda cells: added(cells) / math.sqrt(len(cells)),
    "std": std,
    "median": lambda cells: sorted(cells)[(len(cells) - 1) // 2],
}


def counted(what: Callable[[], Any]) -> tuple[Any, int]:
    Number.done = 0
    made = what()
    return made, Number.done


X = np.random.default_rng(0).uniform(0.1, 2, 9)


def windows(spec: pk.PoolSpec, stride: int = 2) -> list[list[Number]]:
    """The real cells of windows of 4 with stride 2 and a padding of 1 or none."""
    low = 1 if spec.padding != "valid" else 0
    starts = (0, 2, 5) if KINDS[spec.kind].spreads else range(-low, len(X) + low - 3, stride)
    return [[Number(float(X[i])) for i in range(max(s, 0), min(s + 4, len(X)))] for s in starts]


def test_every_kind_is_counted_and_has_a_row_in_the_table() -> None:
    table = SEMANTICS.read_text().split("| kind | operations of a window |")[1].split("\n\n")[0]

    assert set(FORMULAS) == set(BUILT_IN)
    assert set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:]))) == set(BUILT_IN)


def averaged(spec: pk.PoolSpec) -> list[list[list[Number]]]:
    """Two by two the windows with stride 1 of `s3`, the first alone; the last one of them is left out."""
    single = windows(spec.replace(kind="max", stride=1, options=()), 1)
    return [single[max(first, 0) : first + 2] for first in range(-1, len(single) - 2, 2)]


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_cost_is_what_the_formula_takes(kind: str) -> None:
    padding: Any = "valid" if KINDS[kind].weights else 1
    placed: dict[str, Any] = {"output_size": 3} if KINDS[kind].spreads else {"stride": 2, "padding": padding}
    spec = pk.PoolSpec(kind, window=4, layout="NCL", **placed)
    pooled: Any = averaged if KINDS[kind].strips else windows
    values, done = counted(lambda: [FORMULAS[kind](cells) for cells in pooled(spec)])
    told = spec.cost((1, 1, len(X))).operations

    np.testing.assert_allclose([v.value for v in values], spec(X.reshape(1, 1, -1))[0, 0], rtol=1e-12)
    assert done <= told if kind == "median" else done == told


def test_weights_take_a_product_for_each_cell_and_are_added_up() -> None:
    spec = pk.AvgPool(4, 2, 1, layout="NCL")

    def average() -> Any:
        products = [Number(1.0) * Number(1.0) for _ in X]
        lengths = [len(cells) for cells in windows(spec)]
        return products, [added([Number(1.0)] * n) / added([Number(1.0)] * n) for n in lengths]

    assert spec.cost((1, 1, len(X)), {"weight": "NCL"}).operations == counted(average)[1]


def product(a: list[list[Number]], b: list[list[Number]]) -> list[list[Number]]:
    return [[added([x * y for x, y in zip(row, column, strict=True)]) for column in zip(*b, strict=True)] for row in a]


def shares(rows: list[list[Number]]) -> list[list[Number]]:
    weights = [[q.exp() for q in row] for row in rows]
    return [[w / total for w in row] for row, total in ((row, added(row)) for row in weights)]


@pytest.mark.parametrize("attention", ["dot", "softmax"])
@pytest.mark.parametrize("learned", [(), ("filter", "compatibility")], ids=["plain", "learned"])
def test_a_graph_is_counted_product_by_product(attention: str, learned: tuple[str, ...]) -> None:
    n, c, k, steps = 4, 3, 2, 2

    def numbers(*shape: int) -> list[list[Number]]:
        return [[Number(0.5) for _ in range(shape[1])] for _ in range(shape[0])]

    def graph() -> Any:
        x, unary = numbers(n, c), numbers(n, k)
        weights = product(x, [list(column) for column in zip(*x, strict=True)])
        weights = [[w.exp() for w in row] for row in weights] if attention == "softmax" else weights
        heed = [[w / total for w in row] for row, total in ((row, added(row)) for row in weights)]
        scores = unary
        for _ in range(steps):
            message = product(heed, shares(scores))
            for _ in learned:
                message = product(message, numbers(k, k))
            scores = [[u + m for u, m in zip(*rows, strict=True)] for rows in zip(unary, message, strict=True)]
        turned = [list(column) for column in zip(*shares(scores), strict=True)]
        return product(turned, x), product(product(turned, numbers(n, n)), numbers(n, k))

    tensors = {"adjacency": "NLL", "unary": "NLK", **dict.fromkeys(learned, "KK")}
    spec = pk.StructPool(k, steps=steps, attention=attention)
    told = spec.cost((5, n, c), tensors)
    assert told.operations == 5 * counted(graph)[1]
    assert told.bytes == 4 * (5 * (n * c + n * n + n * k + k * (c + k)) + len(learned) * k * k)
