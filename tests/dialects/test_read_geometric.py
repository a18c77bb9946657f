"""PyTorch Geometric's readouts, read without it, beside what its documentation says that they compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.port.python.source import port_source

X, BATCH = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 0, 1, 1, 1, 3, 3])


@pytest.mark.parametrize("module", ["torch_geometric.nn", "torch_geometric.nn.pool", "torch_geometric.nn.glob"])
@pytest.mark.parametrize(("name", "how"), [("add", "sum"), ("mean", "mean"), ("max", "amax")])
def test_a_readout_of_graphs_is_a_segment(module: str, name: str, how: str) -> None:
    spec = pk.read(f"{module}.global_{name}_pool(x, batch, size=4)")
    rows = [X[graph == BATCH] for graph in range(4)]
    expected = [getattr(torch, how)(part, 0) if len(part) else torch.zeros(3) for part in rows]

    np.testing.assert_allclose(spec(X, ids=BATCH), torch.stack(expected), rtol=1e-6)
    assert spec == pk.read(f"{module}.global_{name}_pool(x, batch, 4)")


def test_a_single_graph_is_a_pool_of_all_nodes() -> None:
    spec = pk.read("torch_geometric.nn.global_mean_pool(x, None)")

    torch.testing.assert_close(spec(X), X.mean(0, keepdim=True))


def test_a_number_of_graphs_that_is_not_said_is_asked_for() -> None:
    with pytest.raises(pk.NotExactError, match=r"counted in batch when it runs.*give size"):
        pk.read("torch_geometric.nn.global_mean_pool(x, batch)")


def test_a_port_hands_the_numbers_of_graphs_on() -> None:
    source = "from torch_geometric.nn import global_add_pool\n\ny = global_add_pool(x, batch, size=4)\n"
    ported = port_source(source, "keras")

    assert ported.text.splitlines()[-1] == 'y = pk.Segment("sum", 4, layout="LC")(x, ids=batch)'
    (row,) = port_source(source.replace(", size=4", ""), "keras").rows
    assert row.status == "failed"
    assert "give size, as in size=32" in row.note
