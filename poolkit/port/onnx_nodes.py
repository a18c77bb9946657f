"""A node of an ONNX model, run on a NumPy array."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.reading import read_call
from poolkit.port.permitted import permitted
from poolkit.running import registry
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many

Array = Any
Run = Callable[[Array], Array]

OPSETS = {"ReduceSum": 11, "AveragePool": 19, "MaxPool": 19, "LpPool": 18}


def runner(call: Call) -> Run:
    """A node, by ONNX Runtime where it is installed, otherwise by the definition.

    ONNX's own reference evaluator gives other numbers for a maximum with uneven pads, and for SAME_LOWER.
    """
    arguments = {key: list(value) if is_many(value) else value for key, value in permitted(call).kwargs}
    if importlib.util.find_spec("onnxruntime") is None:
        return functools.partial(evaluated, registry.DEFINITION, read_call(call))
    operator = call.name.rsplit(".", 1)[1]

    def run(array: Array) -> Array:
        helper = importlib.import_module("onnx.helper")
        runtime: Any = importlib.import_module("onnxruntime")
        x = helper.make_tensor_value_info("x", 1, array.shape)
        y = helper.make_tensor_value_info("y", 1, None)
        node = helper.make_node(operator, ["x"], ["y"], **arguments)
        graph = helper.make_graph([node], "checked", [x], [y])
        # The last version in which the axes of all reductions are attributes.
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSETS.get(operator, 17))])
        model.ir_version = 8  # of the oldest runtime that knows these operators
        session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {"x": array})[0]

    return run


def evaluated(backend: str, spec: Operation, array: Array) -> Array:
    """The values that a spec gives on a backend, without their indices."""
    result: Any = registry.adapter(backend).evaluate(spec, array)
    return result[0] if is_many(result) else result
