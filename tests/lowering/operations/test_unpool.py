"""`pk.unpool` beside the conformance suite: other frameworks' own, their indices, what is refused, texts, compilers."""

from __future__ import annotations

import importlib
import json
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
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit.spec.operation import operation_from_dict
from poolkit_conformance import runner

Array = np.ndarray[Any, Any]
SPEC = pk.MaxPool(2, layout="NCHW", indices=True)
X = np.random.default_rng(0).standard_normal((2, 3, 8, 9)).astype("float32")
VALUES, INDICES = SPEC(X)
EXPECTED = pk.unpool(VALUES, INDICES, SPEC, X.shape[2:])


@pytest.mark.parametrize("size", ["own", "smallest"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_numbers_and_gradients_are_those_of_torch_nn(n: int, size: str) -> None:
    shape = (2, 3, *((7, 10, 4) if size == "smallest" else (8, 12, 6))[:n])
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    spec = pk.MaxPool(3, padding=1, layout="NC" + {1: "L", 2: "HW", 3: "DHW"}[n], indices=True)
    values, indices = spec(x)
    own, ours = values.clone().requires_grad_(), values.clone().requires_grad_()
    layer = getattr(torch.nn, f"MaxUnpool{n}d")(3, padding=1)
    expected = layer(own, indices, *([list(shape[2:])] if size == "own" else []))
    found = pk.unpool(ours, indices, spec, shape[2:] if size == "own" else "smallest")
    weights = torch.arange(1.0, 1 + expected.numel()).reshape(expected.shape)
    (expected * weights).sum().backward()
    (found * weights).sum().backward()

    assert torch.equal(found, expected)
    assert torch.equal(ours.grad, own.grad)  # type: ignore[arg-type]


def test_numbers_are_those_of_the_node_tests_of_onnx() -> None:
    cases: Any = importlib.import_module("onnx.backend.test.case.node")
    importlib.import_module("onnx.backend.test.case.node.maxunpool")
    found = [case for case in cases._NodeTestCases if case.model.graph.node[0].op_type == "MaxUnpool"]

    assert len(found) >= 2
    for case in found:
        (node,) = case.model.graph.node
        fields = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        ((inputs, (expected,)),) = case.data_sets
        spec = pk.MaxPool(tuple(fields["kernel_shape"]), tuple(fields["strides"]), layout="NCHW")
        back = pk.Unpool(spec, "smallest")
        shape = back.output_shape(inputs[0].shape)
        values = pk.pool(inputs[0], back, indices=pk.indices_from(inputs[1], "onnx", shape, "NCHW"))
        larger = [(0, n - m) for n, m in zip(expected.shape, values.shape, strict=True)]  # it is put in a corner
        np.testing.assert_array_equal(np.pad(values, larger), expected)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_indices_of_onnx_become_those_of_poolkit(n: int, order: int) -> None:
    runtime: Any = importlib.import_module("onnxruntime")
    shape = (2, 3, 7, 6, 5)[: n + 2]
    x = np.random.default_rng(n).standard_normal(shape).astype("float32")
    node = onnx.helper.make_node(
        "MaxPool", ["x"], ["y", "i"], kernel_shape=[2] * n, strides=[2] * n, storage_order=order
    )
    infos = [onnx.helper.make_tensor_value_info(name, kind, None) for name, kind in (("y", 1), ("i", 7))]
    graph = onnx.helper.make_graph([node], "g", [onnx.helper.make_tensor_value_info("x", 1, shape)], infos)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 12)], ir_version=8)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    _, indices = session.run(None, {"x": x})
    layout = "NC" + {1: "L", 2: "HW", 3: "DHW"}[n]

    found = pk.indices_from(indices, "onnx_column_major" if order else "onnx", shape, layout)
    np.testing.assert_array_equal(found, pk.MaxPool(2, layout=layout, indices=True)(x)[1])


@pytest.mark.parametrize("batch", [True, False])
def test_indices_of_tensorflow_become_those_of_poolkit(batch: bool) -> None:
    x = tf.constant(X.transpose(0, 2, 3, 1))
    _, indices = tf.nn.max_pool_with_argmax(x, 2, 2, "VALID", include_batch_in_index=batch)

    found = pk.indices_from(indices, "tensorflow", (2, 8, 9, 3), "NHWC")
    np.testing.assert_array_equal(np.asarray(found).transpose(0, 3, 1, 2), INDICES)


