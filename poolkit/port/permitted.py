"""What `--check` may run of a file: words that pool, given literals, and the few calls that hold such words.

A file is somebody else's. Calling any function of a framework by the name that a file gives is running the file, and so
is importing a module by that name: `numpy.f2py.__main__` ends the process when it is imported.
"""

from __future__ import annotations

import re
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, Name, text
from poolkit.dialects.reading import PARTIAL, spoken_in
from poolkit.errors import NotExactError
from poolkit.spec.values import is_many

# By their names in a dialect's table: what takes calls that pool and nothing else that is called.
HOLDERS = ("torch.nn.Sequential", "jax.vmap")
BESIDE = ("torch.nn.Flatten",)  # what may stand in a holder without pooling

FOLDS = tuple(
    f"jax.{name}" for name in ["lax.max", "lax.min", "lax.add", "numpy.maximum", "numpy.minimum", "numpy.add"]
)
INFINITY = re.compile(r"(-?)(?:np|numpy|jnp|jax\.numpy|math)\.inf")

# Public modules besides those of the words themselves, which hold the same functions or older ones.
OTHERS = {
    "equinox",
    "flax.nnx",
    "tensorflow.compat.v1",
    "tensorflow.compat.v1.math",
    "tensorflow.keras.layers",
    "tensorflow.math",
    "tf_keras.layers",
}


def permitted(call: Call) -> Call:
    """The call as it is run, under public names and with plain values; `NotExactError` where it is not to be run.

    >>> str(permitted(Call("torch.nn.modules.pooling.MaxPool2d", (2,))))
    'torch.nn.MaxPool2d(2)'
    """
    if call.name == PARTIAL and call.args and isinstance(call.args[0], Name):
        function = Name(_public(Call(call.args[0].dotted)))
        return Call(PARTIAL, (function, *_literals(call, call.args[1:])), _named(call))
    if call.name in BESIDE:
        return Call(call.name, _literals(call, call.args), _named(call))
    name = _public(call)
    if spoken_in(call)[1] not in HOLDERS:
        return Call(name, _literals(call, call.args), _named(call))
    inner = [permitted(one) if isinstance(one, Call) else _literal(call, one) for one in call.args]
    return Call(name, tuple(inner), _named(call))


def _public(call: Call) -> str:
    """The name under which a word that pools is imported: as it is written, if that module is one of pooling words."""
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    if word is None or not word.pools:
        raise NotExactError(f"{text(call)} is no pooling that poolkit knows, so it is not run")
    if word.gone:
        raise NotExactError(f"{dialect.name} has {call.name} no more, so that the original is not run")
    written = call.name.rpartition(".")[0]
    return call.name if written in OTHERS or written in _modules() else name


def _modules() -> set[str]:
    words = (word for dialect in table.dialects() for word in dialect.words.values() if word.pools)
    return {word.name.rpartition(".")[0] for word in words}


def _named(call: Call) -> tuple[tuple[str, Any], ...]:
    return tuple((name, _literal(call, value)) for name, value in call.kwargs)


def _literals(call: Call, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_literal(call, value) for value in values)


def _literal(call: Call, value: Any) -> Any:
    """A plain value, the infinity with which a fold begins, or the fold's own function; no other name and no call."""
    if is_many(value):
        inner = _literals(call, tuple(value))
        return inner if isinstance(value, tuple) else list(inner)
    if value is None or type(value) in (bool, int, float, complex, str):
        return value
    if isinstance(value, Expression | Name):
        infinity = INFINITY.fullmatch(text(value))
        if infinity is not None:
            return float(f"{infinity[1]}inf")
        if text(value) in FOLDS:
            return value
    raise NotExactError(f"{call} is not run, because it has an argument whose value is not known: {text(value)}")
