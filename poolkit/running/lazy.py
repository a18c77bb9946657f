"""Names of a package that are loaded when they are asked for, so that its other modules need no framework."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from typing import Any


def lazily(package: str, names: Collection[str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` for an adapter: ADAPTER is in its module adapter, every other name in layers.

    >>> lazily("poolkit_numpy", ["Pool"])("Pool").__name__
    'Pool'
    """

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{'adapter' if name == 'ADAPTER' else 'layers'}"), name)

    return load