def test_a_masked_window_comes_back_as_zeros() -> None:
    mask = np.ones((2, 8, 9), bool)
    mask[:, :2, :2] = False
    values, indices = SPEC(X, mask=mask)

    assert (indices[:, :, 0, 0] == -1).all()
    assert (pk.unpool(values, indices, SPEC, (8, 9))[:, :, :2, :2] == 0).all()


class Back(torch.nn.Module):
    def forward(self, values: torch.Tensor, indices: torch.Tensor) -> Any:
        return pk.unpool(values, indices, SPEC, "smallest")


def test_compilers_take_it_with_every_size() -> None:
    signature = [tf.TensorSpec([None, 3, None, None], dtype) for dtype in ("float32", "int64")]
    graph = tf.function(lambda v, i: pk.unpool(v, i, SPEC, "smallest"), input_signature=signature)
    dims = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    large = [torch.from_numpy(t) for t in SPEC(np.ones((3, 3, 10, 14), "float32"))]
    exported = torch.export.export(Back(), tuple(large), dynamic_shapes=(dims, dims), strict=False).module()
    symbols = jax.export.symbolic_shape("b, 3, h, w")
    arguments = [jax.ShapeDtypeStruct(symbols, dtype) for dtype in ("float32", "int32")]
    shipped = jax.export.export(jax.jit(lambda v, i: pk.unpool(v, i, SPEC, "smallest")))(*arguments)

    for shape in ((2, 3, 8, 6), (4, 3, 6, 10)):
        values, indices = SPEC(np.resize(X, shape))
        expected = pk.unpool(values, indices, SPEC, shape[2:])
        np.testing.assert_array_equal(graph(values, indices), expected)
        np.testing.assert_array_equal(exported(torch.from_numpy(values), torch.from_numpy(indices)), expected)
        np.testing.assert_array_equal(shipped.call(values, indices.astype("int32")), expected)


def test_out_of_range_in_a_compiled_program_is_dropped() -> None:
    @jax.jit
    def run(v: jax.Array, i: jax.Array) -> Any:
        return pk.unpool(v, i, pk.MaxPool(2, layout="L"), 4)

    np.testing.assert_array_equal(run(np.array([1.0, 2.0]), np.array([4, 3])), [0, 0, 0, 2])
    np.testing.assert_array_equal(run(np.array([1.0, 2.0]), np.array([-7, 0])), [2, 0, 0, 0])


def test_a_saved_keras_model_holds_it(tmp_path: Any) -> None:
    v, i = keras.Input((3, 4, 4)), keras.Input((3, 4, 4), dtype="int32")
    keras.Model([v, i], pk.Unpool(SPEC, (8, 9)).layer("keras")(v, indices=i)).save(tmp_path / "back.keras")
    loaded = keras.models.load_model(tmp_path / "back.keras")

    np.testing.assert_array_equal(loaded([VALUES, INDICES]), EXPECTED)


