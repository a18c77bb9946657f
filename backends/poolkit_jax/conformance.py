"""How the conformance suite works with JAX's arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.export
import numpy as np
from poolkit_conformance.case import Case
from poolkit_conformance.harness import Array, Function, Harness, Which

Tensor = jax.Array

WIDE = ("float64", "int64")


class JaxHarness(Harness):
    """Every eager call compiles a program, so JAX is slow here: most modes are for few cases."""

    backend = "jax"
    same_bits = False  # XLA merges what the recorded program's `jit` lets it see at once
    modes: ClassVar[Mapping[str, Which]] = {
        "eager": "every",
        "gradient": "every",
        "direct": "few",
        "routes": "few",
        "route_gradients": "few",
        "standalone": (
            "max_k3_s2_same",
            "avg_k3_s2_same",
            "avg_global",
            "max_adaptive_5x7_to_3",
            "softmax_of_1_to_4",
            "max_int32_k3_s2_same",
        ),
        "standalone_any_size": ("max_k3_s2_same", "avg_global", "avg_adaptive_5x7_to_3", "softmax_global"),
        "second_gradient": "few",
        "forward": "few",
        "vmap": "few",
        "compiled:jit": "few",
        "compiled_gradient:jit": "few",
        "dynamic": "few",
    }

    def context(self, case: Case) -> contextlib.AbstractContextManager[Any]:
        # Eight-byte types exist only while x64 is on; without it JAX makes four-byte ones of them.
        wide: contextlib.AbstractContextManager[Any] = jax.enable_x64(case.dtype in WIDE)
        return wide

    def index_dtype(self, case: Case) -> str:
        return "int64" if case.dtype in WIDE else "int32"

    def from_numpy(self, x: Array) -> Tensor:
        return jax.numpy.asarray(x)

    def to_numpy(self, t: Tensor) -> Array:
        return np.asarray(t)

    def owns(self, t: Any) -> bool:
        return isinstance(t, jax.Array)

    def compiled(self, function: Function, how: str) -> Function:
        return jax.jit(function)

    def dynamic(self, function: Function, x: Tensor) -> Function:
        names = ", ".join(f"n{at}" for at in range(x.ndim))
        # Without a lower bound JAX can't decide whether the windows of a spec fit.
        sizes = jax.export.symbolic_shape(names, constraints=[f"n{at} >= {SMALLEST}" for at in range(x.ndim)])
        traced = jax.export.export(jax.jit(function))(jax.ShapeDtypeStruct(sizes, x.dtype))
        return traced.call

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor) -> Tensor:
        (found,) = jax.vjp(function, x)[1](cotangent)
        return found

    def jvp(self, function: Function, x: Tensor, tangent: Tensor) -> Tensor:
        found: Tensor = jax.jvp(function, (x,), (tangent,))[1]
        return found

    def second(self, function: Function, x: Tensor, cotangent: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        by_x, by_g = jax.vjp(lambda x, g: self.vjp(function, x, g), x, cotangent)[1](tangent)
        return by_x, by_g

    def vmap(self, function: Function) -> Function:
        return jax.vmap(function)


HARNESS = JaxHarness()
