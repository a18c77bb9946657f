"""Functions of TensorFlow in a model of Keras 2: by their names, or as nodes of a graph, before TensorFlow 2.4."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from poolkit.dialects.calls import Call, Expression, listed
from poolkit.errors import InputError
from poolkit.port.models.archive import is_list, is_object, parse
from poolkit.port.models.keras_graph import Config, calls_of, config_of

TENSOR = (Expression("x"),)
UNREAD = (
    "it holds a node of a TensorFlow graph that is not read here, and may pool; save the model as ONNX, and port that"
)

# What nodes are called, and the functions that make them.
REDUCTIONS = {"Mean": "reduce_mean", "Max": "reduce_max", "Min": "reduce_min", "Sum": "reduce_sum"}
POOLS = {"MaxPool": "max_pool2d", "AvgPool": "avg_pool2d", "MaxPool3D": "max_pool3d", "AvgPool3D": "avg_pool3d"}


def by_name(layer: Config) -> Call:
    """A ``TFOpLambda``, whose function has a name and its arguments stand where it is called."""
    arguments = next(calls_of(layer)).named
    named = tuple((key, listed(value)) for key, value in arguments.items() if key != "name")
    return Call(f"tensorflow.{config_of(layer).get('function')}", TENSOR, named)


def node(layer: Config) -> tuple[Call | None, str]:
    """A ``TensorFlowOpLayer`` as a call, None where it does not pool, and why it cannot be read."""
    text = config_of(layer).get("node_def")
    try:
        made = parse(text.encode(), "a node") if isinstance(text, str) else None
    except InputError:
        made = None  # a serialized message, as TensorFlow 2.0 has it
    if made is None or not isinstance(made.get("op"), str):
        return None, UNREAD
    kind, given = made["op"], made.get("attr")
    attributes: Mapping[str, Any] = given if is_object(given) else {}
    values = {name: _value(one) for name, one in attributes.items() if is_object(one)}
    if kind in REDUCTIONS:
        constants = config_of(layer).get("constants")
        axes = constants.get("1") if is_object(constants) else None
        keep = bool(values.get("keep_dims"))
        return Call(f"tensorflow.{REDUCTIONS[kind]}", TENSOR, (("axis", listed(axes)), ("keepdims", keep))), ""
    if kind in POOLS:
        named = tuple((name, values[name]) for name in ("ksize", "strides", "padding", "data_format") if name in values)
        return Call(f"tensorflow.nn.{POOLS[kind]}", TENSOR, named), ""
    return None, UNREAD if "pool" in kind.lower() else ""


def _value(attribute: Mapping[str, Any]) -> Any:
    """An attribute as JSON writes those of a graph: whole numbers as texts, texts in base 64."""
    several = attribute.get("list")
    if is_object(several) and is_list(several.get("i")):
        return tuple(int(n) if str(n).lstrip("-").isdecimal() else n for n in several["i"])
    text = attribute.get("s")
    if isinstance(text, str):
        try:
            return base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return text
    return attribute.get("b")
