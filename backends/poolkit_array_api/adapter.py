"""What poolkit has to know about arrays of the array API standard; an adapter for each namespace, made when met."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Hashable
from typing import Any

from poolkit.errors import InputError
from poolkit.lowering.backend import Route, Situation
from poolkit.running.dispatch import pool, pool_through
from poolkit.spec.arguments import as_route, no_options
from poolkit.spec.operation import as_spec
from poolkit_array_api.ops import Ops

DEFAULT = "array_api_strict"  # the namespace where the backend is asked for by name


class ArrayAdapter:
    """Arrays of one namespace: sizes are known, and no derivative is taken."""

    routes: tuple[Route, ...] = ()
    framework = DEFAULT
    executables: int | None = None

    def __init__(self, module: str) -> None:
        self.module = module
        self.name = "array_api" if module == DEFAULT else f"array_api:{module}"

    @functools.cached_property
    def ops(self) -> type[Ops]:
        imports = {"xp": f"import {self.module} as xp"}
        return type("Ops", (Ops,), {"xp": importlib.import_module(self.module), "imports": imports})

    def serves(self, x: Any) -> ArrayAdapter | None:
        return of(x.__array_namespace__().__name__) if hasattr(type(x), "__array_namespace__") else None

    def check(self, x: Any) -> None:
        if not hasattr(x, "__array_namespace__"):
            raise InputError(
                f"received {type(x).__name__}, and this backend takes arrays of the array API standard, "
                "which have __array_namespace__; convert it first"
            )

    def dtype(self, x: Any) -> str:
        return str(x.dtype).rpartition(".")[2]

    def rank(self, x: Any, letters: int) -> tuple[Any, int]:
        return x, x.ndim

    def known_size(self, x: Any, at: int) -> int | None:
        return int(x.shape[at])

    def situation(self, x: Any) -> Situation:
        return Situation(derivative=False, empty=0 in x.shape, device=str(x.device))

    def key(self, x: Any, spec: Any) -> Hashable:
        return spec, x.shape, str(x.dtype), str(x.device), self.module

    def widen(self, dtype: str) -> str | None:
        return "uint8" if dtype == "bool" else dtype

    def evaluate(self, spec: Any, array: Any) -> Any:
        import numpy as np

        found = pool(importlib.import_module(self.module).asarray(array), spec)
        return tuple(map(np.asarray, found)) if isinstance(found, tuple) else np.asarray(found)

    def layer(self, spec: Any, *, route: str | None = None, **options: Any) -> Callable[[Any], Any]:
        no_options(options, "a layer of the array API takes no options besides its spec and route")
        made = as_spec(spec, "a layer takes (spec, route)")
        return functools.partial(pool_through, spec=made, route=as_route(route))

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function


of = functools.cache(ArrayAdapter)
ADAPTER = of(DEFAULT)
