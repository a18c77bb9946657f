"""A call, the original or its port, run on a NumPy array: its framework is imported then, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from poolkit.dialects.calls import Call, Name, found, made
from poolkit.dialects.reading import PARTIAL, spelled, spoken_in
from poolkit.dialects.sources import METHODS
from poolkit.port import onnx_nodes
from poolkit.port.permitted import permitted
from poolkit.running import registry

Array = Any
Run = Callable[[Array], Array]


def runner(call: Call) -> Run:
    """A function of NumPy arrays that does what a call does; `NotExactError` where that is more than pooling.

    >>> import numpy as np
    >>> runner(Call("numpy.mean", ("x",), (("axis", (1, 2)),)))(np.ones((2, 7, 7, 64))).shape
    (2, 64)
    """
    dialect, root = spoken_in(Call(_name(call)))[0], spelled(_name(call)).split(".")[0]
    backend = dialect.usage.tensors.get(root, dialect.name)
    if backend not in [row.name for row in registry.FIRST_PARTY]:  # a node of a model
        return onnx_nodes.runner(call)
    make = permitted(call).make if call.name == PARTIAL else _of_word(call)
    adapter = registry.adapter(backend)

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
