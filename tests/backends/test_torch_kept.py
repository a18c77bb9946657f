"""Adaptive maxima that keep an axis, in graphs of any size."""

from __future__ import annotations

import pytest
import torch

import poolkit as pk

KEEPS = [("NCHW", (None, 2)), ("NCHW", (1, None)), ("NHWC", (None, 2)), ("NHWC", (2, None)), ("CHW", (None, 1))]


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize(("layout", "size"), KEEPS)
def test_an_axis_that_is_kept_has_any_size_in_a_graph(kind: str, layout: str, size: tuple[int | None, ...]) -> None:
    """PyTorch's own adaptive maxima take it for as long as that of the example."""
    spec = pk.PoolSpec(kind, output_size=size, layout=layout, keepdims=True)
    layer, lines = spec.layer("torch"), dict.fromkeys(range(len(layout)), torch.export.Dim.DYNAMIC)
    example = torch.zeros((2, 3, 6, 4)[-len(layout) :])
    sent = torch.export.export(layer, (example,), dynamic_shapes=(lines,)).module()
    assert any("adaptive_max_pool" in str(node.target) for node in sent.graph.nodes)
    for shape in ((2, 3, 6, 4), (3, 5, 7, 9)):
        few = torch.randint(-2, 3, shape[-len(layout) :], generator=torch.Generator().manual_seed(0))  # with ties
        x = few.float().requires_grad_()
        (y, gradient), (wanted, slope) = ((t, torch.autograd.grad(t.sum(), x)[0]) for t in (sent(x), pk.pool(x, spec)))
        torch.testing.assert_close(y, wanted, rtol=0, atol=0)
        torch.testing.assert_close(gradient, slope, rtol=0, atol=0)
