"""The errors of poolkit. A message says what was received, the rule that it breaks, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


LONGEST = 2000  # characters of a message; what is received may be of any length


def shortened(text: str) -> str:
    """A message within the bound: its beginning and its end."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2 - 3]} … {text[-LONGEST // 2 + 3 :]}"


def escaped(text: str) -> str:
    r"""Text of a file as a terminal may show it: a character that moves the cursor or the text stands as its escape.

    >>> escaped("pool\x1b]0;title"), escaped("a line\nand another")
    ('pool\\x1b]0;title', 'a line\nand another')
    """
    return "".join([c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text])


class PoolkitError(Exception):
    """The base of every error that poolkit raises.

    >>> import poolkit as pk
    >>> try:
    ...     pk.MaxPool(0, layout="NCHW")
    ... except pk.PoolkitError as error:
    ...     type(error).__name__
    'SpecError'
    """

    if not TYPE_CHECKING:  # to mypy, a class whose __init__ is an assigned name is Any
        # AutoGraph wraps what is raised in a tf.function, and keeps its type only where __init__ is this very one.
        __init__ = Exception.__init__

    def __str__(self) -> str:
        # What is received is quoted as it came: here is the one door through which all of it goes to a terminal.
        return shortened(escaped(shortened(super().__str__())))


class SpecError(PoolkitError, ValueError):
    """A spec that means nothing, whatever the input."""


class ShapeError(PoolkitError, ValueError):
    """A spec that does not fit the sizes of an input."""


class InputError(PoolkitError, TypeError):
    """An input that is no dense tensor of a known framework."""


class DtypeError(PoolkitError, TypeError):
    """An input whose dtype the kind cannot pool."""


class BackendError(PoolkitError, ImportError):
    """A framework that is unknown or not installed."""


class NotExactError(PoolkitError):
    """A layer or a spec for which the other side has no equal.

    `nearest` is the call that comes nearest, if one does, and `reason` says in a clause what is in the way.
    """

    nearest: Any = None
    reason: str = ""
