"""`pk.roi` beside the conformance suite: ONNX's node tests, ONNX Runtime, what is refused, texts, compilers, levels."""

from __future__ import annotations

import importlib
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.spec.operation import Operation, operation_from_dict

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 17, 23)).astype("float32")
XY, WH = RNG.uniform(-40, 200, (40, 2)), RNG.uniform(0, 220, (40, 2))
BOXES = np.concatenate([RNG.integers(0, 2, (40, 1)), XY, XY + WH], 1).astype("float32")
ALIGN = pk.RoiSpec("align", output_size=(5, 4), spatial_scale=0.125, sampling_ratio=2, layout="NCHW")
MAX = pk.RoiSpec("max", output_size=(5, 4), spatial_scale=0.125, layout="NCHW")


def runtime(operator: str, inputs: dict[str, Array], **attributes: Any) -> Array:
    """What ONNX Runtime gives for one node."""
    helper = onnx.helper
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(t.dtype), t.shape) for n, t in inputs.items()
    ]
    node = helper.make_node(operator, list(inputs), ["y"], **attributes)
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", 1, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    session: Any = importlib.import_module("onnxruntime").InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: Array = session.run(None, inputs)[0]
    return found


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("ratio", [0, 2, 3])
@pytest.mark.parametrize("aligned", [True, False])
def test_roi_align_is_that_of_onnx_runtime(aligned: bool, ratio: int, mode: str) -> None:
    attributes = {"coordinate_transformation_mode": "half_pixel" if aligned else "output_half_pixel", "mode": mode}
    sizes = {"output_height": 5, "output_width": 4, "sampling_ratio": ratio, "spatial_scale": 0.125}
    inputs = {"x": X, "r": BOXES[:, 1:], "b": BOXES[:, 0].astype("int64")}
    corners = {"max_of": "corners"} if mode == "max" else {}
    spec = ALIGN.replace(sampling_ratio=ratio, aligned=aligned, mode=mode, **corners)

    expected = runtime("RoiAlign", inputs, **attributes, **sizes)
    np.testing.assert_allclose(pk.roi(X, BOXES, spec), expected, rtol=0, atol=1e-5)


def test_roi_max_is_bit_by_bit_that_of_onnx_runtime() -> None:
    expected = runtime("MaxRoiPool", {"x": X, "r": BOXES}, pooled_shape=[5, 4], spatial_scale=0.125)

    np.testing.assert_array_equal(pk.roi(X, BOXES, MAX), expected)
    np.testing.assert_array_equal(pk.roi(torch.from_numpy(X), torch.from_numpy(BOXES), MAX), expected)


def test_numbers_are_those_of_the_node_tests_of_onnx() -> None:
    cases: Any = importlib.import_module("onnx.backend.test.case.node")
    importlib.import_module("onnx.backend.test.case.node.roialign")
    found = [case for case in cases._NodeTestCases if case.model.graph.node[0].op_type == "RoiAlign"]

    assert len(found) >= 3
    for case in found:
        fields = {a.name: onnx.helper.get_attribute_value(a) for a in case.model.graph.node[0].attribute}
        (((x, rois, batch), (expected,)),) = case.data_sets
        mode = fields.get("mode", b"avg").decode()
        spec = pk.RoiSpec(
            "align",
            output_size=(fields["output_height"], fields["output_width"]),
            layout="NCHW",
            spatial_scale=fields["spatial_scale"],
            sampling_ratio=fields["sampling_ratio"],
            aligned=fields.get("coordinate_transformation_mode", b"half_pixel") == b"half_pixel",
            mode=mode,
            **({"max_of": "corners"} if mode == "max" else {}),
        )
        boxes = np.concatenate([batch[:, None], rois], 1).astype("float32")
        np.testing.assert_allclose(pk.roi(x, boxes, spec), expected, atol=1e-4)  # they hold four digits


