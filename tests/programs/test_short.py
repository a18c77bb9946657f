"""What people print, paste and export is short: few lines a program, few nodes more than the framework's own call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import poolkit as pk
from tests.helpers.support import ROOT

LINES = 6

# README.md's table "Which of these is my layer?", and windows whose padding goes by the size.
TABLE = re.findall(r"^\| `[^`]*` \| `(pk\.[^`]*)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
SPECS: list[pk.PoolSpec] = [eval(text, {"pk": pk}) for text in TABLE]
SAME = [
    pk.PoolSpec(kind, window=k, stride=s, padding="same", layout=layout)
    for kind in ("max", "avg")
    for k, s in ((2, 2), (3, 2), (4, 1), (5, 3))
    for layout in ("NCHW", "NHWC")
]
BINS = [pk.AdaptiveAvgPool(n, layout="NCHW") for n in (1, 2, 3, 6)]  # PSPNet's, over 60x60


def lines(program: pk.Program) -> int:
    """The lines of the function, without its first and what it says of itself."""
    body = program.source[program.source.index("def pool(") :].splitlines()[1:]
    return sum(1 for line in body if line.strip() and not line.strip().startswith(("#", '"""')))


def test_the_table_is_found() -> None:
    assert len(SPECS) >= 15


@pytest.mark.parametrize("spec", SPECS + SAME, ids=str)
def test_a_program_for_every_size_is_short(spec: pk.PoolSpec) -> None:
    program = pk.lower(spec, "torch")

    assert lines(program) <= LINES, program.source


@pytest.mark.parametrize("spec", [*SPECS, *SAME, *BINS], ids=str)
def test_a_program_for_one_size_is_short(spec: pk.PoolSpec) -> None:
    shape = (1, 64, 60, 60) if spec.layout == "NCHW" else (1, 60, 60, 64)
    program = pk.lower(spec, "torch", shape)

    assert lines(program) <= LINES, program.source


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_a_program_does_not_grow_with_bins(kind: str, backend: str) -> None:
    """Nor with windows: 8,192 bins that do not divide take the lines of 64 as long."""
    few, many = (
        pk.lower(pk.PoolSpec(kind, output_size=bins, layout="NCL"), backend, (1, 1, 161 * bins + bins // 2))
        for bins in (64, 8192)
    )

    assert lines(many) == lines(few) < 60, few.source


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow", "keras"])
@pytest.mark.parametrize(
    ("spec", "most"),
    [
        (pk.AdaptiveMaxPool(7, layout="NHWC"), 28),  # bins of one length share a function, and so do selections
        (pk.MaxPool(13, 1, "same", layout="NHWC"), 24),  # of windows of windows, with the cells at the edges repeated
        (pk.MaxPool(3, 2, 1, layout="NHWC"), 10),
    ],
    ids=str,
)
def test_the_fold_of_a_maximum_is_short(spec: pk.PoolSpec, most: int, backend: str) -> None:
    program = pk.lower(spec, backend, (1, 30, 31, 8), route="fold")

    assert lines(program) <= most, program.source


POSITIONS, BINS_OF_TWO, BINS_OF_ONE = (
    "max window=2 layout=NCHW indices=true",
    ("avg output_size=7 layout=NHWC", "max output_size=none,7 layout=NCHW"),
    tuple(map(str, BINS[1:])),
)
STRIDED = tuple(
    str(spec) for spec in SAME if spec.kind == "avg" and spec.stride in ((2, 2), (3, 3)) and spec.window != spec.stride
)
GLOBAL_MAX = "max output_size=1 layout=NHWC keepdims=true"
TURNED = tuple(str(spec) for spec in [*SPECS, *SAME] if spec.kind == "max" and spec.window and spec.layout == "NCHW")
AVERAGES = tuple(str(spec) for spec in [SPECS[3], *SAME] if spec.kind == "avg")
MEANS = (
    "avg output_size=1 layout=NCHW keepdims=true",
    "avg output_size=1 layout=NCHW keepdims=false",
    *BINS_OF_ONE[:2],
)
MEANS_LAST = ("avg output_size=1 layout=NHWC keepdims=true", "avg output_size=1 layout=NHWC keepdims=false")
# What is longer, by backend, for one size and for any: each says why in a comment.
LONG: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # No call for positions, nor for bins that are not alike, as those of a size that is not known may not be.
    "jax": ((POSITIONS, *BINS_OF_TWO), (POSITIONS, *BINS_OF_TWO, *BINS_OF_ONE)),
    # No call for positions, for bins that are not alike, nor for a maximum whose first cell takes the gradient; on a
    # CPU TensorFlow pools channels last alone, so that other maps are transposed, 1 to 4 lines more.
    "tensorflow": (
        (POSITIONS, GLOBAL_MAX, *TURNED, BINS_OF_TWO[1], *MEANS),
        (POSITIONS, GLOBAL_MAX, *TURNED, *BINS_OF_TWO, *BINS_OF_ONE),
    ),
    # The same, and no call that is close on every engine for averages of more than 128 cells, nor one for `same`
    # averages of unknown sizes.
    "keras": (
        (POSITIONS, GLOBAL_MAX, *BINS_OF_TWO, *MEANS, *MEANS_LAST),
        (POSITIONS, GLOBAL_MAX, *BINS_OF_TWO, *BINS_OF_ONE, *AVERAGES),
    ),
    # No call for positions; where padding and bins go by the size, so do counts.
    "numpy": ((POSITIONS,), (POSITIONS, BINS_OF_TWO[0], *BINS_OF_ONE, *STRIDED)),
}


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow"])
@pytest.mark.parametrize(("kind", "most"), [("softmax", 8), ("std", 18), ("gem", 18), ("logsumexp", 18)])
def test_kinds_made_of_sums_are_short_along_axes_of_unknown_size(kind: str, most: int, backend: str) -> None:
    """Of tokens whose number is unknown: 12 to 32 lines as a fold."""
    program = pk.lower(pk.PoolSpec(kind, output_size=1, layout="NLC", keepdims=False), backend)

    assert lines(program) <= most, program.source
    assert "float64" not in program.source or backend == "numpy"


@pytest.mark.parametrize("any_size", [False, True], ids=["one size", "any size"])
@pytest.mark.parametrize("spec", [*SPECS, *SAME, *BINS], ids=str)
@pytest.mark.parametrize("backend", LONG)
def test_a_program_is_short_where_its_framework_has_a_call(backend: str, spec: pk.PoolSpec, any_size: bool) -> None:
    shape = (1, 64, 60, 60) if spec.layout == "NCHW" else (1, 60, 60, 64)
    program = pk.lower(spec, backend, None if any_size else shape)

    assert (lines(program) > LINES) == (str(spec) in LONG[backend][any_size]), program.source


@pytest.mark.parametrize("any_size", [False, True], ids=["one size", "any size"])
@pytest.mark.parametrize("spec", [*SPECS, *SAME, *BINS], ids=str)
@pytest.mark.parametrize("backend", ["tensorflow", "keras", "numpy", "jax"])
def test_what_is_not_short_says_why(backend: str, spec: pk.PoolSpec, any_size: bool) -> None:
    shape = (1, 64, 60, 60) if spec.layout == "NCHW" else (1, 60, 60, 64)
    program = pk.lower(spec, backend, None if any_size else shape)

    assert lines(program) <= LINES or "\n    # " in program.source


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "keras", "numpy", "jax"])
def test_values_have_names(backend: str) -> None:
    source = pk.lower(pk.MaxPool(3, 2, "same", layout="NCHW"), backend).source

    assert re.findall(r"\bt\d+\b", source) == []


