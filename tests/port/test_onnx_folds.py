"""A global pool of an ONNX file, and the node behind it that drops the pooled axes or gives them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from poolkit.port.check import checks
from poolkit.port.files import port_file
from tests.helpers.portmodels import made

SHAPE = (2, 3, 9, 8)
X = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def file(path: Path, *nodes: onnx.NodeProto, outputs: tuple[str, ...] = ("y",), shape: Any = SHAPE, **of: Any) -> Path:
    """A model whose constants are given by name."""
    constants = [helper.make_tensor(name, TensorProto.INT64, [len(value)], value) for name, value in of.items()]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "graph", [x], values, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def node(operator: str, *inputs: str, to: str = "y", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [to], name=f"{operator.lower()}", **attributes)


GAP = node("GlobalAveragePool", "x", to="p")
Case = tuple[list[onnx.NodeProto], dict[str, list[int]]]
MEAN = node("ReduceMean", "x", "axes", to="p", keepdims=0)
FOLDED: dict[str, Case] = {
    "flatten": ([GAP, node("Flatten", "p")], {}),
    "squeeze": ([GAP, node("Squeeze", "p", "s")], {"s": [2, 3]}),
    "squeeze from behind": ([GAP, node("Squeeze", "p", "s")], {"s": [-1, -2]}),
    "reshape": ([GAP, node("Reshape", "p", "s")], {"s": [0, -1]}),
    "reshape to channels": ([GAP, node("Reshape", "p", "s")], {"s": [-1, 3]}),
    "a maximum": ([node("GlobalMaxPool", "x", to="p"), node("Reshape", "p", "s")], {"s": [2, -1]}),
    "a mean that drops": ([MEAN, node("Reshape", "p", "s")], {"s": [0, -1, 1, 1], "axes": [2, 3]}),
    "unsqueeze": ([MEAN, node("Unsqueeze", "p", "s")], {"s": [2, 3], "axes": [-1, -2]}),
    "channels last": ([MEAN, node("Reshape", "p", "s")], {"s": [0, 1, 1, 8], "axes": [1, 2]}),
}


@pytest.mark.parametrize("kind", FOLDED)
def test_it_becomes_part_of_the_pool(tmp_path: Path, kind: str) -> None:
    nodes, constants = FOLDED[kind]
    path = file(tmp_path / "model.onnx", *nodes, **constants)
    ported = port_file(path, "torch")
    (row,) = ported.rows
    assert row.status == "exact", row
    assert f"it does what {nodes[1].op_type} {nodes[1].name} behind it does" in row.note
    assert all(check.agrees for check in checks(ported.rows, "torch", None).values())

    (layer,) = made(ported).values()
    expected: Any = ReferenceEvaluator(str(path)).run(None, {"x": X})[0]
    x = torch.from_numpy(X)
    got = layer(x if kind != "channels last" else x.permute(0, 3, 1, 2))
    got = got if kind != "channels last" else got.permute(0, 2, 3, 1)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5, atol=1e-6)


OTHERS: dict[str, tuple[list[onnx.NodeProto], dict[str, list[int]], tuple[str, ...]]] = {
    "the pool is an output, too": ([GAP, node("Flatten", "p")], {}, ("p", "y")),
    "two take it": ([GAP, node("Flatten", "p"), node("Relu", "p", to="z")], {}, ("y", "z")),
    "all in one row": ([GAP, node("Flatten", "p", axis=0)], {}, ("y",)),
    "sizes that nobody knows": ([GAP, node("Reshape", "p", "x")], {}, ("y",)),
    "other sizes": ([GAP, node("Reshape", "p", "s")], {"s": [-1, 6]}, ("y",)),
    "the batch as well": ([GAP, node("Squeeze", "p")], {}, ("y",)),
    "axes that are there": ([GAP, node("Reshape", "p", "s")], {"s": [0, 3, 1, 1]}, ("y",)),
    "no global pool": ([node("MaxPool", "x", to="p", kernel_shape=[2, 2]), node("Flatten", "p")], {}, ("y",)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_does_something_else_stays(tmp_path: Path, kind: str) -> None:
    nodes, constants, outputs = OTHERS[kind]
    (row,) = port_file(file(tmp_path / "model.onnx", *nodes, outputs=outputs, **constants), "torch").rows
    assert "behind it does" not in row.note
    assert row.after in ("nn.AdaptiveAvgPool2d(1)", "nn.MaxPool2d(2, 1)")


def test_a_branch_that_takes_the_pool_keeps_it(tmp_path: Path) -> None:
    def branch(*nodes: onnx.NodeProto) -> Any:
        value = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
        return helper.make_graph(nodes, "branch", [], [value])

    nodes = [
        GAP,
        node("Flatten", "p"),
        helper.make_node(
            "If",
            ["c"],
            ["z"],
            then_branch=branch(node("Relu", "p", to="t")),
            else_branch=branch(node("Relu", "x", to="e")),
        ),
    ]
    (row,) = port_file(file(tmp_path / "model.onnx", *nodes, outputs=("y", "z"), c=[1]), "torch").rows
    assert (row.after, row.note) == ("nn.AdaptiveAvgPool2d(1)", "")


def test_where_the_order_changes_the_node_behind_is_told(tmp_path: Path) -> None:
    nodes = [node("MaxPool", "x", to="p", kernel_shape=[2, 2]), node("Flatten", "p")]
    (row,) = port_file(file(tmp_path / "model.onnx", *nodes), "keras").rows
    assert "Flatten flatten behind it counts axes in the order NCHW; write it for NHWC" in row.note
