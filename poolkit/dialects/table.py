"""The dialects that poolkit knows: one of each backend of the table, and those of ONNX and einops."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from poolkit.dialects.dialect import Dialect
from poolkit.dialects.usage import Usage
from poolkit.errors import BackendError
from poolkit.running.registry import FIRST_PARTY
from poolkit.spec.messages import shown

T = TypeVar("T")

# The modules that hold a framework's words, as DIALECT; none of them imports its framework.
FORMATS = ("poolkit.dialects.onnx", "poolkit.dialects.einops")  # of models, and of patterns
MODULES = (*(f"poolkit.dialects.{backend.name}.read" for backend in FIRST_PARTY), *FORMATS)


@functools.cache
def dialects() -> tuple[Dialect, ...]:
    """The words of every framework that poolkit reads."""
    return tuple([importlib.import_module(name).DIALECT for name in MODULES])


def every(fact: Callable[[Usage], Iterable[T]]) -> tuple[T, ...]:
    """What all frameworks together say of something.

    >>> every(lambda usage: usage.holders)
    ('torch.nn.Sequential', 'jax.vmap')
    """
    return tuple(one for known in dialects() for one in fact(known.usage))


def usage_of(name: str) -> Usage:
    """What is said of a framework; nothing of poolkit's own, which files may use as well."""
    return next((known.usage for known in dialects() if known.name == name), Usage())


def has_word(name: str) -> bool:
    """Whether a dotted name is a word of one of them."""
    root = name.partition(".")[0]
    return any(root in known.roots and known.canonical(name) in known.words for known in dialects())


def dialect(name: object) -> Dialect:
    """The words of a backend; `BackendError` for a name that is none."""
    for known in dialects() if isinstance(name, str) else ():
        if known.name == name:
            return known
    raise BackendError(
        f"received the backend {shown(name)}, and those whose words poolkit knows are "
        f"{', '.join(d.name for d in dialects())}; use one of them"
    )
