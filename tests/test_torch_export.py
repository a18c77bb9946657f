"""PyTorch models with pools, exported: the graph says what the pool does, and ONNX Runtime gives its numbers."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

import poolkit as pk

MAP, LINE, BLOCK = (2, 3, 7, 8), (2, 3, 7), (1, 2, 5, 6, 7)
SPECS = [
    (pk.PoolSpec("sum", window=2, layout="NCHW"), MAP),
    (pk.PoolSpec("sum", window=2, layout="NHWC"), MAP),
    (pk.PoolSpec("sum", window=3, stride=2, padding=1, layout="NCHW"), MAP),
    (pk.PoolSpec("sum", window=3, stride=2, padding="same", layout="NCHW"), MAP),
    (pk.PoolSpec("sum", window=3, stride=2, padding=1, ceil_mode=True, layout="NCHW"), MAP),
    (pk.PoolSpec("sum", window=5, stride=1, layout="NCHW"), MAP),
    (pk.PoolSpec("sum", window=3, stride=2, padding=1, layout="NCL"), LINE),
    (pk.PoolSpec("sum", window=2, padding=1, layout="NCDHW"), BLOCK),
    (pk.PoolSpec("sum", output_size=(7, 4), layout="NCHW"), MAP),
    (pk.PoolSpec("avg", window=2, divisor_override=3, layout="NCHW"), MAP),
    (pk.PoolSpec("avg", window=2, divisor_override=3, layout="NLC"), LINE),
    (pk.PoolSpec("avg", window=3, stride=2, padding=1, ceil_mode=True, count_include_pad=True, layout="NCHW"), MAP),
    *(
        (pk.PoolSpec(kind, output_size=1, keepdims=False, layout=layout), MAP)
        for kind in ("avg", "max", "min", "sum", "softmax")
        for layout in ("NCHW", "NHWC")
    ),
]


class Model(torch.nn.Module):
    def __init__(self, spec: pk.PoolSpec) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, x: torch.Tensor) -> Any:
        return pk.pool(x, self.spec)


def in_onnx_runtime(model: torch.nn.Module, x: torch.Tensor, file: Path) -> np.ndarray[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one
        torch.onnx.export(model, (x,), file, dynamo=False)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


@pytest.mark.parametrize(("spec", "shape"), SPECS, ids=str)
def test_onnx_runtime_gives_the_numbers_of_the_model(spec: pk.PoolSpec, shape: tuple[int, ...], tmp_path: Path) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(shape).astype("float32"))

    found = in_onnx_runtime(Model(spec), x, tmp_path / "model.onnx")

    expected = pk.pool(x, spec).numpy()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("spec", "shape"), SPECS, ids=str)
def test_an_exported_graph_has_no_argument_that_the_exporters_drop(spec: pk.PoolSpec, shape: tuple[int, ...]) -> None:
    """The newer exporter starts from this graph; it needs a package that is not installed here."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(shape).astype("float32"))

    exported = torch.export.export(Model(spec), (x,))

    pools = [node for node in exported.graph.nodes if "avg_pool" in str(node.target)]
    assert not any(isinstance(node.args[-1], int) and len(node.args) == 7 for node in pools), exported.graph
    torch.testing.assert_close(exported.module()(x), pk.pool(x, spec))
