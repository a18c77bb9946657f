"""Graphs pooled into clusters of nodes that talk to each other: the mean field of a conditional random field."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from poolkit.spec.arguments import as_shape
from poolkit.spec.declared import Declared
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import keep_text
from poolkit.spec.values import LARGEST, count, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

ATTENTION = ("dot", "softmax")
LAYOUTS = ("NLC", "LC")
MOST_STEPS = 100  # each is a line or more of the program, and the mean field hardly moves after ten


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class StructPool(Declared):
    """What `pk.struct_pool` does: the nodes of a graph become `clusters` nodes, each a weighted sum of all.

    The result has `clusters` rows, which hold the pooled nodes and then the pooled adjacency, side by side along C.

    >>> import numpy as np
    >>> x, path = np.array([[1.0], [2.0], [4.0]]), np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> StructPool(2, layout="LC", steps=0)(x, adjacency=path, unary=np.zeros((3, 2)))
    array([[3.5, 1. , 1. ],
           [3.5, 1. , 1. ]])
    """

    key = "clusters"
    word = "struct"
    fitting = 'give nodes of shape (graphs, nodes, channels), or layout="LC" for one graph'
    kind: ClassVar[str] = "struct"

    clusters: int
    _: dataclasses.KW_ONLY
    layout: str = "NLC"
    steps: int = 5
    attention: str = "dot"

    axes = "L"
    keepdims = True
    indices = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # of an object, which Dynamo follows
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        object.__setattr__(self, "clusters", count("clusters", self.clusters, 1, LARGEST - 1))
        object.__setattr__(self, "steps", count("steps", self.steps, 0, MOST_STEPS))
        for name, words in (("attention", ATTENTION), ("layout", LAYOUTS)):
            given: object = getattr(self, name)
            if not isinstance(given, str) or given not in words:
                rule = f"the {name} of a graph's pooling is {' or '.join(map(quoted, words))}"
                raise wrong(f"{name}={shown(given)}", rule, "write one of these")
        keep_text(self)

    def __str__(self) -> str:
        named = {"clusters": self.clusters, "layout": self.layout, **self.arguments()[1]}
        return " ".join(["struct", *[f"{name}={value}" for name, value in named.items()]])

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        fields = dataclasses.fields(self)[1:]
        return (self.clusters,), {f.name: getattr(self, f.name) for f in fields if getattr(self, f.name) != f.default}

    @property
    def takes(self) -> tuple[str, ...]:
        return ("adjacency", "unary", "filter", "compatibility", "mask")

    @property
    def needs(self) -> tuple[str, ...]:
        return self.takes[:2]

    @property
    def selects(self) -> bool:
        return False

    @property
    def lengths(self) -> Mapping[str, int]:
        return {"K": self.clusters}

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        nodes = letters.removesuffix("C")
        return ({"adjacency": nodes + "L", "unary": nodes + "K", "mask": nodes}.get(name, "KK"),)

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        *graphs, n, c = shape
        k, softmax = self.clusters, n * (3 * self.clusters - 1)
        exponentials = n * n if self.attention == "softmax" else 0
        attention = _product(n, c, n) + exponentials + n * (n - 1) + n * n
        heard = sum(_product(n, k, k) for name in ("filter", "compatibility") if name in given)
        step = softmax + _product(n, n, k) + heard + n * k
        result = _product(k, n, c) + _product(k, n, n) + _product(k, n, k)
        return math.prod(graphs) * ((attention + self.steps * step if self.steps else 0) + softmax + result)

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        return PoolSpec("avg", output_size=1, layout=self.layout).work_dtype(dtype, widen)

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        from poolkit.lowering.operations.struct_pool import plan_of_graphs

        return plan_of_graphs(self, rank, dtype, size, widen, further)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result: pooled nodes and pooled adjacency along the last axis.

        >>> StructPool(4).output_shape((None, 30, 16))
        (None, 4, 20)
        """
        sizes = as_shape(shape, unknown=True)
        self.check_rank(len(sizes))
        channels = None if sizes[-1] is None else sizes[-1] + self.clusters
        return (*sizes[:-2], self.clusters, channels)


def _product(rows: int, inner: int, columns: int) -> int:
    """Products and additions of a product of two matrices."""
    return rows * columns * max(2 * inner - 1, 0)
