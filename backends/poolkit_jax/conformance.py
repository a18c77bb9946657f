"""How the conformance suite works with JAX's arrays."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.export

from poolkit_conformance.case import Case
from poolkit_conformance.harness import HANDFUL, Function, Harness, Share, Tensor, Which, shared
from poolkit_conformance.sizes import least, symbols

WIDE = ("float64", "int64")
DERIVED = ("*ties*", "*dilated*", "softmax_*", "*empty*", "*float64*")  # what a gradient depends on
SIZED = (  # sizes that follow from others in ways of their own, or are written in two forms
    "fractional_max_mask_k2_to_4_cnhw",
    "learned_adapool_masked",
    "learned_gate",
    "mix_by_coefficients_of_regions",
    "mix_of_selections_is_exact",
    "mix_weighted_k3_s2_same",
    "onnx_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False",
    "s3_by_samples_3d",
    "stochastic_drawn_mask_k3_s2_same",
    "struct_one_node",
    "unpool_ceil_padded",
    "unpool_like_padded_last",
    "unpool_same_smallest",
)
LEAST = 6  # without a smallest size JAX can't decide whether the windows of a spec fit


class JaxHarness(Harness):
    """Every eager call compiles a program, so JAX is slow here: most modes are for few cases."""

    backend = "jax"
    exports = itertools.count(1)
    same_bits = False  # XLA merges what the recorded program's `jit` lets it see at once
    modes: ClassVar[Mapping[str, Which]] = {
        "eager": "every",
        "gradient": (*HANDFUL, Share(0, 2)),
        "routes": ("few", "max_values_k3_s2_*"),
        **shared("forward", "vmap", "compiled:jit", "dynamic"),
        "dynamic": (*HANDFUL, Share(3, 4), *SIZED),
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

    def dynamic(self, function: Function, *tensors: Tensor, case: Case | None = None) -> Function:
        if next(self.exports) % 300 == 0:
            # What is exported stays loaded, and a process ends after some 1,650 of them.
            jax.clear_caches()  # type: ignore[no-untyped-call]
        first = tensors[0].shape
        told = [tuple([f"n{at}" for at in range(len(first))])] if case is None else symbols(case)
        few = [min(n, LEAST) if case is None else least(case, at, LEAST) for at, n in enumerate(first)]
        names = sorted({name for sizes in told for name in sizes if isinstance(name, str)})
        limits = [f"n{at} >= {n}" for at, n in enumerate(few) if f"n{at}" in names]
        found = dict(zip(names, jax.export.symbolic_shape(",".join(names), constraints=limits), strict=True))
        if any(name.startswith("out") for name in names):
            found |= _followed(function, told, found, tensors)
        run: Function = jax.export.export(jax.jit(function))(*_described(told, found, tensors)).call
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


def _followed(
    function: Function, told: Sequence[Sequence[Any]], found: Mapping[str, Any], tensors: Sequence[Tensor]
) -> dict[str, Any]:
    """The sizes of the result that are named and follow from the input's, as one number along its axes gives them."""
    ones = {name: 1 if name.startswith("out") else size for name, size in found.items()}
    made = jax.tree.leaves(jax.eval_shape(function, *_described(told, ones, tensors)))[0].shape
    sizes = {f"out{i}": n for i, n in enumerate(reversed(made), 1)}
    return {name: sizes[name] for name in found if name in sizes and jax.export.is_symbolic_dim(sizes[name])}


def _described(told: Sequence[Sequence[Any]], sizes: Mapping[str, Any], tensors: Sequence[Tensor]) -> list[Any]:
    shapes = [tuple([sizes.get(n, n) for n in several]) for several in told]
    return [jax.ShapeDtypeStruct(shape, t.dtype) for shape, t in zip(shapes, tensors, strict=True)]  # type: ignore[no-untyped-call]


HARNESS = JaxHarness()
