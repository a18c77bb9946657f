"""What poolkit has to know about JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import jax
import numpy as np
from poolkit_jax.ops import Ops
from poolkit_jax.routes import ROUTES

from poolkit.adapter import Site
from poolkit.dispatch import pool
from poolkit.errors import InputError


class JaxAdapter:
    """JAX: programs are jitted; under `jit`, `vmap` and `grad` shapes are known, under `jax.export` they may be expressions."""

    name = "jax"
    ops = Ops
    routes = ROUTES

    def check(self, x: Any) -> None:
        if not isinstance(x, jax.Array):
            raise InputError(
                f"received a jax {type(x).__name__}, and pooling takes a dense jax.Array; convert it with jax.numpy.asarray(x)"
                " (a sparse array: x.todense())"
            )

    def dtype(self, x: Any) -> str:
        return str(x.dtype)

    def rank(self, x: Any, letters: int) -> tuple[Any, int]:
        return x, x.ndim

    def known_size(self, x: Any, at: int) -> int | None:
        n = x.shape[at]
        return n if isinstance(n, int) else None

    def site(self, x: Any) -> Site:
        known = all(isinstance(n, int) for n in x.shape)
        return Site(tracing=True, empty=known and x.size == 0)

    def key(self, x: Any, spec: Any) -> Hashable:
        if not isinstance(x, jax.Array):
            return None  # a sparse array; `check` says so
        for n in x.shape:
            if not isinstance(n, int):
                return None
        return spec, x.shape, x.dtype, jax.config.jax_enable_x64

    def widen(self, dtype: str) -> str | None:
        return "uint8" if dtype == "bool" else dtype

    def evaluate(self, spec: Any, array: Any) -> Any:
        result = pool(jax.numpy.asarray(array), spec)
        return tuple(np.asarray(t) for t in result) if isinstance(result, tuple) else np.asarray(result)

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(function, inline=True)


ADAPTER = JaxAdapter()
