"""What `--check` may run of a file: words that pool, given literals, and the few calls that hold such words.

A file is somebody else's. Calling any function of a framework by the name that a file gives is running the file, and so
is importing a module by that name: `numpy.f2py.__main__` ends the process when it is imported.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, Name, text
from poolkit.dialects.reading import PARTIAL, spoken_in
from poolkit.errors import NotExactError
from poolkit.spec.values import is_many


@functools.cache
def _infinities() -> set[str]:
    """The infinity of each module of numbers, under the names that programs give it."""
    imports = table.every(lambda usage: usage.imports.items())
    return {"math.inf", *(f"{name}.inf" for prefix, (alias, _) in imports for name in (prefix, alias))}


def permitted(call: Call) -> Call:
    """The call as it is run, under public names and with plain values; `NotExactError` where it is not to be run.

    >>> str(permitted(Call("torch.nn.modules.pooling.MaxPool2d", (2,))))
    'torch.nn.MaxPool2d(2)'
    """
    if call.name == PARTIAL and call.args and isinstance(call.args[0], Name):
        function = Name(_public(Call(call.args[0].dotted, (), call.kwargs)))
        return Call(PARTIAL, (function, *_literals(call, call.args[1:])), _named(call))
    if call.name in table.every(lambda usage: usage.beside):
        return Call(call.name, _literals(call, call.args), _named(call))
    name = _public(call)
    if spoken_in(call)[1] not in table.every(lambda usage: usage.holders):
        return Call(name, _literals(call, call.args), _named(call))
    inner = [permitted(one) if isinstance(one, Call) else _literal(call, one) for one in call.args]
    return Call(name, tuple(inner), _named(call))


def _public(call: Call) -> str:
    """The name under which a word that pools is imported: as it is written, if that module is one of pooling words."""
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    if word is None or not word.pools:
        raise NotExactError(f"{text(call)} is no pooling that poolkit knows, so it is not run")
    gone = word.gone_from(call)
    if gone:
        raise NotExactError(f"{dialect.name} has {gone} no more, so that the original is not run")
    written = call.name.rpartition(".")[0]
    return call.name if written in _modules() else name


@functools.cache
def _modules() -> set[str]:
    """Public modules: those of the words that pool, and others that hold the same functions or older ones."""
    words = (word for dialect in table.dialects() for word in dialect.words.values() if word.pools)
    return {*table.every(lambda usage: usage.public), *(word.name.rpartition(".")[0] for word in words)}


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
        written = text(value)
        if written.removeprefix("-") in _infinities():
            return -math.inf if written.startswith("-") else math.inf
        if written in table.every(lambda usage: usage.functions):
            return value
    raise NotExactError(f"{call} is not run, because it has an argument whose value is not known: {text(value)}")
