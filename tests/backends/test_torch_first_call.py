"""What Dynamo reads of poolkit: a program's few lines, whatever stands between them and a spec."""

from __future__ import annotations

import copy
import functools
import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch

import poolkit as pk
from poolkit.running import dispatch

MIX = pk.Mix((pk.AvgPool(2, layout="NCHW"), pk.MaxPool(2, layout="NCHW")), how="add", coefficients=(0.25, 0.75))
LAYERS: list[Any] = [
    pk.MaxPool(3, 2, 1, layout="NCHW"),
    pk.AdaptiveAvgPool(6, layout="NHWC"),
    pk.MaxPool(3, 2, "same", layout="NCHW", indices=True),
    pk.LPPool(2, p=3.0, layout="NCHW"),
    MIX,
]
OPERATIONS: list[Any] = [
    pk.Chain((pk.AvgPool(2, layout="NCHW"), pk.SumPool(2, layout="NCHW"))),
    MIX,
    pk.Pyramid("avg", levels=(1, 2), layout="NCHW"),
    pk.RoiSpec("align", output_size=2, sampling_ratio=2, layout="NCHW"),
]


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    torch.compiler.reset()
    dispatch.forget()


def compiled(function: Callable[..., Any], graphs: list[torch.fx.GraphModule], **more: Any) -> Callable[..., Any]:
    def kept(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    return torch.compile(function, backend=kept, fullgraph=True, **more)


@pytest.mark.parametrize("spec", LAYERS, ids=str)
def test_a_layer_is_read_by_its_program(spec: Any) -> None:
    x, graphs = torch.rand(2, 8, 13, 12), list[torch.fx.GraphModule]()

    found = compiled(spec.layer("torch"), graphs)(x)

    torch.testing.assert_close(found, pk.pool(x, spec))
    assert len(dispatch.NAMES) == 1


def test_a_function_is_read_by_a_program_with_its_further_tensors() -> None:
    spec = pk.AvgPool(3, 2, "same", layout="NHWC")
    x, mask, graphs = torch.rand(2, 9, 8, 3), torch.rand(2, 9, 8) > 0.5, list[torch.fx.GraphModule]()

    def function(x: torch.Tensor, mask: torch.Tensor) -> Any:
        return pk.pool(x, spec, mask=mask)

    found = compiled(function, graphs)(x, mask)

    torch.testing.assert_close(found, pk.pool(x, spec, mask=mask))
    assert len(dispatch.NAMES) == 1


@pytest.mark.parametrize("spec", OPERATIONS, ids=lambda spec: type(spec).__name__)
def test_an_operation_of_sizes_that_are_open_is_read_by_a_program(spec: Any) -> None:
    """Read line by line its parts, whose numbers are then symbols too, take 12 times as long, and weights no text."""
    x, graphs = torch.rand(2, 3, 12, 13), list[torch.fx.GraphModule]()
    further = {"weight": torch.rand(2, 3, 12, 13), "boxes": torch.tensor([[1.0, 0, 0, 8, 8]])}
    tensors = {name: further[name] for name in spec.takes if name in further}

    found = compiled(lambda x, tensors: pk.pool(x, spec, **tensors), graphs, dynamic=True)(x, tensors)

    torch.testing.assert_close(found, pk.pool(x, spec, **tensors))
    assert len(dispatch.NAMES) == 1


def test_five_sizes_are_two_graphs_and_symbols_stay() -> None:
    spec, graphs = pk.MaxPool(3, 2, "same", layout="NCHW"), list[torch.fx.GraphModule]()
    run = compiled(spec.layer("torch"), graphs)

    for n in (13, 14, 16, 19, 31):
        x = torch.rand(1, 2, n, n + 1)
        torch.testing.assert_close(run(x), pk.pool(x, spec))

    assert len(graphs) <= 2
    assert len(dispatch.NAMES) == len(graphs)


def test_a_graph_serves_equal_specs_and_no_others() -> None:
    """It is guarded by the text of a spec, and by nothing that a call of another tensor changes."""
    graphs = list[torch.fx.GraphModule]()
    spec, x = pk.MaxPool(2, layout="NCHW"), torch.rand(1, 2, 8, 8)

    def function(x: torch.Tensor, spec: pk.PoolSpec) -> Any:
        return spec(x)

    run = compiled(function, graphs)

    for same in (spec, copy.deepcopy(spec), pk.MaxPool(2, layout="NCHW")):
        torch.testing.assert_close(run(x, same), pk.pool(x, spec))
        pk.pool(x.numpy(), spec)
    assert len(graphs) == 1

    other = pk.MaxPool(3, layout="NCHW")
    torch.testing.assert_close(run(x, other), pk.pool(x, other))
    assert len(graphs) == 2


@pytest.mark.parametrize("spec", LAYERS[:2], ids=str)
def test_a_strict_export_holds_the_same_calls(spec: Any) -> None:
    x = torch.rand(2, 8, 13, 12)
    strict, loose = (torch.export.export(spec.layer("torch"), (x,), strict=s).graph_module.code for s in (True, False))

    assert strict == loose


def test_a_compiled_layer_has_few_guards() -> None:
    """Each takes 0.05 of the 16 microseconds of a call; torch.nn's own has 50, and reading the dispatch had 250."""
    dynamo: Any = importlib.import_module("torch._dynamo")
    x = torch.rand(1, 8, 60, 60)
    layers = pk.AvgPool(3, 2, layout="NCHW").layer("torch"), torch.nn.AvgPool2d(3, 2)

    ours, own = (len(dynamo.explain(layer)(x).out_guards) for layer in layers)

    assert 0 < ours <= 2 * own


def test_what_wraps_a_pool_is_read_itself() -> None:
    spec, x = pk.MaxPool(2, layout="NCHW"), torch.rand(1, 2, 8, 8)

    @functools.wraps(pk.pool)
    def twice(x: torch.Tensor) -> Any:
        return 2 * pk.pool(x, spec)

    def function(x: torch.Tensor) -> Any:
        return twice(x)

    torch.testing.assert_close(compiled(function, [])(x), 2 * pk.pool(x, spec))
