"""Calls whose arguments do not fit: answered with what to write, not with a bare TypeError."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from poolkit.spec.foreign import constructor_error

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


class Signature:
    """The parameters of a function, without a method's first."""

    def __init__(self, function: Callable[..., Any], skipped: int = 0) -> None:
        parameters = list(inspect.signature(function).parameters.values())[skipped:]
        plain = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
        self.names = tuple([p.name for p in plain])
        self.first = tuple([p.name for p in plain if p.kind is p.POSITIONAL_OR_KEYWORD])
        self.required = tuple([p.name for p in plain if p.default is p.empty])
        self.open = len(plain) < len(parameters)  # other names are taken as well

    def check(self, title: str, positional: tuple[object, ...], named: Mapping[str, object]) -> None:
        """`SpecError` where a call is not one of this signature."""
        given = [*self.first[: len(positional)], *named]
        fits = len(positional) <= len(self.first) and len(set(given)) == len(given)
        known = self.open or all(name in self.names for name in given)
        if not (fits and known and all(name in given for name in self.required)):
            others = tuple(named) if self.open else ()
            raise constructor_error(title, positional, named, (*self.names, *others), self.first, self.required)


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """A function that answers a missing or an unknown argument with a SpecError."""
    signature, title = Signature(function), function.__name__

    @functools.wraps(function)
    def checked(*args: P.args, **named: P.kwargs) -> R:
        signature.check(title, args, named)
        return function(*args, **named)

    return checked


def explained_class(cls: C) -> C:
    """A class whose constructor does the same."""
    init: Callable[..., None] = vars(cls)["__init__"]
    signature = Signature(init, 1)

    @functools.wraps(init)
    def checked(self: object, *args: object, **named: object) -> None:
        signature.check(type(self).__name__, args, named)
        init(self, *args, **named)

    setattr(checked, "__signature__", inspect.signature(init))  # noqa: B010  # Keras looks for one without unwrapping
    setattr(cls, "__init__", checked)  # noqa: B010  # to a type checker a method is not assigned to
    return cls
