"""The names that a ported module gives to frameworks, and its imports."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Name
from poolkit.dialects.own import OWN
from poolkit.errors import InputError
from poolkit.spec.values import is_many


@functools.cache
def usual() -> dict[str, tuple[str, str]]:
    """A dotted name begins with -> what stands for that in the module, and the import that puts it there."""
    return dict(table.every(lambda usage: usage.imports.items())) | {OWN: ("pk", f"import {OWN} as pk")}


STANDARD = ("collections", "functools", "typing")


def names_in(value: Any) -> Iterator[str]:
    """Every dotted name in a call."""
    if isinstance(value, Call):
        yield value.name
        for one in (*value.args, *(one for _, one in value.kwargs)):
            yield from names_in(one)
    elif isinstance(value, Name):
        yield value.dotted
    elif is_many(value):
        for one in value:
            yield from names_in(one)


def _prefix(dotted: str) -> str | None:
    return next((prefix for prefix in usual() if dotted.startswith(f"{prefix}.")), None)


def short(dotted: str) -> str:
    """A dotted name as the module says it.

    >>> short("torch.nn.MaxPool2d"), len(short("keras.layers.MaxPooling2D"))
    ('nn.MaxPool2d', 25)
    """
    prefix = _prefix(dotted)
    return dotted if prefix is None else f"{usual()[prefix][0]}{dotted.removeprefix(prefix)}"


def import_of(dotted: str) -> str:
    """The import that a dotted name needs.

    >>> import_of("torch.nn.MaxPool2d"), len(import_of("keras.layers.Layer"))
    ('from torch import nn', 12)
    """
    prefix = _prefix(dotted)
    return f"import {dotted.split('.')[0]}" if prefix is None else usual()[prefix][1]


def in_order(imports: Iterable[str]) -> str:
    """Imports in the order of isort: the standard library first, then whole modules before names from them."""
    order = sorted(imports, key=lambda line: (line.startswith("from "), line.split()[1]))
    groups = [
        [line for line in order if (line.split()[1].split(".")[0] in STANDARD) is standard]
        for standard in (True, False)
    ]
    return "\n\n".join("\n".join(group) for group in groups if group)


LONGEST_NAME = 1000  # characters; a layer's name has those of all that it stands in before it


def joined(prefix: str, name: str) -> str:
    """The name of what stands inside, as a prefix and its own; `InputError` where it is longer than any that is meant.

    >>> joined("encoder/", "pool")
    'encoder/pool'
    """
    if len(prefix) + len(name) > LONGEST_NAME:
        raise InputError(
            f"received a layer whose name has {len(prefix) + len(name)} characters, {shown(prefix + name)}, and a name "
            f"has {LONGEST_NAME} at the most; rename it, and save the model anew"
        )
    return prefix + name


def shown(name: str) -> str:
    """A name from a file, fit for a terminal and a comment.

    >>> shown("conv1/pool"), len(shown("a" * 500))
    ('conv1/pool', 200)
    """
    plain = name if name.isprintable() else ascii(name)
    return plain if len(plain) <= 200 else f"{plain[:197]}..."


def clean(note: str) -> str:
    """Text without line ends and control characters."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(note.split()))