def _layer_of_unknown_size() -> Any:
    v, i = keras.Input((3, None, None)), keras.Input((3, None, None), dtype="int32")
    return pk.unpool(v, i, SPEC, "smallest")


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pk.unpool(VALUES, INDICES, SPEC), pk.SpecError, 'is not guessed; give the sizes.*or "smallest"'),
    (lambda: pk.unpool(VALUES, INDICES, SPEC, "largest"), pk.SpecError, 'received output_size="largest"'),
    (lambda: pk.Unpool(SPEC, np.array([8, 8])), pk.SpecError, r"received output_size=array\(\[8, 8\]\)"),
    (
        lambda: pk.Unpool(pk.AdaptiveMaxPool(2, layout="NCL"), "smallest"),
        pk.SpecError,
        "along the axes that were pooled",
    ),
    (lambda: pk.Unpool(SPEC, (4, 4, 4)), pk.SpecError, "one entry for each pooled axis, HW"),
    (lambda: pk.Unpool(pk.AvgPool(2, layout="NCL"), 4), pk.SpecError, 'only what chooses a cell.*: "max", "min"'),
    (lambda: pk.Unpool(pk.GlobalMaxPool(layout="NCL", keepdims=False), 4), pk.SpecError, "pool with keepdims=True"),
    (lambda: pk.Unpool("max", 4), pk.SpecError, "the way back from a PoolSpec"),  # type: ignore[arg-type]
    (lambda: pk.unpool(VALUES, INDICES, SPEC, (8, 12)), pk.ShapeError, r"of size \(8, 12\) gives \(4, 6\)"),
    (
        lambda: pk.unpool(VALUES, INDICES[:1], SPEC, (8, 9)),
        pk.ShapeError,
        r"indices of shape \(1, 3, 4, 4\) for values",
    ),
    (lambda: pk.unpool(VALUES, VALUES, SPEC, (8, 9)), pk.DtypeError, "received indices of dtype float32"),
    (lambda: pk.unpool(VALUES, None, SPEC, (8, 9)), pk.InputError, "received no indices"),
    (lambda: pk.unpool(VALUES, INDICES + 2, SPEC, (8, 9)), pk.InputError, "indices from 2 to 7.* below 72,.*onnx"),
    (lambda: pk.unpool(VALUES, INDICES - 9, SPEC, (8, 9)), pk.InputError, "indices from -"),
    (lambda: pk.unpool(VALUES, INDICES, SPEC, 2**30), pk.ShapeError, "gives"),
    (
        lambda: pk.unpool(X[0, 0, 0, :1], INDICES[0, 0, 0, :1], pk.AdaptiveMaxPool(1, layout="L"), 2**28),
        pk.ShapeError,
        "is the most",
    ),
    (_layer_of_unknown_size, pk.ShapeError, "a Keras model has to know the size"),
    (lambda: pk.indices_from(INDICES, "caffe", X.shape, "NCHW"), pk.InputError, 'known as those of "onnx"'),
    (lambda: pk.indices_from(INDICES, "onnx", X.shape, "NHW"), pk.ShapeError, "one letter for each axis"),
    (lambda: pk.indices_from(INDICES, "onnx", (None, 3, None, 9), "NCHW"), pk.ShapeError, "sizes besides that of N"),
    (lambda: pk.indices_from(INDICES, "onnx", (1, 3, 0, 9), "NCHW"), pk.ShapeError, "sizes besides that of N"),
    (lambda: pk.indices_from(INDICES, "onnx", 2**63, "NCHW"), pk.ShapeError, "a shape holds ints"),  # type: ignore[arg-type]
    (lambda: pk.indices_from([1], "onnx", X.shape, "NCHW"), pk.InputError, "received a list"),
    (lambda: pk.native(pk.Unpool(SPEC, (8, 9)), "tensorflow"), pk.NotExactError, "no layer of its own"),
]


