"""Nodes of TensorFlow's graphs in models that Keras 2 saved before TensorFlow 2.4: read, or a row that says why not."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from poolkit.port.files import port_file
from poolkit.port.report import Row

KEEP: dict[str, Any] = {"keep_dims": {"b": True}}


def text(word: str) -> dict[str, str]:
    """A text as JSON has it in a node."""
    return {"s": base64.b64encode(word.encode()).decode()}


WINDOWS = {"ksize": {"list": {"i": ["1", "3", "3", "1"]}}, "strides": {"list": {"i": ["1", "2", "2", "1"]}}}


def ported(path: Path, node: Any, constants: dict[str, Any] | None = None) -> list[Row]:
    """The rows of a model whose only layer is a node."""
    given = {
        "name": "it",
        "node_def": node if isinstance(node, str) else json.dumps(node),
        "constants": constants or {},
    }
    image = {"class_name": "InputLayer", "config": {"name": "image", "batch_input_shape": [None, 9, 8, 3]}}
    layers = [
        image,
        {"class_name": "TensorFlowOpLayer", "name": "it", "config": given, "inbound_nodes": [[["image", 0, 0, {}]]]},
    ]
    ends = {"input_layers": [["image", 0, 0]], "output_layers": [["it", 0, 0]]}
    (path / "model.json").write_text(json.dumps({"class_name": "Model", "config": {"layers": layers, **ends}}))
    return list(port_file(path / "model.json", "torch").rows)


NODES: dict[str, tuple[Any, Any, str]] = {
    "a mean": ({"op": "Mean", "attr": KEEP}, {"1": [1, 2]}, "nn.AdaptiveAvgPool2d(1)"),
    "without its axes": ({"op": "Max"}, {"1": [1, 2]}, "nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())"),
    "an average": ({"op": "AvgPool", "attr": {**WINDOWS, "padding": text("VALID")}}, {}, "nn.AvgPool2d(3, 2)"),
    "a maximum": (
        {"op": "MaxPool", "attr": {**WINDOWS, "padding": text("VALID"), "data_format": text("NHWC")}},
        {},
        "nn.MaxPool2d(3, 2)",
    ),
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_that_pools_is_read(tmp_path: Path, name: str) -> None:
    node, constants, after = NODES[name]
    [row] = ported(tmp_path, node, constants)
    assert (row.status, row.after) == ("exact", after)


@pytest.mark.parametrize("node", ["\n\u0004Mean", "[" * 10**5, "[]", {"op": 3}, {"op": "MaxPoolV2"}])
def test_a_node_that_cannot_be_read_has_a_row(tmp_path: Path, node: Any) -> None:
    [row] = ported(tmp_path, node)
    assert row.status == "failed"
    assert "is not read" in row.note


@pytest.mark.parametrize(
    "attributes", [{"ksize": 3}, {"ksize": {"list": {"i": ["1", "x"]}}}, [], {"padding": {"s": "?"}}]
)
def test_attributes_that_are_none_make_no_pool(tmp_path: Path, attributes: Any) -> None:
    [row] = ported(tmp_path, {"op": "MaxPool", "attr": attributes})
    assert row.status == "failed"


def test_other_nodes_have_no_row(tmp_path: Path) -> None:
    assert ported(tmp_path, {"op": "AddV2"}) == []
