"""A call, the original or its port, run on a NumPy array: its framework is imported then, and no other."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

from poolkit.errors import NotExactError
from poolkit.values import is_many
from poolkit.words.calls import Call, Expression, Name, found, known
from poolkit.words.dialect import Word
from poolkit.words.reading import spelled, spoken_in
from poolkit.words.sources import METHODS

Array = Any
Run = Callable[[Array], Array]


def runner(call: Call) -> Run:
    """A function of NumPy arrays that does what a call does; `NotExactError` where an argument is not known.

    >>> import numpy as np
    >>> runner(Call("numpy.mean", ("x",), (("axis", (1, 2)),)))(np.ones((2, 7, 7, 64))).shape
    (2, 64)
    """
    name = _name(call)
    root = spelled(name).split(".")[0]
    if root == "onnx":
        return _onnx(call)
    make = _layer(call) if call.name == "functools.partial" else _of_word(call)
    given, taken = TENSORS.get(root, (_same, _same))

    def run(array: Array) -> Array:
        result = make()(given(array))
        return taken(result[0] if isinstance(result, tuple | list) else result)

    return run


def _name(call: Call) -> str:
    """The name of what pools."""
    if call.name == "functools.partial" and call.args and isinstance(call.args[0], Name):
        return call.args[0].dotted
    return spoken_in(call)[1] if call.name.startswith(f"{METHODS}.") else call.name


def _of_word(call: Call) -> Callable[[], Callable[[Any], Any]]:
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    return _layer(call) if word is None or word.tensor is None else _function(call, _name(call), word)


def _layer(call: Call) -> Callable[[], Callable[[Any], Any]]:
    _check_known(call, call.args, call.kwargs)
    return call.make


def _function(call: Call, name: str, word: Word) -> Callable[[], Callable[[Any], Any]]:
    """A function whose tensor is one of its arguments."""
    named = dict(call.kwargs)
    args = call.args[1:] if word.tensor not in named else call.args
    named.pop(word.tensor or "", None)
    args, named = tuple(map(_infinity, args)), {key: _infinity(value) for key, value in named.items()}
    _check_known(call, args, tuple(named.items()))

    def make() -> Callable[[Any], Any]:
        function = found(name)
        values = Call("builtins.dict", (), tuple(named.items())).make()
        rest = Call("builtins.list", (list(args),)).make()
        return lambda x: function(x, *rest, **values)

    return make


def _infinity(value: Any) -> Any:
    """The number of ``-jnp.inf`` and its kin, where a fold of JAX begins."""
    found = INFINITY.fullmatch(value.text) if isinstance(value, Expression) else None
    return value if found is None else float(f"{found[1]}inf")


INFINITY = re.compile(r"(-?)(?:np|numpy|jnp|jax\.numpy|math)\.inf")


def _check_known(call: Call, args: Any, kwargs: Any) -> None:
    values = [*args, *(value for _, value in kwargs)]
    if not known(*values):
        raise NotExactError(f"{call} has an argument whose value is not known")
    for value in values:
        if isinstance(value, Call):
            _check_known(value, value.args, value.kwargs)


# ---------------------------------------------------------------------------------------------- frameworks' tensors


def _same(x: Any) -> Any:
    return x


def _by(module: str, name: str) -> Callable[[Any], Any]:
    """A function of a framework that is imported when it is called."""
    return lambda x: getattr(importlib.import_module(module), name)(x)


def _of_torch(x: Any) -> Array:
    return x.detach().numpy()


def _of_keras(x: Any) -> Array:
    return importlib.import_module("keras").ops.convert_to_numpy(x)


_array = _by("numpy", "asarray")

# The root of a module -> how its tensors are made of arrays, and arrays of its tensors.
TENSORS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "torch": (_by("torch", "tensor"), _of_torch),
    "timm": (_by("torch", "tensor"), _of_torch),
    "keras": (_same, _of_keras),
    "tf_keras": (_same, _array),
    "tensorflow": (_by("tensorflow", "constant"), _array),
    **dict.fromkeys(("jax", "flax", "haiku", "equinox"), (_by("jax.numpy", "asarray"), _array)),
}


def _onnx(call: Call) -> Run:
    """A node, by ONNX's own reference implementation."""
    _check_known(call, call.args, call.kwargs)
    arguments = dict(call.kwargs)
    operator = call.name.rsplit(".", 1)[1]

    def run(array: Array) -> Array:
        helper = importlib.import_module("onnx.helper")
        evaluator = importlib.import_module("onnx.reference").ReferenceEvaluator
        x = helper.make_tensor_value_info("x", 1, array.shape)
        y = helper.make_tensor_value_info("y", 1, None)
        node = helper.make_node(operator, ["x"], ["y"], **{key: _listed(value) for key, value in arguments.items()})
        graph = helper.make_graph([node], "checked", [x], [y])
        # The last version in which the axes of all reductions are attributes.
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSETS.get(operator, 17))])
        return evaluator(model).run(None, {"x": array})[0]

    return run


OPSETS = {"ReduceSum": 11, "AveragePool": 19, "MaxPool": 19}


def _listed(value: Any) -> Any:
    return list(value) if is_many(value) else value
