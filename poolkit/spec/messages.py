"""The words of an error: what was received, the rule that it breaks, what to do."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from typing import Any, cast

from poolkit.errors import SpecError


def wrong(received: str, rule: str, do: str) -> SpecError:
    return SpecError(f"received {received}, and {rule}; {do}")


def quoted(text: object) -> str:
    return f'"{text}"'


def shown(value: object) -> str:
    """A value as it would be written in a call; shortened where it is long, and never with an error of its own.

    >>> shown((2, "same")), shown("same"), len(shown("same" * 1000)) < 250
    ("(2, 'same')", '"same"', True)
    """
    if not isinstance(value, str):
        return _SHORT.repr(value)
    plain = str.__str__(value)  # a subclass may say anything
    return quoted(_cut(plain if plain.isprintable() else repr(plain)[1:-1]))


LONGEST = 200  # characters of a value within a message
MOST_NUMBERS = 32  # of an array that is printed


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"


class _Short(reprlib.Repr):
    """`repr` within bounds: of entries, of depth, of digits; an object whose own one raises is named by its type."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 16
        self.maxstring = self.maxother = LONGEST

    def repr(self, x: object) -> str:
        try:
            return _cut(super().repr(x))
        except Exception:  # somebody else's class may raise anything
            return type_of(x)

    def repr_int(self, x: int, level: int) -> str:
        digits = int(x.bit_length() * math.log10(2)) + 1
        return f"an int of about {digits} digits" if digits > LONGEST else repr(x)

    def repr_instance(self, x: object, level: int) -> str:
        shape = None if isinstance(x, type) else getattr(x, "shape", None)
        sizes: tuple[Any, ...] = tuple(cast("Iterable[object]", shape)) if isinstance(shape, Iterable) else ()
        if math.prod([n or 1 for n in sizes]) > MOST_NUMBERS:
            return f"{type_of(x)} of shape {sizes}"
        return _cut(" ".join(repr(x).split()))


def type_of(x: object) -> str:
    """What sort of object it is, in a sentence: a torch.Tensor, None, a list."""
    if x is None:
        return "None"
    return f"a {_cut(f'{type(x).__module__}.{type(x).__qualname__}')}".replace("a builtins.", "a ")


_SHORT = _Short()
