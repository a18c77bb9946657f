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


def _compiled(spec: pk.PoolSpec, x: torch.Tensor) -> tuple[torch.Tensor, list[str]]:
    """The result, and the code of the graphs that it took."""
    graphs = list[str]()

    def kept(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        graphs.append(graph.code)
        return graph.forward

    return torch.compile(spec.layer("torch"), backend=kept)(x), graphs


@pytest.mark.parametrize(("window", "layout"), [(3, "NCHW"), (9, "NCHW"), (9, "NHWC")])
def test_the_gradient_of_a_padded_window_of_minus_infinity_stays_in_the_map(window: int, layout: str) -> None:
    """PyTorch's own pool, compiled by Inductor, looks outside of it."""
    layer = pk.MaxPool(window, 1, "same", layout=layout).layer("torch")
    x = torch.full((1, 1, 12, 12), -torch.inf)
    x[0, 0, -1, -1] = 1.0
    x = (x if layout == "NCHW" else x.movedim(1, -1)).requires_grad_()

    y = torch.compile(layer, fullgraph=True)(x)

    torch.testing.assert_close(y, layer(x))
    [gradient] = torch.autograd.grad(y, x, torch.isfinite(y).float())
    assert gradient.flatten()[-1] == torch.isfinite(y).sum()


def test_large_padded_maxima_of_channels_that_come_last_are_two_pools_of_a_padded_map() -> None:
    """The gradient of the fold takes 3 times as long as that of PyTorch's own pool."""
    x = torch.randint(0, 9, (1, 12, 14, 3)).float().requires_grad_()
    spec = pk.MaxPool(9, 1, "same", layout="NHWC")
    found, graphs = _compiled(spec, x)
    assert graphs[0].count("max_pool2d(") == 2
    weights = torch.rand(found.shape)
    torch.testing.assert_close(found, pk.pool(x, spec), rtol=0, atol=0)
    gradients = [torch.autograd.grad(y, x, weights)[0] for y in (found, pk.pool(x, spec))]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("kind", ["lp", "gem", "stochastic"])
def test_norms_of_windows_are_sums_of_float64_where_they_are_compiled(kind: str) -> None:
    """An exported graph may be run where there is no float64."""
    spec = pk.PoolSpec(kind, window=3, stride=2, layout="NCHW")
    x = torch.rand(1, 2, 7, 7)
    found, graphs = _compiled(spec, x)
    torch.testing.assert_close(found, pk.pool(x, spec), rtol=1e-6, atol=0.0)
    assert "avg_pool2d" in graphs[0]
    assert graphs[0].count("\n") < 40
    assert "avg_pool2d" not in torch.export.export(spec.layer("torch"), (x,)).graph_module.code


@pytest.mark.parametrize(("layout", "n", "bins"), [("NCHW", 49, 1), ("NCHW", 60, 3), ("NHWC", 49, 1), ("NHWC", 42, 2)])
def test_equal_cells_are_added_up_within_four_eps(layout: str, n: int, bins: int) -> None:
    """Inductor adds up each sum in a row: 49x49 cells would be many more eps off."""
    cells = torch.linspace(1, 2, 64).view((1, 64, 1, 1) if layout == "NCHW" else (1, 1, 1, 64))
    x = cells.expand((1, 64, n, n) if layout == "NCHW" else (1, n, n, 64)).clone().requires_grad_()

    y = torch.compile(pk.AdaptiveAvgPool(bins, layout=layout).layer("torch"), fullgraph=True)(x)

    exact = cells.double()
    assert ((y.double() - exact).abs() / exact).max() <= 4 * 2.0**-23
    [gradient] = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient, torch.full_like(x, (bins / n) ** 2))


@pytest.mark.parametrize(
    ("sizes", "wide"), [((60, 60), False), ((1024, 1024), False), ((37, 60), True), ((343, 49), True)]
)
def test_averages_are_float64_where_few_cells_make_no_steps_of_them(sizes: tuple[int, int], wide: bool) -> None:
    x = torch.rand(1, 2, *sizes)
    found, graphs = _compiled(pk.GlobalAvgPool(layout="NCHW", keepdims=True), x)
    torch.testing.assert_close(found, x.mean((2, 3), keepdim=True))
    assert ("float64" in graphs[0]) == wide