@pytest.mark.parametrize(("attempt", "error", "says"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_said(attempt: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        attempt()


def test_it_comes_back_from_every_form_in_which_it_is_kept() -> None:
    for back in (pk.Unpool(SPEC, (8, 9)), pk.Unpool(SPEC, 8), pk.Unpool(SPEC, "smallest"), pk.Unpool(SPEC, "like")):
        assert eval(repr(back), vars(pk).copy()) == back
        assert operation_from_dict(json.loads(json.dumps(back.to_dict()))) == back
        assert pickle.loads(pickle.dumps(back)) == back
        assert pk.Unpool.parse(str(back)) == back
        assert back.replace(output_size=(8, 9)) == pk.Unpool(SPEC, (8, 9))
    assert str(pk.Unpool(SPEC, 8)) == "unpool (max window=2 layout=NCHW) output_size=8"
    assert pk.Unpool(SPEC, (8, 9)).output_shape((None, 3, None, None)) == (None, 3, 8, 9)
    assert pk.Unpool(SPEC, "smallest").output_shape((None, 3, None, 4)) == (None, 3, None, 8)


def test_it_is_explained_and_counted() -> None:
    told = pk.Unpool(SPEC, (8, 9)).explain((2, 3, 4, 4), {"indices": "NCHW"})

    assert told.startswith("unpool (max window=2 layout=NCHW) output_size=8,9\nNCHW (2, 3, 4, 4) -> NCHW (2, 3, 8, 9)")
    assert "where each value goes" in told
    cost = pk.Unpool(SPEC, (8, 9)).cost((2, 3, 4, 4), {"indices": "NCHW"})
    assert (cost.operations, cost.bytes) == (96, 96 * (4 + 8) + 432 * 4)


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize(
    ("values", "indices", "expected"),
    [
        ((5.0, 7.0, 6.0), (1, 2, 4), (0.0, 5.0, 7.0, 0.0, 6.0, 0.0)),
        ((5.0, 7.0, 6.0), (4, 1, 0), (6.0, 7.0, 0.0, 0.0, 5.0, 0.0)),
        ((5.0, 7.0, 6.0), (1, 1, 2), (0.0, 7.0, 6.0, 0.0, 0.0, 0.0)),
        ((7.0, 7.0, 7.0), (1, 1, 1), (0.0, 7.0, 0.0, 0.0, 0.0, 0.0)),
        ((7.0, 5.0, 6.0), (1, 1, -1), (0.0, 5.0, 0.0, 0.0, 0.0, 0.0)),
        ((np.nan, 5.0, 6.0), (0, 5, 5), (np.nan, 0.0, 0.0, 0.0, 0.0, 6.0)),
    ],
)
def test_values_are_put_at_once_where_none_has_to_give_way(
    backend: str, values: tuple[float, ...], indices: tuple[int, ...], expected: tuple[float, ...], apart: bool
) -> None:
    """What indices hold is asked, and of windows that overlap whether values that meet are alike.

    Places that are none, and values that meet, are then as by every other way.
    """
    h = runner.harness(backend)
    x, places = (h.from_numpy(np.array([[t]], dtype)) for t, dtype in ((values, "float32"), (indices, "int32")))
    pool = pk.MaxPool(2, layout="NCL", indices=True) if apart else pk.MaxPool(3, 2, 1, layout="NCL", indices=True)
    op = pk.Unpool(pool, 6)
    names = [route.name for route in routes_for(x, op, indices=places)]

    assert names == ["compiled" if backend == "jax" else "distinct" if apart else "alike", "fold"]
    for name in names:
        np.testing.assert_array_equal(h.to_numpy(pool_through(x, op, name, indices=places))[0, 0], expected)
    if backend == "torch":
        x.requires_grad_()
        assert routes_for(x, op, indices=places)[0].name == "distinct"
        slopes = torch.autograd.grad(pk.pool(x, op, indices=places).sum(), x)[0]
        last = [0 <= i < 6 and i not in indices[n + 1 :] for n, i in enumerate(indices)]
        assert slopes[0, 0].tolist() == last


@pytest.mark.parametrize(("height", "width"), [(6, 8), (6, 9), (4, 9000)])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_with_a_derivative_places_may_be_in_other_windows(layout: str, height: int, width: int) -> None:
    """Those that a window's own cells are a row, or a map, away from, too; 36,000 places are no int16."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, 3, height // 2, width // 2)).astype("float32")
    own = SPEC(np.resize(X, (2, 3, height, width)))[1]
    for moved in (0, 1, -1, 2, width, -width, height * width // 2):
        indices = np.where(rng.random(own.shape) < 0.1, np.clip(own + moved, 0, height * width - 1), own)
        x = torch.from_numpy(values)
        given = [t.permute(0, 2, 3, 1) if layout == "NHWC" else t for t in (x, torch.from_numpy(indices))]
        x = given[0].clone().requires_grad_()
        made = pk.unpool(x, given[1], SPEC.replace(layout=layout), (height, width))
        slopes = torch.autograd.grad(made.sum(), x)[0]
        slopes = slopes.permute(0, 3, 1, 2) if layout == "NHWC" else slopes
        for found, there in zip(slopes.reshape(6, -1).numpy(), indices.reshape(6, -1), strict=True):
            last = len(there) - 1 - np.unique(there[::-1], return_index=True)[1]
            np.testing.assert_array_equal(np.flatnonzero(found), np.sort(last))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_small_integers_count_through_large_maps(dtype: str) -> None:
    """Whose number of places they do not hold."""
    places = np.array([1, 100], dtype)
    for to in (np.asarray, torch.from_numpy, tf.constant, jax.numpy.asarray):
        found = pk.indices_from(to(places), "onnx", (1, 2, 400, 400), "NCHW")
        assert np.asarray(found).tolist() == [1, 100]
        with pytest.raises(pk.ShapeError, match=r"places, and indices are int\d\d here"):
            pk.indices_from(to(places), "onnx", (1, 2, 2**32, 2**32), "NCHW")


@pytest.mark.parametrize(
    "indices",
    [np.zeros(2, d) for d in ("f4", "?", "O", "U3", "c8", "M8[s]", "i4,f4")] + [torch.zeros(2), torch.zeros(2) * 1j],
    ids=lambda t: str(t.dtype),
)
def test_indices_that_are_no_integers_are_refused(indices: Any) -> None:
    with pytest.raises(pk.DtypeError, match=r"received indices of dtype .* an index is an integer"):
        pk.indices_from(indices, "onnx", (1, 2, 4, 4), "NCHW")


def test_a_size_before_is_known_for_each_axis() -> None:
    for pooling in (SPEC, pk.AdaptiveMaxPool((None, 2), layout="NCHW")):
        with pytest.raises(pk.SpecError, match=r"output_size=\(None, 4\), and each axis that was pooled has the size"):
            pk.Unpool(pooling, (None, 4))  # type: ignore[arg-type]