def test_bins_of_float32_and_exact_ones_differ_where_operators_says() -> None:
    column = np.arange(64.0, dtype="float32").reshape(1, 1, 64, 1)
    spec = pk.RoiSpec("max", output_size=(7, 1), layout="NCHW")
    differ = []
    for size in range(1, 64):
        box = np.array([[0, 0, 0, 0, size - 1]], "float32")
        exact = [math.ceil((p + 1) * size / 7) - 1 if (p + 1) * size % 7 else (p + 1) * size // 7 - 1 for p in range(7)]
        np.testing.assert_array_equal(pk.roi(column, box, spec.replace(bins="exact"))[0, 0, :, 0], exact)
        if (pk.roi(column, box, spec)[0, 0, :, 0] != np.minimum(exact, 63)).any():
            differ.append(size)
    assert 57 in differ


def test_only_the_map_has_a_gradient_and_a_second_one_by_the_cotangent() -> None:
    x, boxes = torch.from_numpy(X).double().requires_grad_(), torch.from_numpy(BOXES[:5]).double().requires_grad_()
    pk.roi(x, boxes, ALIGN).sum().backward()

    assert boxes.grad is None
    assert torch.autograd.gradgradcheck(
        lambda t: pk.roi(t, boxes.detach(), ALIGN), (x[:, :1, :4, :4].detach().requires_grad_(),)
    )


def test_a_compiled_program_takes_any_boxes_and_says_how_large_a_grid_may_be() -> None:
    run = jax.jit(lambda x, boxes: pk.roi(x, boxes, ALIGN))
    graph = tf.function(
        lambda x, boxes: pk.roi(x, boxes, ALIGN),
        input_signature=[tf.TensorSpec([None, 3, None, None]), tf.TensorSpec([None, 5])],
    )
    for k in (0, 3):
        expected = pk.roi(X, BOXES[:k], ALIGN)
        np.testing.assert_allclose(run(X, BOXES[:k]), expected, atol=2e-6)
        np.testing.assert_allclose(graph(X, BOXES[:k]), expected, atol=2e-6)
    within = np.array([[1, 8, 8, 130, 120], [0, 0, 0, 184, 136]], "float32")
    for spec in (ALIGN.replace(sampling_ratio=0), MAX):  # enough for boxes within the map
        found: Any = jax.jit(lambda x, boxes, spec=spec: pk.roi(x, boxes, spec))(X, within)
        np.testing.assert_allclose(found, pk.roi(X, within, spec), atol=2e-6)
    beside = np.array([[2, 0, 0, 50, 50], [-1, 0, 0, 50, 50]], "float32")
    assert (np.asarray(run(X, beside)) == 0).all()


def test_it_is_declared_within_a_compiled_function() -> None:
    x, boxes, nodes = torch.from_numpy(X), torch.from_numpy(BOXES), torch.from_numpy(X[:, 0, :, :17])
    run = torch.compile(
        lambda x, b: pk.roi(x, b, pk.RoiSpec(**ALIGN.said(), kind="align")), backend="eager", fullgraph=True
    )
    graphs = torch.compile(lambda t: pk.struct_pool(t, t, t, steps=2), backend="eager", fullgraph=True)

    torch.testing.assert_close(run(x, boxes), pk.roi(x, boxes, ALIGN), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(graphs(nodes), pk.struct_pool(nodes, nodes, nodes, steps=2))


def test_a_saved_keras_model_holds_it(tmp_path: Any) -> None:
    x, boxes = keras.Input((3, 17, 23)), keras.Input((5,))
    keras.Model([x, boxes], ALIGN.layer("keras")(x, boxes=boxes)).save(tmp_path / "roi.keras")
    loaded: Any = keras.models.load_model(tmp_path / "roi.keras")

    np.testing.assert_allclose(loaded([X, BOXES]), pk.roi(X, BOXES, ALIGN), atol=1e-5)


def test_levels_are_those_of_fpn() -> None:
    sides = np.concatenate([np.geomspace(1, 4000, 60), [112, 224, 448, 896]])
    boxes = np.stack([sides * 0, sides * 0, sides * 0, sides, sides], 1).astype("float32")
    area = boxes[:, 3].astype("float64") ** 2
    expected = np.clip(np.floor(4 + np.log2(np.sqrt(area) / 224 + 1e-6)), 2, 5)

    for to in (np.asarray, torch.from_numpy, tf.constant, jax.numpy.asarray):
        np.testing.assert_array_equal(np.asarray(pk.roi_levels(to(boxes), 2, 5)), expected)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_levels_of_boxes_that_are_infinite_or_nan() -> None:
    """Levels are counted from comparisons: infinity times 0 as an int is -2147483648."""
    inf, nan = np.inf, np.nan
    sides = [(1e30, 1e30), (inf, 1), (inf, inf), (-inf, 1), (nan, 1), (1, nan), (nan, nan), (inf, 0), (0, 0)]
    boxes = np.array([[0, 0, 0, *one] for one in sides], "float32")

    for to in (np.asarray, torch.from_numpy, tf.constant, jax.numpy.asarray):
        assert np.asarray(pk.roi_levels(to(boxes), 2, 5)).tolist() == [5, 5, 5, 2, 2, 2, 2, 2, 2]
        assert np.asarray(pk.roi_levels(to(boxes), 3, 3)).tolist() == [3] * 9
        assert np.asarray(pk.roi_levels(to(boxes), 2, 5, size=1e308)).tolist()[-1] == 2


def roi(boxes: Any, x: Any = X, **more: Any) -> Any:
    return pk.roi(x, boxes, ALIGN.replace(**more))


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: roi(BOXES[:, :4]), pk.ShapeError, r"boxes of shape \(40, 4\).*\[batch number, x1, y1, x2, y2\]"),
    (lambda: roi(BOXES[0]), pk.ShapeError, r"boxes of shape \(5,\)"),
    (lambda: roi(BOXES + 1), pk.InputError, "batch numbers from 1.0 to 2.0 .* which of 2 maps"),
    (lambda: roi(BOXES - 0.5), pk.InputError, "give whole numbers from 0 to 1"),
    (lambda: roi(None), pk.InputError, "received no boxes"),
    (lambda: roi(BOXES > 1), pk.DtypeError, "boxes of dtype bool"),
    (lambda: roi(BOXES, X[0]), pk.ShapeError, "of rank 3.* layout NCHW has 4 axes"),
    (lambda: roi(BOXES, X[:, :, :0]), pk.ShapeError, "axis H has size 0"),
    (lambda: roi(BOXES * 1e6 * [0, 1, 1, 1, 1], sampling_ratio=0), pk.InputError, "bins of up to"),
    (lambda: roi(BOXES, kind="avg"), pk.SpecError, 'kind of regions is "max" or "align"'),
    (lambda: roi(BOXES, layout="NCL"), pk.SpecError, "N, C and two letters more"),
    (lambda: roi(BOXES, output_size=(1, 2, 3)), pk.SpecError, "one entry for each pooled axis, HW"),
    (lambda: roi(BOXES, spatial_scale=0), pk.SpecError, "one finite number above 0"),
    (lambda: roi(BOXES, sampling_ratio=-1), pk.SpecError, "an int from 0 to"),
    (lambda: roi(BOXES, max_of="corners"), pk.SpecError, "never reads it; leave max_of out"),
    (lambda: roi(BOXES, bins="exact"), pk.SpecError, "never reads it; leave bins out"),
    (lambda: pk.roi(X, BOXES, pk.MaxPool(2, layout="NCHW")), pk.SpecError, "by a RoiSpec"),  # type: ignore[arg-type]
    (lambda: pk.lower(MAX, "numpy", tensors={"boxes": "KB"}), pk.ShapeError, "give max_grid"),
    (lambda: pk.roi_levels(BOXES, 5, 2), pk.SpecError, "lowest first"),
    (lambda: pk.roi_levels(BOXES[0], 2, 5), pk.ShapeError, "received boxes of rank 1"),
    (lambda: pk.roi_levels(BOXES[:, 1:], 2, 5), pk.ShapeError, "with 4 columns"),
    (lambda: pk.native(ALIGN, "tensorflow"), pk.NotExactError, "no layer of its own"),
]


