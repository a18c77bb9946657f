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


Check = Callable[[str, tuple[object, ...], Mapping[str, object]], None]


def checks(function: Callable[..., Any], skipped: int = 0) -> Check:
    """What raises `SpecError` where a call is not one of a function's; a method's first parameter is skipped.

    A function, since Dynamo can follow no object of ours that stands in the closure of a constructor.
    """
    parameters = list(inspect.signature(function).parameters.values())[skipped:]
    plain = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    names = tuple([p.name for p in plain])
    first = tuple([p.name for p in plain if p.kind is p.POSITIONAL_OR_KEYWORD])
    required = tuple([p.name for p in plain if p.default is p.empty])
    takes_others = len(plain) < len(parameters)
    # For each number of arguments by position the names that may follow, and those that must.
    rest = [frozenset(names) - frozenset(first[:n]) for n in range(len(first) + 1)]
    must = [frozenset(required) - frozenset(first[:n]) for n in range(len(first) + 1)]

    def check(title: str, positional: tuple[object, ...], named: Mapping[str, object]) -> None:
        n, given = len(positional), frozenset(named)
        fits = n <= len(first) and must[n] <= given
        if not (fits and (given <= rest[n] or (takes_others and given.isdisjoint(first[:n])))):
            others = tuple(named) if takes_others else ()
            raise constructor_error(title, positional, named, (*names, *others), first, required) from None

    return check


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """A function that answers a missing or an unknown argument with a SpecError."""
    check, title = checks(function), function.__name__

    @functools.wraps(function)
    def checked(*args: P.args, **named: P.kwargs) -> R:
        try:
            return function(*args, **named)
        except TypeError:  # looked at only now: to look before each call takes as long as two calls of a framework
            check(title, args, named)
            raise

    # AutoGraph rewrites what a tf.function calls, unless it carries this mark; nothing here needs rewriting.
    setattr(checked, "autograph_info__", {})  # noqa: B010  # a function has no such attribute to a type checker
    return checked


def explained_class(cls: C) -> C:
    """A class whose constructor does the same."""
    init: Callable[..., None] = vars(cls)["__init__"]
    check = checks(init, 1)

    @functools.wraps(init)
    def checked(self: object, *args: object, **named: object) -> None:
        try:
            init(self, *args, **named)
        except TypeError:
            check(type(self).__name__, args, named)
            raise

    setattr(checked, "__signature__", inspect.signature(init))  # noqa: B010  # Keras looks for one without unwrapping
    setattr(cls, "__init__", checked)  # noqa: B010  # to a type checker a method is not assigned to
    return cls
