"""ONNX files: the nodes that pool, wherever they stand, and what they become."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from poolkit import InputError
from poolkit.port.files import port_file
from tests.helpers.portmodels import made, rows_of


def node(operator: str, *inputs: str, name: str = "", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, ["x", *inputs], [f"{name or operator}_out"], name=name, **attributes)


def onnx_file(
    path: Path, *nodes: onnx.NodeProto, shape: tuple[int | str, ...] = ("n", 3, 9, 8), axes: Any = ()
) -> Path:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    outputs = [helper.make_tensor_value_info(one.output[0], TensorProto.FLOAT, None) for one in nodes]
    initializers = [helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)] if axes else []
    graph = helper.make_graph(nodes, "graph", [x], outputs, initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def test_onnx_nodes_are_found_and_ported(tmp_path: Path) -> None:
    path = onnx_file(
        tmp_path / "model.onnx",
        node("AveragePool", name="avg", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1),
        node("AveragePool", name="real", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
        node("MaxPool", name="uneven", kernel_shape=[2, 3], pads=[0, 1, 1, 1]),
        node("MaxPool", name="dilated", kernel_shape=[2, 3], dilations=[2, 1]),
        node("GlobalAveragePool"),
        node("GlobalMaxPool", name="top"),
        node("ReduceMean", "axes", name="mean", keepdims=0),
        node("ReduceMax", "x", name="unknown"),
        node("LpPool", name="norm", kernel_shape=[2, 2], strides=[2, 2]),
        axes=[-1, -2],
    )
    ported = port_file(path, "torch")
    rows = rows_of(ported)

    assert rows["avg"].after == "nn.AvgPool2d(3, 2, padding=1)"
    assert rows["real"].after == "nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False)"
    assert rows["uneven"].after.startswith("pk.layer(")
    assert rows["GlobalAveragePool_out"].after == "nn.AdaptiveAvgPool2d(1)"
    assert rows["mean"].after == "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())"
    assert rows["norm"].after == "nn.LPPool2d(2, 2)"
    assert {name for name, row in rows.items() if row.status == "failed"} == {"unknown"}
    assert {row.shape for row in ported.rows} == {(None, 3, 9, 8)}
    evaluator = ReferenceEvaluator(
        str(onnx_file(tmp_path / "one.onnx", node("MaxPool", name="uneven", kernel_shape=[2, 3], pads=[0, 1, 1, 1])))
    )
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 8)).astype("float32")
    np.testing.assert_array_equal(made(ported)["uneven"](torch.from_numpy(x)).numpy(), evaluator.run(None, {"x": x})[0])


@pytest.mark.parametrize(
    ("shape", "axes", "layout"),
    [
        (("n", 3, 9, 8), [2, 3], "NCHW"),
        (("n", 9, 8, 3), [1, 2], "NHWC"),
        (("n", 3, 9, 8, 7), [2, 3, 4], "NCDHW"),
        (("n", 3, 9), [2], "NCL"),
        (("n", 3, 9, 8), [1], None),
        (("n", 3, 9, 8), [3], None),
        (("n", 3, 9, 8, 7), [2, 3], None),
        (("n", 3, 9, 8), [0, 1, 2, 3], None),
    ],
)
def test_a_reduction_pools_where_it_takes_all_spatial_axes(
    tmp_path: Path, shape: tuple[int | str, ...], axes: list[int], layout: str | None
) -> None:
    (row,) = port_file(
        onnx_file(tmp_path / "model.onnx", node("ReduceMean", "axes"), shape=shape, axes=axes), None
    ).rows

    assert row.status == ("left" if layout is None else "exact")
    assert (row.spec.layout if row.spec is not None else None) == layout


@pytest.mark.parametrize(
    ("pads", "mode", "after"),
    [
        ([0, 0, 1, 1, 0, 0, 1, 1], "constant", "nn.Sequential(nn.ConstantPad2d(1, 0.0), nn.MaxPool2d(2))"),
        ([0, 0, 1, 2, 0, 0, 3, 0], "constant", "nn.Sequential(nn.ConstantPad2d((2, 0, 1, 3), 0.0), nn.MaxPool2d(2))"),
        ([0, 1, 1, 1, 0, 1, 1, 1], "constant", "nn.MaxPool2d(2)"),
        ([0, 0, 1, 1, 0, 0, 1, -1], "constant", "nn.MaxPool2d(2)"),
        ([0, 0, 1, 1, 0, 0, 1, 1], "reflect", "nn.MaxPool2d(2)"),
    ],
)
def test_zeros_before_a_maximum_go_along(tmp_path: Path, pads: list[int], mode: str, after: str) -> None:
    pad = helper.make_node("Pad", ["x", "axes"], ["padded"], name="zeros", mode=mode)
    pool = helper.make_node("MaxPool", ["padded"], ["y"], name="pool", kernel_shape=[2, 2], strides=[2, 2])
    path = onnx_file(tmp_path / "model.onnx", pad, pool, shape=(2, 3, 9, 8), axes=pads)
    ported = port_file(path, "torch")

    assert ported.rows[0].after == after
    told = "as zeros before it does: leave that out" if "Pad" in after else "the padding of zeros before it takes part"
    assert told in ported.rows[0].note
    if "Pad" in after:
        x = -np.random.default_rng(0).random((2, 3, 9, 8), "float32")
        expected = ReferenceEvaluator(str(path)).run(["y"], {"x": x})[0]
        np.testing.assert_array_equal(made(ported)["pool"](torch.from_numpy(x)).numpy(), expected)


def test_nodes_in_branches_are_found(tmp_path: Path) -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y"], name="pool", kernel_shape=[2, 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, ())
    branches = {name: helper.make_graph([pool], name, [], [y]) for name in ("then_branch", "else_branch")}
    pool.name = "other"
    branches["else_branch"] = helper.make_graph([pool], "else_branch", [], [y])
    whole = helper.make_graph([helper.make_node("If", ["flag"], ["z"], name="if", **branches)], "g", [x, flag], [])
    onnx.save(helper.make_model(whole), tmp_path / "model.onnx")

    assert sorted(rows_of(port_file(tmp_path / "model.onnx", "torch"))) == ["if/other", "if/pool"]


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.pool = torch.nn.MaxPool2d(3, 2, padding=1)
        self.ceil = torch.nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.ceil(self.pool(self.conv(x))).mean((2, 3))


def test_what_pytorch_exports_comes_back(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter is deprecated; its successor needs another package
        torch.onnx.export(Network(), (torch.zeros(1, 3, 21, 21),), str(tmp_path / "model.onnx"), dynamo=False)
    rows = port_file(tmp_path / "model.onnx", "torch").rows

    assert [(row.after, row.shape) for row in rows] == [
        ("nn.MaxPool2d(3, 2, padding=1)", (1, 4, 19, 19)),
        ("nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)", (1, 4, 10, 10)),
        ("nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())", (1, 4, 6, 6)),
    ]


@pytest.mark.parametrize("data", [b"", b"no model", b"\x08\x07\x12"])
def test_unusable_onnx_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    with pytest.raises(InputError, match="export"):
        port_file(tmp_path / "model.onnx", "torch")


def test_a_cut_onnx_file_is_refused(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx", node("GlobalMaxPool"))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cut one"):
        port_file(path, "torch")
