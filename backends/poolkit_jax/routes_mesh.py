"""Programs on a mesh of devices, whose XLA divides an array among them along any axis, a pooled one too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.sharding

from poolkit.lowering.geometry import letters_of
from poolkit.lowering.plan import AnyPlan, Plan, dropped
from poolkit.lowering.primitives import Tensor
from poolkit_jax.ops import LARGE
from poolkit_jax.routes import divides

sharding: Any = jax.sharding  # neither its classes nor the next function have types
constrain: Any = jax.lax.with_sharding_constraint


def is_on_mesh(x: Tensor) -> bool:
    """Whether XLA divides this array among devices; within a shard_map every device has an array of its own."""
    mesh = x.aval.sharding.mesh
    return not mesh.empty and not mesh.are_all_axes_manual


def sharded(function: Callable[..., Any], plan: AnyPlan) -> Callable[..., Any]:
    """The function of a program, on whatever mesh its input is.

    Within it explicit axes are automatic: JAX refuses explicit ones in half of what a program does, such as reshapes
    of several axes, and padding to a size that is no multiple of the mesh, as in the gradient of its own windows.
    """

    def run(x: Tensor, *tensors: Tensor) -> Any:
        if not is_on_mesh(x):
            return function(x, *tensors)
        gather = not _is_divisible(x, plan)
        inner = _gathered(function, plan) if gather else function
        explicit = jax.typeof(x).sharding.mesh.explicit_axes
        if explicit:
            inner = jax.sharding.auto_axes(inner, axes=explicit, out_sharding=_out(x, plan, gather))
        return inner(x, *tensors)

    return run


def _is_divisible(x: Tensor, plan: AnyPlan) -> bool:
    """Whether XLA divides the program along pooled axes rightly: JAX's own windows, and reductions of large maps.

    Of slices along a sharded axis jaxlib 0.10.2 makes up to 60 exchanges, and at times wrong numbers.
    """
    whole = all(a.form in ("whole", "keep") for a in plan.axes) and x.size >= LARGE
    return whole or (isinstance(plan, Plan) and divides(plan))


def _gathered(function: Callable[..., Any], plan: AnyPlan) -> Callable[..., Any]:
    """The same with pooled axes whole on each device: one exchange where they are sharded, and none where not."""
    pooled = [a.at for a in plan.axes if a.form != "keep"]

    def run(x: Tensor, *tensors: Tensor) -> Any:
        mesh = jax.typeof(x).sharding.mesh

        def whole(t: Tensor, axes: list[int]) -> Tensor:
            kept = [None if at in pooled else sharding.PartitionSpec.UNCONSTRAINED for at in axes]
            return constrain(t, sharding.NamedSharding(mesh, sharding.PartitionSpec(*kept)))

        every, letters = list(range(plan.rank)), letters_of(plan.spec, plan.rank).rjust(plan.rank)
        axes = {plan.rank: every, plan.rank - 1: [at for at in every if letters[at] != "C"]}
        others = [whole(t, axes[t.ndim]) if t.ndim in axes else t for t in tensors]
        left = [at for at in every if at not in dropped(plan)]
        return jax.tree.map(lambda y: whole(y, left), function(whole(x, every), *others))

    return run


def _out(x: Tensor, plan: AnyPlan, gather: bool) -> Any:
    """The input's sharding, but for pooled axes that are gathered or whose output is no multiple of their devices."""
    given, sizes, gone = jax.typeof(x).sharding, {a.at: a.out for a in plan.axes if a.form != "keep"}, dropped(plan)
    kept: list[Any] = []
    for at, names in enumerate(given.spec):
        devices = math.prod([given.mesh.shape[name] for name in ((names,) if isinstance(names, str) else names or ())])
        whole = at in sizes and (gather or sizes[at] % devices != 0)
        kept += [] if at in gone else [None if whole else names]
    return sharding.NamedSharding(given.mesh, sharding.PartitionSpec(*kept))