class Model(torch.nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(x)


def nodes(function: Callable[[torch.Tensor], Any], x: torch.Tensor, any_size: bool, strict: bool = False) -> int:
    sizes = (dict.fromkeys(range(2, x.dim()), torch.export.Dim.DYNAMIC),) if any_size else None
    exported = torch.export.export(Model(function), (x,), dynamic_shapes=sizes, strict=strict)
    return sum(node.op == "call_function" for node in exported.graph.nodes)


def padded_max(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)


OWN: dict[str, tuple[Callable[[torch.Tensor], Any], Callable[[torch.Tensor], Any], int]] = {
    "bins of one length": (lambda x: functional.adaptive_avg_pool2d(x, 6), lambda x: pk.pool(x, BINS[3]), 60),
    "PSPNet": (lambda x: [functional.adaptive_avg_pool2d(x, n) for n in (1, 2, 3, 6)],
               lambda x: [pk.pool(x, spec) for spec in BINS], 60),
    "same": (padded_max, lambda x: pk.pool(x, pk.MaxPool(3, 2, "same", layout="NCHW")), 224),
    "padding that counts": (lambda x: functional.avg_pool2d(x, 7, 4, 3),
                            lambda x: pk.pool(x, pk.AvgPool(7, 4, 3, layout="NCHW", count_include_pad=True)), 60),
    "bins of two lengths": (lambda x: functional.adaptive_max_pool2d(x, 7),
                            lambda x: pk.pool(x, pk.AdaptiveMaxPool(7, layout="NCHW")), 10),
    "bins of many cells": (lambda x: functional.adaptive_avg_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1),
                           lambda x: pk.pool(x, pk.AdaptiveAvgPool(2, layout="NHWC")), 60),
    "sum": (lambda x: 9 * functional.avg_pool2d(x, 3, 2, 1),
            lambda x: pk.pool(x, pk.PoolSpec("sum", window=3, stride=2, padding=1, layout="NCHW")), 60),
}  # fmt: skip


@pytest.mark.parametrize("strict", [False, True], ids=["not strict", "strict"])
@pytest.mark.parametrize("name", OWN)
def test_an_exported_graph_has_few_nodes_more_than_the_own_call(name: str, strict: bool) -> None:
    own, ours, n = OWN[name]
    x = torch.randn(1, 4, n, n)

    assert nodes(ours, x, any_size=False, strict=strict) <= 2 * nodes(own, x, any_size=False) + 4


@pytest.mark.parametrize("name", OWN)
def test_so_has_one_for_every_size(name: str) -> None:
    own, ours, n = OWN[name]
    x = torch.randn(1, 4, n, n)

    assert nodes(ours, x, any_size=True) <= 2 * nodes(own, x, any_size=True) + 8


@pytest.mark.parametrize("any_size", [False, True], ids=["one size", "any size"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_large_windows_of_maxima_are_pools_along_each_axis(layout: str, any_size: bool) -> None:
    x = torch.randn(1, 20, 24, 20)

    assert nodes(lambda x: pk.pool(x, pk.MaxPool(9, 1, "same", layout=layout)), x, any_size) <= 4


@pytest.mark.parametrize("name", OWN)
def test_a_compiled_graph_knows_sizes_that_are_known(name: str) -> None:
    own, ours, n = OWN[name]
    graphs: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    x = torch.randn(1, 4, n, n)
    torch.compile(ours, backend=keep, fullgraph=True, dynamic=False)(x)

    calls = sum(node.op in ("call_function", "call_method") for node in graphs[0].graph.nodes)
    steps = 16 if name == "PSPNet" else 4  # whole maps and bins of 2 and 3 are sums of sums, and one loop in Inductor
    assert calls <= 2 * nodes(own, x, any_size=False) + steps
