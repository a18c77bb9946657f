"""What stands in a graph that torch.compile makes, and not in one that is exported."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import poolkit as pk


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    """Dynamo takes a graph of before for another layer of one class, and makes few for it."""
    torch.compiler.reset()


@pytest.mark.parametrize("window", [3, 9])
def test_the_gradient_of_a_padded_window_of_minus_infinity_stays_in_the_map(window: int) -> None:
    """PyTorch's own pool, compiled by Inductor, looks outside of it."""
    layer = pk.MaxPool(window, 1, "same", layout="NCHW").layer("torch")
    x = torch.full((1, 1, 12, 12), -torch.inf)
    x[0, 0, -1, -1] = 1.0
    x.requires_grad_()

    y = torch.compile(layer, fullgraph=True)(x)

    torch.testing.assert_close(y, layer(x))
    [gradient] = torch.autograd.grad(y, x, torch.isfinite(y).float())
    assert gradient[0, 0, -1, -1] == torch.isfinite(y).sum()


@pytest.mark.parametrize("kind", ["lp", "gem", "stochastic"])
def test_norms_of_windows_are_sums_of_float64_where_they_are_compiled(kind: str) -> None:
    """An exported graph may be run where there is no float64."""
    spec = pk.PoolSpec(kind, window=3, stride=2, layout="NCHW")
    x, graphs = torch.rand(1, 2, 7, 7), list[str]()

    def kept(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        graphs.append(graph.code)
        return graph.forward

    found = torch.compile(spec.layer("torch"), backend=kept)(x)
    torch.testing.assert_close(found, pk.pool(x, spec), rtol=1e-6, atol=0.0)
    assert "avg_pool2d" in graphs[0]
    assert graphs[0].count("\n") < 40
    assert "avg_pool2d" not in torch.export.export(spec.layer("torch"), (x,)).graph_module.code
