"""Names of a package that are loaded when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazily(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's ``__getattr__``; `modules` says in which of its modules each name is.

    >>> lazily("poolkit_numpy", {"Pool": "layers"})("Pool").__name__
    'Pool'
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{package}.{modules[name]}"), name)
        vars(importlib.import_module(package))[name] = found  # for what is there is not asked for again
        return found

    return load
