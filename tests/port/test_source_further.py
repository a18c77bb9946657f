"""Pools that take a tensor besides the input, in files: indices, boxes and samples are handed on by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from poolkit.port.check import check
from poolkit.port.files import port_file
from poolkit.port.stand_in import stand_in
from tests.helpers.ports import line, row, same_numbers

TORCH = "import torch.nn as nn\nimport torch.nn.functional as F\n"
VISION = "from torchvision.ops import RoIAlign, roi_pool\n"

DECODER = """
from torch import nn
from torch.nn import functional as F

class Net:
    def __init__(self):
        self.pool = nn.MaxPool2d(2, 2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2, 2)

    def forward(self, x, samples):
        y, i = self.pool(x)
        z = self.unpool(y, i) + F.max_unpool2d(F.avg_pool2d(y, 1), i, 2)
        return F.fractional_max_pool2d(z, 2, output_size=(4, 5), _random_samples=samples)

def f(x, samples):
    return Net().forward(x, samples)
"""
SAMPLES = np.random.default_rng(1).random((2, 3, 2)).astype("float32")


@pytest.mark.parametrize("to", ["jax", "tensorflow"])
def test_a_decoder_gives_the_same_numbers_everywhere(to: str) -> None:
    same_numbers(DECODER, SAMPLES, of="torch", to=to)


def test_a_layer_is_given_its_tensors_by_name_where_it_is_called() -> None:
    source = f"{TORCH}{VISION}u, r = nn.MaxUnpool2d(2), RoIAlign(7, 1 / 16, 2)\nh = RoIAlign(7, 1.0, 2)\ny = h(x, b)\n"
    assert line(source, "keras") == "y = h(x, boxes=b)"
    found = row(f"{TORCH}u = nn.MaxUnpool2d(2)\n", "keras")
    assert found.status == "caveat"
    assert "its calls, which are not in sight, give indices=" in found.note


REFUSED = [
    ("u = nn.MaxUnpool2d(2)\ny = u(v, i, output_size=(4, 4))", "gives it more than its input and indices"),
    ("y = F.max_unpool2d(v, i, 2, output_size=x.size())", "write poolkit.unpool(values, indices, poolkit.PoolSpec"),
    ("y = F.max_unpool2d(v, i, size())", "kernel_size=size() is not known here"),
]


REFUSED += [
    (f"{VISION}y = roi_pool(x, [a, b], 7)", "boxes=[a, b] is a list"),
    (f"{VISION}b = [f(one) for one in c]\ny = roi_pool(x, b, 7)", "boxes=b is a list"),
    (f"{VISION}h = RoIAlign(7, 1.0, 2)\ny = h(x, [a, b])", "boxes=[a, b] is a list"),
    ("import torchvision\ny = torchvision.ops.ps_roi_align(x, b, 7)", "channels of its own"),
    ("import tensorflow as tf\ny = tf.image.crop_and_resize(x, b, i, (7, 7))", "takes one sample for each number"),
]


@pytest.mark.parametrize(("source", "text"), REFUSED)
def test_what_is_not_ported_says_what_to_write(source: str, text: str) -> None:
    found = row(f"{TORCH}{source}\n", "keras")
    assert found.status == "failed"
    assert text in found.note


def test_classes_that_are_handed_on_say_how_their_layers_are_called() -> None:
    found = row(f"{TORCH}block(nn.MaxUnpool2d)\n", "keras")
    assert found.status == "failed"
    assert "take them by name, as in layer(x, indices=...)" in found.note
    for source in ("block(F.max_unpool2d)", "block(nn.FractionalMaxPool2d)"):
        assert "stand_in" in row(f"{TORCH}{source}\n", "keras").after
    assert row(f"{TORCH}block(nn.FractionalMaxPool2d)\n", "keras").status == "caveat"


def test_numbers_behind_names_are_read() -> None:
    source = f"{TORCH}K = 2\ny = F.max_unpool2d(v, i, K)\n"
    assert line(source, "jax") == 'y = pk.Unpool(pk.PoolSpec("max", window=2, layout="NHWC"), "smallest")(v, indices=i)'


DIFFERS = [
    ("p = nn.FractionalMaxPool2d(2, output_ratio=0.5)", "draws its windows anew at each call"),
    ("y = F.fractional_max_pool3d(x, 2, 3)", "draws its windows anew at each call"),
    ("y = F.max_unpool2d(v, i, 3, 2)", "of several values at one place torch gives each a gradient"),
    (f"{VISION}y = roi_pool(x, boxes, 7)", "boxes as a list of tensors (L, 4)"),
]


@pytest.mark.parametrize(("source", "text"), DIFFERS)
def test_what_differs_is_told_of(source: str, text: str) -> None:
    found = row(f"{TORCH}{source}\n", "keras")
    assert found.status == "caveat"
    assert any(text in note for note in found.differs)
    (same,) = [row(f"{TORCH}{source}\n", "torch")]
    assert (same.status, same.differs) == ("exact", ())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("y = F.max_unpool2d(v, i, 2)", "it pools by other tensors, too: indices"),
        ("y = F.fractional_max_pool2d(x, 2, 3)", "either side draws by itself"),
    ],
)
def test_a_check_says_why_it_runs_neither_side(source: str, text: str) -> None:
    found = check(row(f"{TORCH}{source}\n", "keras"), "keras")
    assert found is not None
    assert found.problem == text
    assert found.agrees


def test_a_stand_in_takes_the_tensors_as_the_original_does() -> None:
    assert "stand_in" in line(f"{TORCH}y = F.max_unpool1d(*given, 2)\n", "keras")
    values, indices = np.array([[[3.0, 7.0]]]), np.array([[[1, 2]]])
    unpool = stand_in("torch.nn.functional.max_unpool1d", "numpy", layout="channels_first")
    for made in (unpool(values, indices, 2), unpool(values, kernel_size=2, indices=indices)):
        np.testing.assert_array_equal(made, [[[0, 3, 7, 0]]])


def model(path: Path, opset: int, *nodes: onnx.NodeProto) -> Path:
    names = ("x", "r", "b", "i")
    given = [helper.make_tensor_value_info(name, 1, (2, 3, 8, 8) if name == "x" else None) for name in names]
    made = [helper.make_tensor_value_info(name, 1, None) for node in nodes for name in node.output]
    graph = helper.make_graph(list(nodes), "g", given, made)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


@pytest.mark.parametrize(("opset", "aligned"), [(10, "aligned=False"), (16, "spatial_scale=0.5)")])
def test_what_a_node_means_goes_by_the_opset_of_its_model(tmp_path: Path, opset: int, aligned: str) -> None:
    node = helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], output_height=2, output_width=2, spatial_scale=0.5)
    (found,) = port_file(model(tmp_path / "model.onnx", opset, node), "keras").rows
    assert aligned in found.after
    assert any("boxes (K, 4) and the numbers of their maps apart" in note for note in found.differs)


def test_nodes_with_places_are_ported_with_what_to_do_about_them(tmp_path: Path) -> None:
    nodes = (
        helper.make_node("MaxPool", ["x"], ["y", "p"], kernel_shape=[2, 2], strides=[2, 2], name="down"),
        helper.make_node("MaxUnpool", ["y", "p"], ["z"], kernel_shape=[2, 2], strides=[2, 2], name="up"),
        helper.make_node("MaxRoiPool", ["x", "r"], ["q"], pooled_shape=[2, 2], name="head"),
    )
    down, up, head = port_file(model(tmp_path / "model.onnx", 16, *nodes), "torch").rows
    assert (down.after, up.after) == ("nn.MaxPool2d(2, return_indices=True)", "nn.MaxUnpool2d(2)")
    assert all("turns those of ONNX" in one.note and one.status == "caveat" for one in (down, up))
    assert "RoiSpec" in head.after
    assert head.status == "exact"
