"""How the conformance suite works with JAX's arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.export

from poolkit_conformance.case import Case
from poolkit_conformance.harness import HANDFUL, Function, Harness, Share, Tensor, Which, shared, symbols_of

WIDE = ("float64", "int64")
DERIVED = ("*ties*", "*dilated*", "softmax_*", "*empty*", "*float64*")  # what a gradient depends on
LEAST = 6  # without a smallest size JAX can't decide whether the windows of a spec fit


class JaxHarness(Harness):
    """Every eager call compiles a program, so JAX is slow here: most modes are for few cases."""

    backend = "jax"
    same_bits = False  # XLA merges what the recorded program's `jit` lets it see at once
    modes: ClassVar[Mapping[str, Which]] = {
        "eager": "every",
        "gradient": (*HANDFUL, Share(0, 2)),
        "routes": ("few", "max_values_k3_s2_*"),
        **shared("forward", "vmap", "compiled:jit", "dynamic"),
        **dict.fromkeys(("direct", "layer", "routes_inside:jit", "route_gradients", "second_gradient"), HANDFUL),
        "compiled_gradient:jit": (
            *HANDFUL,
            Share(1, 2),
            "*64x64*",
            "*31x31*",
            *[Share(0, 3, name) for name in DERIVED],
        ),
        "standalone": HANDFUL[::2],
        "standalone_any_size": HANDFUL[1::2],
    }

    def context(self, case: Case) -> contextlib.AbstractContextManager[Any]:
        # Eight-byte types exist only while x64 is on; without it JAX makes four-byte ones of them.
        wide: contextlib.AbstractContextManager[Any] = jax.enable_x64(case.dtype in WIDE)
        return wide

    def index_dtype(self, case: Case) -> str:
        return "int64" if case.dtype in WIDE else "int32"

    def compiled(self, function: Function, how: str) -> Function:
        return jax.jit(function)

    def dynamic(self, function: Function, x: Tensor, *others: Tensor) -> Function:
        names = [f"n{at}" if n else "0" for at, n in enumerate(x.shape)]  # a symbol is never 0
        least = [f"{name} >= {min(n, LEAST)}" for name, n in zip(names, x.shape, strict=True) if n]
        sizes = jax.export.symbolic_shape(", ".join(names), constraints=least)
        shapes = [sizes, *(symbols_of(t.shape, x.shape, sizes) for t in others)]
        unknown = [_described(s, t.dtype) for s, t in zip(shapes, (x, *others), strict=True)]
        if () in shapes:  # has the sizes of the result, which one number gives, too
            made = jax.eval_shape(function, *[_described(t.shape or (1,) * x.ndim, t.dtype) for t in unknown])
            unknown = [t if t.shape else _described(jax.tree.leaves(made)[0].shape, t.dtype) for t in unknown]
        run: Function = jax.export.export(jax.jit(function))(*unknown).call
        return run

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor, *others: Tensor) -> Tensor:
        return jax.vjp(lambda t: function(t, *others), x)[1](cotangent)[0]

    def jvp(self, function: Function, x: Tensor, tangent: Tensor) -> Tensor:
        return jax.jvp(function, (x,), (tangent,))[1]

    def second(self, function: Function, x: Tensor, cotangent: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        by_x, by_g = jax.vjp(lambda x, g: self.vjp(function, x, g), x, cotangent)[1](tangent)
        return by_x, by_g

    def vmap(self, function: Function) -> Function:
        return jax.vmap(function)


def _described(shape: Sequence[Any], dtype: Any) -> Any:
    return jax.ShapeDtypeStruct(tuple(shape), dtype)  # type: ignore[no-untyped-call]


HARNESS = JaxHarness()
