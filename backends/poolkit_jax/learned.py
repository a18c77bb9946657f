"""Poolings with weights for JAX: `init` and `apply`, a callable whose leaves they are, and a module of Flax's nnx.

`Learned` is a pytree: Equinox takes it as a module of its own, and so do `jax.grad` and optimisers. Flax is imported
where `nnx` is called.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax

from poolkit.running.layers import pool_through
from poolkit.running.learned import weights_of
from poolkit.spec.arguments import as_route
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.signatures import explained, explained_class

Weights = Mapping[str, jax.Array]


@explained
def init(spec: Operation, key: jax.Array) -> dict[str, jax.Array]:
    """The weights that a `poolkit.Learned` begins with.

    >>> import jax
    >>> from poolkit import GeM, LearnedOption
    >>> init(LearnedOption(GeM(layout="NHWC", keepdims=False)), jax.random.key(0))
    {'p': Array(3., dtype=float32)}
    """
    return _drawn(spec, lambda: key, f"key={shown(key)}", "write it as in jax.random.key(0)")


def _drawn(spec: Operation, key: Callable[[], Any], received: str, do: str) -> dict[str, jax.Array]:
    rows = weights_of(spec)
    try:
        keys = jax.random.split(key(), len(rows))
    except Exception as error:
        raise wrong(received, "weights begin with numbers that a key of JAX draws", do) from error
    return {
        name: jax.random.uniform(k, p.shape, minval=-p.spread, maxval=p.spread) + p.start
        for k, (name, p) in zip(keys, rows.items(), strict=True)
    }


@explained
def apply(spec: Operation, weights: Weights, x: jax.Array, *, route: str | None = None, **tensors: Any) -> Any:
    """The pooling by these weights, and `tensors` that it takes besides, as ``mask=``.

    >>> import jax.numpy as jnp
    >>> from poolkit import GeM, LearnedOption
    >>> apply(LearnedOption(GeM(layout="NLC", keepdims=False)), {"p": jnp.array(1.0)}, jnp.array([[[1.0], [3.0]]]))
    Array([[2.]], dtype=float32)
    """
    names = weights_of(spec)
    given: object = weights
    if not isinstance(given, Mapping) or set(given) != set(names):
        rule = f"the weights of {spec} are a dictionary with {', '.join(names)}"
        raise wrong(f"weights={shown(given)}", rule, "give what init returned")
    return pool_through(x, spec, as_route(route), **weights, **tensors)


@functools.partial(jax.tree_util.register_dataclass, data_fields=["weights"], meta_fields=["spec", "route"])
@explained_class
@dataclasses.dataclass
class Learned:
    """A callable that holds its weights; `key` is what `equinox.nn.Sequential` hands on, and is not used.

    >>> import jax
    >>> from poolkit import GeM, LearnedOption
    >>> LearnedOption(GeM(layout="NLC", keepdims=False)).layer("jax", key=jax.random.key(0)).weights
    {'p': Array(3., dtype=float32)}
    """

    spec: Operation
    weights: Weights
    route: str | None = None

    def __post_init__(self) -> None:
        as_spec(self.spec, "a layer takes (spec, weights, route)")
        as_route(self.route)

    def __call__(self, x: jax.Array, *, key: object = None, **tensors: jax.Array | None) -> Any:
        return apply(self.spec, self.weights, x, route=self.route, **tensors)


@explained
def layer(spec: Operation, *, key: jax.Array | None = None, route: str | None = None) -> Learned:
    """The callable with the weights of `init`, of key 0 where none is given."""
    return Learned(spec, init(spec, jax.random.key(0) if key is None else key), route)


@explained
def nnx(spec: Operation, *, rngs: Any) -> Any:
    """A module of Flax's nnx, with a parameter for each weight.

    >>> from flax import nnx as flax
    >>> from poolkit import GeM, LearnedOption
    >>> nnx(LearnedOption(GeM(layout="NLC", keepdims=False)), rngs=flax.Rngs(0)).p[...]
    Array(3., dtype=float32)
    """
    return _module()(spec, _drawn(spec, lambda: rngs.params(), f"rngs={shown(rngs)}", "write it as in nnx.Rngs(0)"))


@functools.cache
def _module() -> Any:
    from flax import nnx as flax

    class Learned(flax.Module):
        def __init__(self, spec: Operation, weights: Weights) -> None:
            self.spec = spec
            for name, value in weights.items():
                setattr(self, name, flax.Param(value))

        def __call__(self, x: jax.Array, **tensors: Any) -> Any:
            return apply(self.spec, {name: getattr(self, name)[...] for name in self.spec.parameters}, x, **tensors)

    return Learned
