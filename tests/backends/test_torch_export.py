"""PyTorch models with pools, exported by both exporters: ONNX Runtime gives the numbers of the definition."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import poolkit as pk
from poolkit.spec.kinds import BUILT_IN
from poolkit_conformance import compare, oracle

KINDS = [kind for kind in BUILT_IN if kind not in ("blur", "fractional_max", "s3")]  # which have no whole maps
MAPS = [
    pk.PoolSpec("sum", window=2, layout="NCHW"),
    pk.PoolSpec("sum", window=3, stride=2, padding=1, ceil_mode=True, layout="NCHW"),
    pk.PoolSpec("sum", window=5, stride=1, layout="NCHW"),
    pk.PoolSpec("sum", output_size=(2, 3), layout="NCHW"),
    pk.PoolSpec("avg", window=2, divisor_override=3, layout="NCHW"),
    pk.PoolSpec("avg", window=3, stride=2, padding=1, ceil_mode=True, count_include_pad=True, layout="NCHW"),
    pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NHWC"),
    pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NCHW", indices=True),
    pk.PoolSpec("max", window=3, stride=1, padding=1, dilation=2, layout="NCHW"),
    pk.PoolSpec("max", window=4, stride=1, padding="same", layout="NHWC"),
    pk.PoolSpec("min", window=2, stride=1, padding="same", layout="NHWC"),
    pk.PoolSpec("median", window=3, stride=2, padding="same", layout="NCHW", indices=True),
    pk.BlurPool(layout="NCHW"),
    pk.BlurPool(4, 2, "same", layout="NHWC"),
    pk.PoolSpec("max", output_size=(2, 3), layout="NCHW"),
    pk.PoolSpec("max", output_size=(None, 3), layout="NHWC", indices=True),
]
GROUPS: dict[str, tuple[list[pk.PoolSpec], tuple[int, ...], tuple[int, ...]]] = {  # specs, the size exported, another
    "maps": (MAPS, (2, 3, 7, 8), (3, 4, 9, 11)),
    "whole maps": (
        [pk.PoolSpec(k, output_size=1, keepdims=False, layout=layout) for k in KINDS for layout in ("NCHW", "NHWC")],
        (2, 3, 7, 8),
        (3, 4, 9, 11),
    ),
    "lines": (
        [
            pk.PoolSpec("sum", window=3, stride=2, padding=1, layout="NCL"),
            pk.PoolSpec("avg", window=2, divisor_override=3, layout="NLC"),
            pk.PoolSpec("max", output_size=3, layout="NCL", indices=True),
            pk.PoolSpec("max", output_size=3, layout="NLC"),
            pk.PoolSpec("avg", output_size=3, layout="NLC"),
        ],
        (2, 5, 7),
        (3, 4, 11),
    ),
    "blocks": ([pk.PoolSpec("sum", window=2, padding=1, layout="NCDHW")], (1, 2, 5, 6, 7), (2, 3, 4, 7, 9)),
}


class Model(torch.nn.Module):
    """Several pools of one input, since an export takes most of its time for any model."""

    def __init__(self, specs: list[pk.PoolSpec]) -> None:
        super().__init__()
        self.specs = specs

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [t for spec in self.specs for t in _tensors(pk.pool(x, spec))]


def _tensors(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def exported(model: Model, x: torch.Tensor, exporter: str, any_size: bool, file: Path) -> onnxruntime.InferenceSession:
    axes = range(x.dim())
    options: dict[str, Any] = {}
    if any_size and exporter == "newer":
        options["dynamic_shapes"] = (dict.fromkeys(axes, torch.export.Dim.DYNAMIC),)
    elif any_size:
        options |= {"input_names": ["x"], "dynamic_axes": {"x": list(axes)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the older exporter is the older one, and what the newer one deprecates
        torch.onnx.export(model, (x,), file, dynamo=exporter == "newer", verbose=False, **options)
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("any_size", [False, True], ids=["one size", "any size"])
@pytest.mark.parametrize("exporter", ["older", "newer"])
@pytest.mark.parametrize("group", GROUPS)
def test_onnx_runtime_gives_the_numbers_of_the_definition(
    group: str, exporter: str, any_size: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "torch.onnx")
    specs, *shapes = GROUPS[group]
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(shape).astype("float32") for shape in shapes]

    session = exported(Model(specs).eval(), torch.from_numpy(inputs[0]), exporter, any_size, tmp_path / "model.onnx")

    for x in inputs if any_size else inputs[:1]:
        found = [np.asarray(t) for t in session.run(None, {session.get_inputs()[0].name: x})]
        for spec in specs:
            expected, label = oracle.answer(spec, x), f"{spec} on {x.shape}"
            compare.same_values(label, "values", spec, found.pop(0), expected)
            if spec.indices:
                compare.same_indices(label, found.pop(0), expected, "int64")
        assert found == []


VOLUMES = [
    pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NDHWC"),
    pk.PoolSpec("max", window=2, padding="same", layout="NDHWC"),
    pk.PoolSpec("min", window=(1, 2, 3), layout="NDHWC"),
    pk.PoolSpec("avg", window=3, stride=2, padding=1, layout="NDHWC"),
]


@pytest.mark.parametrize("any_size", [False, True], ids=["one size", "any size"])
@pytest.mark.parametrize("spec", VOLUMES, ids=str)
def test_volumes_of_channels_last_are_not_copied(spec: pk.PoolSpec, any_size: bool) -> None:
    """With ties, a NaN and windows of -inf, whose gradient may go to their own cells and to no other."""
    worst = torch.inf if spec.kind == "min" else -torch.inf
    inputs = [torch.randint(-3, 3, shape).float() for shape in ((2, 5, 6, 7, 3), (3, 8, 5, 9, 3))]
    for x in inputs[: 2 if spec.kind != "avg" else 0]:
        x[1, 2:, 2:, 2:, 1], x[0, 2, 2, 2, 0] = worst, torch.nan  # the first windows PyTorch gets right
    sizes = (dict.fromkeys(range(4), torch.export.Dim.DYNAMIC),) if any_size else None

    program = torch.export.export(spec.layer("torch"), (inputs[0],), dynamic_shapes=sizes)

    targets = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert "aten.avg_pool3d.default" not in targets  # which goes cell by cell
    if spec.kind == "max":
        assert targets == [f"aten.{name}.default" for name in ("permute", "max_pool3d", "threshold", "permute")]
    for x in inputs if any_size else inputs[:1]:
        ours, eager = (x.clone().requires_grad_() for _ in range(2))
        found, expected = program.module()(ours), spec.layer("torch", route="fold")(eager)
        torch.testing.assert_close(found, expected, equal_nan=True)
        gradients = [
            torch.autograd.grad(y, t, (~expected.isnan()).float())[0].where(x != worst, 0.0)
            for y, t in ((found, ours), (expected, eager))
        ]
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("kind", ["lp", "gem"])
def test_a_program_holds_no_operator_that_core_ml_lacks(kind: str) -> None:
    """Its converter (coremltools 9.0) knows `logical_or`, and no `|`."""
    spec = pk.PoolSpec(kind, window=3, stride=2, layout="NCHW")
    program = torch.export.export(spec.layer("torch"), (torch.rand(1, 2, 9, 9),))

    targets = {str(node.target) for node in program.graph.nodes}
    assert [name for name in targets if re.search(r"aten\.(__|bitwise)", name)] == []
    assert any("logical" in name for name in targets)


SAID = [  # what ONNX's operators can say, whatever the size
    pk.MaxPool(3, 2, 1, layout="NCHW"),
    pk.MaxPool(2, layout="NHWC"),
    pk.PoolSpec("min", window=2, layout="NHWC"),
    pk.AvgPool(3, 2, layout="NHWC"),
    pk.AvgPool(7, 4, 3, layout="NCHW", count_include_pad=True),
    pk.PoolSpec("sum", window=3, layout="NCHW"),
    pk.GlobalAvgPool(layout="NHWC", keepdims=True),
    pk.GlobalAvgPool(layout="NCHW", keepdims=True),
    pk.GlobalMaxPool(layout="NHWC", keepdims=False),
    pk.GlobalMaxPool(layout="NCHW", keepdims=True),
    pk.MaxPool(4, 1, "same", layout="NHWC"),
    pk.PoolSpec("max", window=2, layout="NCHW", indices=True),
]
OF_ONE_SIZE = [
    pk.AdaptiveAvgPool(6, layout="NCHW"),
    pk.AdaptiveMaxPool(6, layout="NCHW"),
    pk.MaxPool(3, 2, "same", layout="NHWC"),
    pk.AvgPool(3, 2, "same", layout="NCHW"),
    pk.AvgPool(2, padding="same", layout="NHWC", count_include_pad=True),
]


@pytest.mark.parametrize("any_size", [False, True], ids=["one size", "any size"])
def test_an_onnx_graph_has_few_nodes(any_size: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "torch.onnx")
    specs, file = SAID if any_size else [*SAID, *OF_ONE_SIZE], tmp_path / "model.onnx"
    exported(Model(specs).eval(), torch.rand(1, 60, 60, 60), "newer", any_size, file)

    nodes = nodes_by_output(file)
    for spec in specs:
        found = [nodes.pop(0) for _ in range(2 if spec.indices else 1)]
        assert max(map(len, found)) <= most(spec), f"{spec}: {found}"
    assert nodes == []


@pytest.mark.parametrize("spec", [*SAID, *OF_ONE_SIZE], ids=str)
def test_the_older_exporter_writes_no_more_than_padding_and_pool_by_hand_at_a_fixed_size(
    spec: pk.PoolSpec, tmp_path: Path
) -> None:
    """Its own form of padding is 8 nodes, and of channels-last maps there are two transpositions."""
    file = tmp_path / "model.onnx"
    exported(spec.layer("torch", route="fixed"), torch.rand(1, 60, 60, 60), "older", False, file)

    nodes = nodes_by_output(file)[0]
    assert len(nodes) <= (most(spec) if "Pad" not in nodes else 11), nodes


def most(spec: pk.PoolSpec) -> int:
    """Channels last takes two transpositions; ONNX has no minimum pool, and axes are dropped one by one."""
    return 5 if spec.layout == "NHWC" and (spec.kind == "min" or not spec.keepdims) else 4


def nodes_by_output(file: Path) -> list[list[str]]:
    """The operators that each output is made of, but for constants."""
    graph = onnx.load(file).graph
    maker = {name: node for node in graph.node for name in node.output}
    made: list[list[str]] = []
    for output in graph.output:
        left, seen = [output.name], dict[str, str]()
        while left:
            node = maker.get(left.pop())
            if node is not None and node.op_type != "Constant":
                seen[node.output[0]] = node.op_type
                left += node.input
        made.append([*seen.values()])
    return made
