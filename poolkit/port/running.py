"""A call, the original or its port, run on a NumPy array: its framework is imported then, and no other."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from poolkit.dialects.calls import Call, Name, found, made
from poolkit.dialects.reading import PARTIAL, read_call, spelled, spoken_in
from poolkit.dialects.sources import METHODS
from poolkit.port.permitted import permitted
from poolkit.running import registry
from poolkit.spec.mix import Mix
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

Array = Any
Run = Callable[[Array], Array]


def runner(call: Call) -> Run:
    """A function of NumPy arrays that does what a call does; `NotExactError` where that is more than pooling.

    >>> import numpy as np
    >>> runner(Call("numpy.mean", ("x",), (("axis", (1, 2)),)))(np.ones((2, 7, 7, 64))).shape
    (2, 64)
    """
    root = spelled(_name(call)).split(".")[0]
    if root == "onnx":
        return _onnx(call)
    make = permitted(call).make if call.name == PARTIAL else _of_word(call)
    adapter = registry.adapter(TENSORS.get(root) or spoken_in(Call(_name(call)))[0].name)

    def run(array: Array) -> Array:
        result = make()(adapter.from_numpy(array))
        return adapter.to_numpy(result[0] if isinstance(result, tuple | list) else result)

    return run


def _name(call: Call) -> str:
    """The name of what pools."""
    if call.name == PARTIAL and call.args and isinstance(call.args[0], Name):
        return call.args[0].dotted
    return spoken_in(call)[1] if call.name.startswith(f"{METHODS}.") else call.name


def _of_word(call: Call) -> Callable[[], Callable[[Any], Any]]:
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    return permitted(call).make if word is None or word.tensor is None else _function(call, word.tensor)


def _function(call: Call, tensor: str) -> Callable[[], Callable[[Any], Any]]:
    """A function whose tensor is one of its arguments."""
    named = tuple((name, value) for name, value in call.kwargs if name != tensor)
    args = call.args if len(named) < len(call.kwargs) else call.args[1:]
    rest = permitted(Call(_name(call), args, named))

    def make() -> Callable[[Any], Any]:
        function, values = found(rest.name), [made(value) for value in rest.args]
        options = {name: made(value) for name, value in rest.kwargs}
        return lambda x: function(x, *values, **options)

    return make


# Whose tensors a word takes that is not of a backend itself: the root of its module -> a backend.
TENSORS = {"tf_keras": "tensorflow", "einops": "numpy"}


def _onnx(call: Call) -> Run:
    """A node, by ONNX Runtime where it is installed, otherwise by the definition.

    ONNX's own reference evaluator gives other numbers for a maximum with uneven pads, and for SAME_LOWER.
    """
    arguments = {key: list(value) if is_many(value) else value for key, value in permitted(call).kwargs}
    if importlib.util.find_spec("onnxruntime") is None:
        return functools.partial(_defined, read_call(call))
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


def _defined(spec: PoolSpec | Mix, array: Array) -> Array:
    """What a spec gives by its definition, in NumPy."""
    result: Any = registry.adapter("numpy").evaluate(spec, array)
    return result[0] if is_many(result) else result


OPSETS = {"ReduceSum": 11, "AveragePool": 19, "MaxPool": 19}