@pytest.mark.parametrize(("attempt", "error", "says"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_said(attempt: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        attempt()


def test_it_comes_back_from_every_form_in_which_it_is_kept() -> None:
    for spec in (ALIGN, MAX, MAX.replace(bins="exact", max_grid=4), ALIGN.replace(layout="channels_last")):
        assert eval(repr(spec), vars(pk).copy()) == spec
        assert operation_from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
        assert pickle.loads(pickle.dumps(spec)) == spec
        assert Operation.parse(str(spec)) == spec
    with pytest.raises(pk.SpecError, match='the text of RoiSpec begins with the word "roi"'):
        pk.RoiSpec.parse("align output_size=5 layout=NCHW")
    assert str(ALIGN) == "roi align output_size=5,4 layout=NCHW spatial_scale=0.125 sampling_ratio=2"
    assert ALIGN.replace(layout="channels_last").layout == "NHWC"


def test_it_is_explained_and_counted() -> None:
    told = ALIGN.explain(X.shape, {"boxes": "KB"})

    assert told.startswith(f"{ALIGN}\nNCHW (2, 3, 17, 23) -> NCHW (None, 3, 5, 4)")
    assert "the corners x1, y1, x2, y2" in told
    assert ALIGN.cost(X.shape).operations == 3 * 20 * 4 * 8  # of each box


@pytest.mark.parametrize("bins", [1, 2, 7])
@pytest.mark.parametrize("spec", [MAX, MAX.replace(bins="exact"), ALIGN.replace(sampling_ratio=0)], ids=str)
def test_boxes_at_hand_have_the_grid_that_they_need(spec: pk.RoiSpec, bins: int) -> None:
    """What is looked for in the boxes is no less than there may be, and at most a quarter more than that."""
    spec = spec.replace(output_size=bins, spatial_scale=1.0, max_grid=None)
    x = np.random.default_rng(0).standard_normal((2, 1, 23, 19))
    rng = np.random.default_rng(1)
    starts, sides = rng.uniform(-3, 19, (300, 2)), rng.uniform(0, 24, (300, 2)).round(1)
    boxes = np.concatenate([rng.integers(0, 2, (300, 1)), starts, starts + sides], 1)

    given, ample = pk.roi(x, boxes, spec), pk.roi(x, boxes, spec.replace(max_grid=40))
    # Few samples are added up by a product of matrices, many by the fold, which round otherwise.
    np.testing.assert_allclose(given, ample, rtol=0, atol=0 if spec.kind == "max" else 2e-15)
    found: Any = spec.look("boxes", boxes, x.shape)
    assert found.max_grid <= 1.25 * (24 / bins + 2 / bins + 2)
