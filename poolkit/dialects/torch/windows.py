"""How torch writes windows: one number for all axes, or one for each, and flags that may be numbers."""

from __future__ import annotations

from typing import Any

from poolkit.errors import NotExactError
from poolkit.spec.values import is_many


def each(n: int, value: Any) -> Any:
    """A size, which torch takes in a tuple of one for all axes too."""
    return value[0] if n > 1 and is_many(value) and len(value) == 1 else value


def stride_of(n: int, stride: Any) -> Any:
    """An empty list is torch's own way to say that none is given."""
    return None if is_many(stride) and not stride else each(n, stride)


def padding_of(n: int, padding: Any) -> Any:
    if isinstance(padding, str):
        raise NotExactError(f'padding="{padding}" is for convolutions, and torch.nn\'s pools take integers; give one')
    return each(n, padding)


def flag(value: Any) -> Any:
    """A flag that may be given as 0 or 1."""
    return bool(value) if isinstance(value, int) else value
