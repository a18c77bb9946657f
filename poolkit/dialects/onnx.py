"""ONNX's words for pooling: nodes. Imports no onnx.

A node is read as a call of its operator by its attributes, ``onnx.MaxPool(kernel_shape=[3, 3], pads=[1, 1, 1, 1])``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.dialect import SEVERAL, Dialect, Fields, NotPooling, Word, need_value, no_spec, words
from poolkit.dialects.onnx_further import FURTHER, places
from poolkit.dialects.onnx_windows import LAYOUTS, dilation_of, window
from poolkit.errors import NotExactError


def _average(
    kernel_shape: Any,
    strides: Any = None,
    pads: Any = None,
    auto_pad: Any = "NOTSET",
    ceil_mode: Any = 0,
    count_include_pad: Any = 0,
    dilations: Any = None,
) -> Fields:
    need_value("count_include_pad", count_include_pad)
    fields = window("avg", kernel_shape, strides, pads, auto_pad, ceil_mode)
    counted = bool(count_include_pad) and fields["padding"] != "valid"
    return {**fields, "dilation": dilation_of(dilations), "count_include_pad": counted}


def _max(
    kernel_shape: Any,
    strides: Any = None,
    pads: Any = None,
    auto_pad: Any = "NOTSET",
    ceil_mode: Any = 0,
    dilations: Any = None,
    storage_order: Any = 0,
    outputs: Any = 1,
) -> Fields:
    need_value("outputs", outputs, int)
    fields = window("max", kernel_shape, strides, pads, auto_pad, ceil_mode)
    return {**fields, "dilation": dilation_of(dilations), "indices": outputs > 1}


def _lp(
    kernel_shape: Any,
    p: Any = 2,
    strides: Any = None,
    pads: Any = None,
    auto_pad: Any = "NOTSET",
    ceil_mode: Any = 0,
    dilations: Any = None,
) -> Fields:
    fields = window("lp", kernel_shape, strides, pads, auto_pad, ceil_mode)
    return {**fields, "dilation": dilation_of(dilations), "p": _norm(p)}


def _norm(p: Any) -> Any:
    need_value("p", p, int, float)
    if p <= 0:
        raise NotExactError(f"p={p} is no norm, which has a p above 0; mend the node")
    return p


def _global_lp(p: Any = 2) -> Fields:
    return {**_global("lp"), "p": _norm(p)}


def _global(kind: str) -> Fields:
    return {"kind": kind, "output_size": 1, "layout": "channels_first"}


def _reduce(kind: str, axes: Any = None, keepdims: Any = 1, noop_with_empty_axes: Any = 0) -> Fields:
    need_value("keepdims", keepdims)
    if axes in (None, (), []):
        rest = "does nothing" if noop_with_empty_axes else "takes every axis, batch and channels too"
        raise NotPooling(f"without axes it {rest}, which is no pooling; leave it as it is")
    need_value("axes", axes, *SEVERAL)
    return {"kind": kind, "axis": tuple(axes), "keepdims": bool(keepdims)}


REDUCTIONS = {"ReduceMean": "avg", "ReduceMax": "max", "ReduceMin": "min", "ReduceSum": "sum"}

NEIGHBOURS = {
    "ReduceL1": "sums magnitudes",
    "ReduceL2": "takes the root of a sum of squares",
    "ReduceSumSquare": "sums squares",
    "ReduceLogSum": "takes the logarithm of a sum",
    "ReduceLogSumExp": "takes the logarithm of a sum of exponentials",
    "ReduceProd": "multiplies",
    "Resize": "interpolates",
}

WORDS = words(
    Word("onnx.AveragePool", _average),
    Word("onnx.MaxPool", _max, differs=places),
    Word("onnx.LpPool", _lp),
    Word("onnx.GlobalLpPool", _global_lp),
    Word("onnx.GlobalAveragePool", partial(_global, "avg")),
    Word("onnx.GlobalMaxPool", partial(_global, "max")),
    *(Word(f"onnx.{name}", partial(_reduce, kind)) for name, kind in REDUCTIONS.items()),
    *(no_spec(f"onnx.{name}", what) for name, what in NEIGHBOURS.items()),
    *FURTHER,
)

# ---------------------------------------------------------------------------------------------------- nodes in hand

# The field of an AttributeProto that holds a value of this type, by the numbers of its format.
INT, STRING, INTS = 2, 3, 7
FIELDS = {1: "f", INT: "i", STRING: "s", 6: "floats", INTS: "ints"}


def call_of(obj: Any) -> Call | None:
    """A node as a call of its operator; axes that are an input are an `Expression`: their values are elsewhere."""
    if type(obj).__name__ != "NodeProto":
        return None
    arguments = {attribute.name: _value(attribute) for attribute in obj.attribute}
    if obj.op_type in REDUCTIONS and len(obj.input) > 1 and obj.input[1]:
        arguments["axes"] = Expression(obj.input[1])
    if obj.op_type == "MaxPool" and any(obj.output[1:]):
        arguments["outputs"] = 2
    if obj.op_type == "MaxUnpool" and any(obj.input[2:]):
        arguments["output_shape"] = Expression(obj.input[2])
    domain = "onnx" if obj.domain in ("", "ai.onnx") else f"onnx.{obj.domain}"
    return Call(f"{domain}.{obj.op_type}", (), tuple(arguments.items()))


def _value(attribute: Any) -> Any:
    field = FIELDS.get(attribute.type)
    if field is None:
        return Expression(f"{attribute.name} of type {attribute.type}")
    value = getattr(attribute, field)
    if attribute.type == STRING:
        return value.decode("utf-8", "replace")
    return value if attribute.type in (1, INT) else list(value)


DIALECT = Dialect(name="onnx", roots=("onnx",), words=WORDS, layouts=LAYOUTS, call_of=call_of)
