"""What poolkit has to know about arrays of the array API standard; an adapter for each namespace, made when met."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Hashable
from typing import Any

from poolkit.lowering.backend import Adapter, Situation, ThirdParty
from poolkit.running.layers import Pooling
from poolkit_array_api.ops import Ops

DEFAULT = "array_api_strict"  # the namespace where the backend is asked for by name


class ArrayAdapter(ThirdParty):
    """Arrays of one namespace: sizes are known, and no derivative is taken."""

    framework = DEFAULT
    takes = "an array of the array API standard here, which has __array_namespace__; convert it first"
    layers = Pooling

    def __init__(self, module: str, devices: bool = True) -> None:
        self.module, self.devices = module, devices  # whether its arrays say on which they are
        self.name = "array_api" if module == DEFAULT else f"array_api:{module}"

    def ops(self, rank: int, dtype: str) -> Ops:
        return _ops(self.module, self.devices)(rank, dtype)

    def serves(self, x: Any) -> Adapter | None:
        if hasattr(type(x), "__array_namespace__"):
            return of(x.__array_namespace__().__name__)
        with contextlib.suppress(ImportError, TypeError):  # which names the functions for Dask's arrays, that do not
            xp = importlib.import_module("array_api_compat").array_namespace(x)
            return of(xp.__name__, hasattr(x, "device"))
        return None

    def dtype(self, x: Any) -> str:
        return str(x.dtype).rpartition(".")[2]

    def situation(self, x: Any) -> Situation:
        return Situation(derivative=False, empty=0 in x.shape, device=str(getattr(x, "device", "")))

    def key(self, x: Any, spec: Any) -> Hashable:
        return spec, x.shape, str(x.dtype), str(getattr(x, "device", "")), self.module

    def from_numpy(self, array: Any) -> Any:
        return importlib.import_module(self.module).asarray(array, copy=True)

    def to_numpy(self, t: Any) -> Any:
        return importlib.import_module("numpy").asarray(t)


@functools.cache
def _ops(module: str, devices: bool) -> type[Ops]:
    """The primitives of one namespace, which is imported for its first array."""
    xp = importlib.import_module(module)
    names = {"xp": xp, "imports": {"xp": f"import {module} as xp"}, "devices": devices}
    return type("Ops", (Ops,), names)


of = functools.cache(ArrayAdapter)
ADAPTER = of(DEFAULT)
