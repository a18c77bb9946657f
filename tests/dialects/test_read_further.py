"""Words that pool by another tensor, or give one: drawn windows, unpooling and regions, read and written.

Each is held against torch, ONNX Runtime or torchvision's own formula in Python, with the same tensors.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch import nn
from torch.nn import functional

import poolkit as pk
from poolkit.dialects.writing import native_call
from tests.helpers.support import python
from tests.helpers.vision import torchvision

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(0)
LAYOUTS = {1: "NCL", 2: "NCHW", 3: "NCDHW"}


def map_of(n: int, *sizes: int) -> torch.Tensor:
    return torch.from_numpy(RNG.permutation(6 * int(np.prod(sizes[:n]))).reshape(2, 3, *sizes[:n]).astype("float32"))


# ------------------------------------------------------------------------------------------------------ drawn windows

DRAWN: list[tuple[int, dict[str, Any]]] = [
    (2, {"kernel_size": 2, "output_size": (4, 5)}),
    (2, {"kernel_size": (3, 2), "output_ratio": (0.5, 0.7), "return_indices": True}),
    (3, {"kernel_size": 2, "output_size": 3, "return_indices": True}),
    (3, {"kernel_size": (1, 2, 3), "output_ratio": (0.4, 0.5, 0.6)}),
]


@pytest.mark.parametrize(("n", "options"), DRAWN, ids=str)
def test_drawn_windows_are_torchs_by_the_same_samples(n: int, options: dict[str, Any]) -> None:
    x, samples = map_of(n, 9, 10, 11), torch.rand(2, 3, n, generator=torch.Generator().manual_seed(1))
    layer = getattr(nn, f"FractionalMaxPool{n}d")(**options, _random_samples=samples)
    function, spec = f"fractional_max_pool{n}d", pk.read(layer)
    arguments = ", ".join(f"{name}={value}" for name, value in options.items())

    theirs, ours = layer(x), pk.pool(x, spec, samples=samples)
    for own, other in zip(*([y] if isinstance(y, torch.Tensor) else y for y in (ours, theirs)), strict=True):
        assert torch.equal(own, other)
    assert pk.read(f"nn.FractionalMaxPool{n}d({arguments})") == spec
    assert pk.read(f"F.{function}(x, {arguments}, _random_samples=s)") == spec
    both = pk.read(f"F.{function}_with_indices(x, {arguments})")
    assert both == spec.replace(indices=True)  # type: ignore[call-arg]


def test_the_own_layer_draws_otherwise() -> None:
    spec = pk.FractionalMaxPool(2, output_size=3, layout="NCHW")
    with pytest.raises(pk.NotExactError, match=r"draws anew at each call, in eval\(\) too"):
        pk.native(spec, "torch")


# ---------------------------------------------------------------------------------------------------------- unpooling

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": 3, "stride": 3, "padding": 1},
    {"kernel_size": 2, "stride": 3},
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", WINDOWS, ids=str)
def test_unpooling_is_torchs(options: dict[str, Any], n: int) -> None:
    k, s, p = (options.get(name) for name in ("kernel_size", "stride", "padding"))
    x = map_of(n, *((out - 1) * (s or k) + k - 2 * (p or 0) for out in (4, 5, 3)))
    layer, function = getattr(nn, f"MaxUnpool{n}d")(**options), getattr(functional, f"max_unpool{n}d")
    values, indices = getattr(functional, f"max_pool{n}d")(x, **options, return_indices=True)
    spec = pk.read(layer)

    assert torch.equal(pk.pool(values, spec, indices=indices), layer(values, indices))
    arguments = ", ".join(f"{name}={value}" for name, value in options.items())
    assert pk.read(f"nn.MaxUnpool{n}d({arguments})") == spec
    assert pk.read(f"F.max_unpool{n}d(y, i, {arguments})") == spec
    assert pk.read(functools.partial(function, **options, indices=indices)) == spec
    back = pk.read(f"F.max_unpool{n}d(y, i, {arguments}, output_size={tuple(x.shape)})")
    assert back == pk.read(f"F.max_unpool{n}d(y, i, {arguments}, output_size={list(x.shape[2:])})")
    theirs = function(values, indices, **options, output_size=list(x.shape[2:]))
    assert torch.equal(pk.pool(values, back, indices=indices), theirs)
    assert torch.equal(theirs, layer(values, indices))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_unpooling_without_overlaps_is_torchs_own_layer(n: int) -> None:
    for window, stride, padding in ((2, 2, 0), (3, 3, 1), (2, 3, 0), (1, 2, 0)):
        pooling = pk.MaxPool(window, stride, padding, layout=LAYOUTS[n], indices=True)
        spec = pk.Unpool(pooling, "smallest")
        x = map_of(n, *((out - 1) * stride + window - 2 * padding for out in (4, 5, 3)))
        values, indices = pk.pool(x, pooling)
        own, ours = values.clone().requires_grad_(), values.clone().requires_grad_()
        theirs, mine = pk.native(spec, "torch")(own, indices), pk.pool(ours, spec, indices=indices)
        weights = torch.arange(1.0, 1 + theirs.numel()).reshape(theirs.shape)
        (theirs * weights).sum().backward()
        (mine * weights).sum().backward()
        assert torch.equal(mine, theirs)
        assert torch.equal(ours.grad, own.grad)  # type: ignore[arg-type]
        assert pk.read(pk.native(spec, "torch")) == spec.replace(pooling=pooling.replace(indices=False))


P = pk.MaxPool(2, layout="NCHW")
NO_OWN_LAYER: list[tuple[pk.Operation, str, str, str | None]] = [
    (pk.Unpool(pk.MaxPool(3, 2, layout="NCHW"), "smallest"), "torch", "gives each a gradient", "MaxUnpool2d(3, 2)"),
    (pk.Unpool(P, 5), "torch", "takes the size of what it makes when it is called", "torch.nn.MaxUnpool2d(2)"),
    (pk.Unpool(pk.MaxPool(2, layout="NHWC"), "smallest"), "torch", "takes channels first", None),
    (pk.Unpool(pk.MaxPool(2, layout="NCHW", axes="H"), "smallest"), "torch", "over all spatial axes", None),
    (pk.Unpool(pk.MaxPool(2, layout="NCHW", ceil_mode=True), "smallest"), "torch", "has no ceil_mode", None),
    (pk.Unpool(pk.MaxPool(2, 2, "same", layout="NCHW"), "smallest"), "torch", "same pads by the input's size", None),
    (pk.Unpool(pk.AdaptiveMaxPool(2, layout="NCHW"), 4), "torch", "bins or drawn windows", None),
    (pk.Unpool(pk.FractionalMaxPool(2, output_size=2, layout="NCL"), 4), "torch", "bins or drawn windows", None),
    (pk.Unpool(P, "smallest"), "keras", "takes indices besides", None),
    (pk.RoiSpec("max", output_size=2, layout="NCHW"), "torch", "torchvision.ops, which does", None),
    (pk.RoiSpec("max", output_size=2, layout="NCHW"), "jax", "takes boxes besides", None),
    (pk.Segment("max", 3), "torch", "takes ids besides", None),
    (pk.Chain((P, P)), "torch", "a composite of several pools", None),
]


@pytest.mark.parametrize(("spec", "backend", "text", "nearest"), NO_OWN_LAYER, ids=str)
def test_no_own_layer(spec: pk.Operation, backend: str, text: str, nearest: str | None) -> None:
    with pytest.raises(pk.NotExactError, match=text) as raised:
        native_call(spec, backend)
    assert (nearest or "") in str(raised.value)
    assert (raised.value.nearest is None) == (nearest is None)


# ------------------------------------------------------------------------------------------------------------ regions

X = RNG.standard_normal((2, 3, 17, 23)).astype("float32")
XY, WH = RNG.uniform(-40, 200, (20, 2)), RNG.uniform(0, 220, (20, 2))
BOXES = np.concatenate([RNG.integers(0, 2, (20, 1)), XY, XY + WH], 1).astype("float32")


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("ratio", [-1, 0, 2])
def test_roi_align_is_torchvisions(ratio: int, aligned: bool) -> None:
    # Its operators do not load here; what is written in Python is compiled where it is called as it is.
    written: Any = importlib.import_module("torchvision.ops.roi_align")._roi_align.__wrapped__
    layer = torchvision.ops.RoIAlign((5, 4), spatial_scale=0.125, sampling_ratio=ratio, aligned=aligned)
    spec = pk.read(layer)
    boxes = np.abs(BOXES).clip(0, [1, 80, 60, 180, 130]).astype("float32")  # it does not leave out what is outside
    expected = written(torch.from_numpy(X), torch.from_numpy(boxes), 0.125, 5, 4, ratio, aligned)

    np.testing.assert_allclose(pk.pool(X, spec, boxes=boxes), expected.numpy(), rtol=0, atol=1e-5)
    line = f"roi_align(x, b, (5, 4), 1 / 8, {ratio}, aligned={aligned})"
    assert pk.read(f"torchvision.ops.{line}") == pk.read(f"torchvision.ops.roi_align.{line}") == spec


def test_roi_pool_is_that_of_onnx_runtime() -> None:
    layer = torchvision.ops.RoIPool([5, 4], 0.125)
    node = helper.make_node("MaxRoiPool", ["x", "r"], ["y"], pooled_shape=[5, 4], spatial_scale=0.125)
    spec = pk.read(node)

    assert (
        pk.read(layer) == pk.read("torchvision.ops.roi_pool(x, boxes=b, output_size=(5, 4), spatial_scale=1/8)") == spec
    )
    np.testing.assert_array_equal(pk.pool(X, spec, boxes=BOXES), run(node, x=X, r=BOXES)[0])


# --------------------------------------------------------------------------------------------------------- ONNX's nodes


def run(node: onnx.NodeProto, opset: int = 16, **inputs: Array) -> list[Array]:
    """What ONNX Runtime gives for one node."""
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(t.dtype), t.shape) for n, t in inputs.items()
    ]
    types = [1, 7][: len(node.output)]
    made = [helper.make_tensor_value_info(n, t, None) for n, t in zip(node.output, types, strict=True)]
    graph = helper.make_graph([node], "g", infos, made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: list[Array] = session.run(None, inputs)
    return found


def test_maxima_with_places_and_the_way_back_are_onnx_runtimes() -> None:
    windows: dict[str, Any] = {"kernel_shape": [2, 3], "strides": [2, 3], "pads": [0, 1, 0, 1]}
    x = map_of(2, 8, 10).numpy()
    down, up = (
        helper.make_node("MaxPool", ["x"], ["y", "i"], **windows),
        helper.make_node("MaxUnpool", ["y", "i"], ["z"], **windows),
    )
    values, places = run(down, x=x)
    pooling, back = pk.read(down), pk.read(up)

    ours, indices = pk.pool(x, pooling)
    np.testing.assert_array_equal(ours, values)
    turned = pk.indices_from(places, "onnx", x.shape, "NCHW")
    np.testing.assert_array_equal(indices, turned)
    assert back == pk.Unpool(pooling.replace(indices=False), "smallest")  # type: ignore[call-arg,arg-type]
    np.testing.assert_array_equal(pk.pool(values, back, indices=indices), run(up, y=values, i=places)[0])


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("centre", ["half_pixel", "output_half_pixel", None])
def test_roi_align_is_onnx_runtimes(centre: str | None, mode: str) -> None:
    sizes: dict[str, Any] = {"output_height": 5, "output_width": 4, "sampling_ratio": 2, "spatial_scale": 0.125}
    more = {} if centre is None else {"coordinate_transformation_mode": centre}
    node = helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], mode=mode, **sizes, **more)
    expected = run(node, x=X, r=BOXES[:, 1:], b=BOXES[:, 0].astype("int64"))[0]

    np.testing.assert_allclose(pk.pool(X, pk.read(node), boxes=BOXES), expected, rtol=0, atol=1e-5)


# -------------------------------------------------------------------------------------------------- what is not said

REFUSED = [
    ("nn.FractionalMaxPool2d(2)", "one of them says how many windows there are"),
    ("nn.FractionalMaxPool2d(2, output_size=3, output_ratio=0.5)", "one of them says"),
    ("nn.FractionalMaxPool2d(2, output_ratio=2)", "a number between 0 and 1"),
    ("F.max_unpool2d(y, i, k)", "kernel_size=k is not known here"),
    ("F.max_unpool2d(y, i, 2, output_size=x.size())", r"write poolkit\.unpool\(values, indices, poolkit\.PoolSpec"),
    ("F.max_unpool2d(y, i, 2, output_size=(4, 4, 4))", "2 sizes or 4; mend the call"),
    ("F.max_unpool2d(y)", "missing a required argument: 'indices'"),
    ("nn.MaxUnpool2d(2, padding='same')", "is for convolutions"),
    ("torchvision.ops.RoIAlign(size, 1, 2)", "output_size=size is not known here"),
    ("torchvision.ops.roi_pool(x, b, 7, 1 / scale)", "spatial_scale=1 / scale is not known here"),
    ("torchvision.ops.roi_pool(x, b, 7, 1 / 0)", "spatial_scale=1 / 0 is not known here"),
    ("torchvision.ops.roi_pool(x, b, 7, -1)", "one finite number above 0"),
    ("torchvision.ops.MultiScaleRoIAlign(['0'], 7, 2)", "write poolkit.roi of a RoiSpec for each map"),
    ("torchvision.ops.ps_roi_pool(x, b, 7)", "from channels of its own"),
    ("torchvision.ops.nms(x, b, 0.5)", "knows no pooling called torchvision.ops.nms"),
    (
        "onnx.MaxUnpool(kernel_shape=[2, 2], output_shape=[1, 1, 4, 4])",
        r"write poolkit\.unpool\(.*poolkit\.indices_from",
    ),
    ("onnx.RoiAlign(coordinate_transformation_mode='pixel')", "none of ONNX's; write half_pixel or output_half_pixel"),
    ("onnx.RoiAlign(mode='sum')", 'mode of regions is "avg" or "max"'),
    ("onnx.MaxRoiPool(pooled_shape=2)", "pooled_shape=2 is not what the framework takes"),
]


@pytest.mark.parametrize(("source", "text"), REFUSED)
def test_what_is_refused_says_why_and_what_to_write(source: str, text: str) -> None:
    with pytest.raises(pk.PoolkitError, match=text):
        pk.read(source)


@pytest.mark.parametrize("other", ["nn.MaxPool2d(2)", pk.Segment("max", 3)])
@pytest.mark.parametrize(
    "given",
    [
        "nn.MaxUnpool2d(2)",
        "torchvision.ops.roi_pool(x, b, 7)",
        pk.Unpool(P, 4),
        pk.LearnedMix(P, P.replace(kind="avg")),
    ],
)
def test_what_pools_by_another_tensor_is_not_compared(given: Any, other: Any) -> None:
    with pytest.raises(pk.InputError, match=r"pools by (indices|boxes|ids|share) besides"):
        pk.diff(other, given)


def test_a_layout_has_its_channels_where_the_word_has_them() -> None:
    for source in ("nn.MaxUnpool2d(2)", "torchvision.ops.RoIPool(7, 1.0)", "kornia.filters.max_blur_pool2d(x, 3)"):
        assert pk.read(source, "NCAB").layout == "NCAB"
        with pytest.raises(pk.NotExactError, match=r"takes its channels first \(NCHW\)"):
            pk.read(source, "NHWC")


def test_hooks_of_a_layer_of_torchvision() -> None:
    layer = torchvision.ops.RoIPool(7, 1.0)
    layer.register_forward_hook(lambda module, inputs, output: output)
    with pytest.raises(pk.NotExactError, match="has hooks, which may change its result"):
        pk.read(layer)


def test_reading_a_line_imports_no_framework() -> None:
    lines = ["torchvision.ops.roi_align(x, b, 7)", "F.max_unpool2d(y, i, 2)", "onnx.MaxRoiPool(pooled_shape=[2, 2])"]
    code = (
        f"import sys, poolkit as pk; [pk.read(line) for line in {lines}]; "
        "print([name for name in ('torch', 'torchvision', 'onnx', 'numpy') if name in sys.modules])"
    )
    assert python(code).strip() == "[]"


def test_numbers_that_python_has_no_literal_for() -> None:
    for text, p in (("float('inf')", np.inf), ("2.0", 2.0)):
        assert pk.read(f"nn.LPPool1d({text}, 2)") == pk.LPPool(2, layout="NCL", p=p)
