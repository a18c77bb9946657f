"""ONNX nodes, read: what the reference runtime computes against what their specs give, on finite input."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import poolkit as pk
from poolkit import InputError, NotExactError, PoolSpec
from poolkit.dialects.calls import Call
from poolkit.dialects.onnx import call_of
from poolkit.dialects.reading import read_call
from poolkit.port.onnx_nodes import runner
from tests.helpers.support import python

SHAPES = {1: (2, 3, 11), 2: (2, 3, 7, 10), 3: (1, 2, 5, 7, 6)}


def run(node: Any, x: np.ndarray, opset: int = 22) -> np.ndarray:
    of = helper.make_tensor_value_info
    inputs, outputs = [of("x", TensorProto.FLOAT, x.shape)], [of("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([node], "one", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, {"x": x})[0]


def node_of(name: str, **attributes: Any) -> Any:
    return helper.make_node(name, ["x"], ["y"], **attributes)


def assert_same(node: Any, n: int, opset: int = 22, layout: str | None = None) -> PoolSpec:
    x = np.random.default_rng(0).standard_normal(SHAPES[n]).astype("float32")
    spec = pk.read(node, layout)
    expected = run(node, x, opset)
    given = pk.pool(x, spec)
    assert given.shape == expected.shape
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)
    return spec


WINDOWS = [
    *((n, {"kernel_shape": [2] * n}) for n in (1, 2, 3)),
    *((n, {"kernel_shape": [3] * n, "strides": [2] * n, "pads": [1] * 2 * n}) for n in (1, 2, 3)),
    *((n, {"kernel_shape": [3] * n, "strides": [2] * n, "pads": [1] * n + [0] * n}) for n in (1, 2, 3)),
    *((n, {"kernel_shape": [3] * n, "strides": [2] * n, "ceil_mode": 1}) for n in (1, 2, 3)),
    (2, {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [0, 1, 2, 0], "ceil_mode": 1}),
    (2, {"kernel_shape": [2, 3], "strides": [2, 3], "dilations": [2, 3], "pads": [1, 1, 1, 1]}),
    (2, {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    (2, {"kernel_shape": [2, 4], "strides": [1, 3], "auto_pad": "SAME_UPPER"}),
    (2, {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "VALID"}),
    (2, {"kernel_shape": [2, 3], "auto_pad": "NOTSET"}),
]


@pytest.mark.parametrize(("n", "attributes"), WINDOWS, ids=str)
def test_windows(n: int, attributes: dict[str, Any]) -> None:
    assert_same(node_of("MaxPool", **attributes), n)
    for counted in (0, 1):
        assert_same(node_of("AveragePool", **attributes, count_include_pad=counted), n)


@pytest.mark.parametrize("p", [None, 1, 3])
@pytest.mark.parametrize(("n", "attributes"), [*WINDOWS, (2, None)], ids=str)
def test_norms(n: int, attributes: dict[str, Any] | None, p: int | None) -> None:
    """By ONNX Runtime: the reference multiplies windows at the edge as if they were whole, and leaves out dilations."""
    more = {} if p is None else {"p": p}
    node = node_of("GlobalLpPool", **more) if attributes is None else node_of("LpPool", **attributes, **more)
    x = np.random.default_rng(0).standard_normal(SHAPES[n]).astype("float32")
    call = call_of(node)
    assert call is not None
    np.testing.assert_allclose(pk.pool(x, pk.read(node)), runner(call)(x), rtol=1e-5, atol=1e-6)


def test_more_padding_before_than_after() -> None:
    """The reference gives one cell fewer and pads as SAME_UPPER, so the same node with numbers is asked."""
    for name in ("MaxPool", "AveragePool"):
        lower = pk.read(node_of(name, kernel_shape=[2, 5], strides=[2, 2], auto_pad="SAME_LOWER"))
        numbers = node_of(name, kernel_shape=[2, 5], strides=[2, 2], pads=[1, 2, 0, 1])
        x = np.random.default_rng(0).standard_normal(SHAPES[2]).astype("float32")
        np.testing.assert_allclose(pk.pool(x, lower), run(numbers, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["VALID", "SAME_UPPER", "SAME_LOWER"])
def test_ceil_mode_says_nothing_with_auto_pad(mode: str) -> None:
    attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": mode}
    assert pk.read(node_of("MaxPool", ceil_mode=1, **attributes)) == pk.read(node_of("MaxPool", **attributes))


KINDS = {"GlobalAveragePool": "avg", "GlobalMaxPool": "max"}


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global(name: str, n: int) -> None:
    spec = pk.read(node_of(name))
    if (
        n == 2 or name == "GlobalAveragePool"
    ):  # the reference's GlobalMaxPool takes two spatial axes, whatever there are
        assert_same(node_of(name), n)
    assert (spec.kind, spec.layout, spec.keepdims) == (KINDS[name], "channels_first", True)
    assert pk.read(node_of(name), "NCHW").layout == "NCHW"


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("name", ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum"])
def test_reductions(name: str, keepdims: int) -> None:
    opset = 11
    for n, axes, layout in ((2, [2, 3], None), (2, [-1, -2], None), (3, [2, 3, 4], None), (1, [2], "NCL")):
        spec = assert_same(node_of(name, axes=axes, keepdims=keepdims), n, opset, layout)
        assert spec.keepdims is bool(keepdims)
    assert assert_same(node_of(name, axes=[3], keepdims=keepdims), 2, opset, "NCHW").axes == "W"


def test_axes_that_are_an_input_are_left_to_who_knows_the_model() -> None:
    node = helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)
    with pytest.raises(NotExactError, match="axes=axes is not known here"):
        pk.read(node)
    call = call_of(node)
    assert call is not None
    spec = read_call(Call(call.name, (), (("axes", [2, 3]), ("keepdims", 0))))
    assert spec == PoolSpec("avg", output_size=1, layout="NCHW", keepdims=False)


REFUSED = [
    (("LpPool", ["x"], ["y"], {"kernel_shape": [2, 2], "p": 0}), "p=0 is no norm"),
    (("GlobalLpPool", ["x"], ["y"], {"p": -1}), "p=-1 is no norm"),
    (("ReduceLogSumExp", ["x"], ["y"], {}), "exponentials"),
    (("ReduceMean", ["x"], ["y"], {}), "every axis"),
    (("ReduceMean", ["x"], ["y"], {"noop_with_empty_axes": 1}), "does nothing"),
    (("ReduceMean", ["x"], ["y"], {"axes": [1]}), "not the spatial ones"),
    (("Conv", ["x", "w"], ["y"], {}), "knows no pooling called onnx.Conv"),
    (("MaxPool", ["x"], ["y"], {"kernel_shape": [2, 2], "pads": [1, 1]}), "2 numbers"),
    (("MaxPool", ["x"], ["y"], {"kernel_shape": [2, 2], "pads": [-1, 0, 0, 0]}), "negative"),
    (("MaxPool", ["x"], ["y"], {"kernel_shape": [2, 2], "auto_pad": "SAME"}), "none of ONNX's"),
    (("MaxPool", ["x"], ["y"], {"kernel_shape": [2] * 4}), "4 spatial axes"),
    (("MaxPool", ["x"], ["y"], {"strides": [2, 2]}), "missing a required argument: 'kernel_shape'"),
]


@pytest.mark.parametrize(("parts", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_a_spec_cannot_say(parts: Any, text: str) -> None:
    name, inputs, outputs, attributes = parts
    with pytest.raises(NotExactError, match=text):
        pk.read(helper.make_node(name, inputs, outputs, **attributes))


def test_an_output_without_a_name_is_none() -> None:
    node = helper.make_node("MaxPool", ["x"], ["y", ""], kernel_shape=[2, 2], storage_order=1)
    assert pk.read(node) == PoolSpec("max", window=2, stride=1, layout="NCHW")


def test_operators_of_another_domain_are_others() -> None:
    node = helper.make_node("MaxPool", ["x"], ["y"], domain="com.example", kernel_shape=[2, 2])
    with pytest.raises(NotExactError, match=r"onnx\.com\.example\.MaxPool"):
        pk.read(node)


def test_what_is_no_node() -> None:
    with pytest.raises(InputError, match="GraphProto"):
        pk.read(onnx.GraphProto())
    with pytest.raises(NotExactError, match="channels first"):
        pk.read(node_of("MaxPool", kernel_shape=[2, 2]), "NHWC")


def test_a_call_is_read_without_onnx() -> None:
    code = (
        "import sys, poolkit as pk; print(pk.read('onnx.MaxPool(kernel_shape=[3, 3], pads=[1, 1, 1, 1])'));"
        "print('onnx' in sys.modules)"
    )
    assert python(code).splitlines() == ["max window=3 stride=1 padding=1 layout=NCHW", "False"]
