"""A call of a framework as data: what a line of source says, what `native` answers with, what `port` writes.

Reading and writing go through these, so that neither needs the framework whose words they are.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from poolkit.errors import BackendError
from poolkit.running.keras_engine import not_installed
from poolkit.spec.values import is_many


@dataclass(frozen=True)
class Expression:
    """Source text whose value is not known, such as ``(size, size)``."""

    text: str

    def __repr__(self) -> str:
        return self.text  # messages show the values of a call as they are written


STARS = "**"  # the name of the arguments that come by an expression with two stars


@dataclass(frozen=True)
class Name:
    """Something of a framework that is no call, such as ``jax.lax.max``."""

    dotted: str

    def __repr__(self) -> str:
        return self.dotted


@dataclass(frozen=True)
class Call:
    """A call by its full dotted name; arguments are plain values, `Name`s, `Expression`s, and calls.

    >>> call = Call("torch.nn.AvgPool2d", (3,), (("stride", 1),))
    >>> call.source()
    'torch.nn.AvgPool2d(3, stride=1)'
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def source(self, short: Callable[[str], str] = str) -> str:
        """Python source; `short` gives the text for a dotted name, where a file has imported it under another one."""
        given = [text(value, short) for value in self.args]
        given += [f"{name}{'' if name == STARS else '='}{text(value, short)}" for name, value in self.kwargs]
        return f"{short(self.name)}({', '.join(given)})"

    def make(self) -> Any:
        """What the call returns. `BackendError` where its framework is not installed."""
        return found(self.name)(*map(made, self.args), **{name: made(value) for name, value in self.kwargs})

    def __str__(self) -> str:
        return self.source()

    __repr__ = __str__


def call(name: str, *args: Any, **kwargs: Any) -> Call:
    """A call as it is written.

    >>> str(call("torch.nn.MaxPool2d", 3, 2, padding=1))
    'torch.nn.MaxPool2d(3, 2, padding=1)'
    """
    return Call(name, args, tuple(kwargs.items()))


def text(value: Any, short: Callable[[str], str] = str) -> str:
    """A value as Python source."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Name):
        return short(value.dotted)
    if isinstance(value, Call):
        return value.source(short)
    if is_many(value):
        inner = ", ".join(text(v, short) for v in value)
        opened, closed = ("(", ")") if isinstance(value, tuple) else ("[", "]")
        return f"{opened}{inner}{',' if isinstance(value, tuple) and len(value) == 1 else ''}{closed}"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)


def made(value: Any) -> Any:
    """A value of a call, with what its names and calls stand for."""
    if isinstance(value, Name):
        return found(value.dotted)
    if isinstance(value, Call):
        return value.make()
    if is_many(value):
        inner = map(made, value)
        return tuple(inner) if isinstance(value, tuple) else list(inner)
    if isinstance(value, Expression):
        raise TypeError(f"the value of {value.text} is not known")
    return value


def found(dotted: str) -> Any:
    """What a dotted name stands for; its module is imported.

    >>> found("math.pi")
    3.141592653589793
    """
    parts = dotted.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            here = importlib.import_module(".".join(parts[:length]))
        except (ModuleNotFoundError, ValueError) as error:
            if isinstance(error, ValueError) and not not_installed(parts[0], error):
                raise
            if length == 1:
                raise BackendError(
                    not_installed(parts[0], error)
                    or f"{dotted} needs {parts[0]}, which is not installed here ({error}); run: pip install {parts[0]}"
                ) from error
            continue
        for part in parts[length:]:
            here = getattr(here, part)
        return here
    raise BackendError(
        f"received {dotted}, and a name begins with a module; write it in full, as in torch.nn.AvgPool2d"
    )


def listed(value: Any) -> Any:
    """The value with a tuple in place of a list, as JSON and files of models hold them.

    >>> listed([3, 3])
    (3, 3)
    """
    return tuple(value) if isinstance(value, list) else value


def starred(value: Any) -> bool:
    """Whether a value stands for any number of them, as ``*sizes`` does."""
    return isinstance(value, Expression) and value.text.startswith("*")


def known(*values: Any) -> bool:
    """Whether there is no `Expression` among these values, nor inside them."""
    return all(known(*value) if is_many(value) else not isinstance(value, Expression) for value in values)
