"""Graphs of JAX whose sizes are symbols of which nothing is told."""

from __future__ import annotations

from typing import Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

import poolkit as pk
from poolkit_jax import ADAPTER

# Those that docs/shipping.md says.
KINDS = ("avg", "sum", "max", "min", "softmax", "lp", "gem", "logsumexp", "std")
BEHIND = [
    *(pk.PoolSpec(kind, output_size=1, layout="NHWC", keepdims=True) for kind in KINDS),
    *(pk.PoolSpec(kind, window=2, layout="NHWC") for kind in KINDS[:4]),
    *(pk.PoolSpec(kind, window=3, stride=2, padding="same", layout="NHWC") for kind in KINDS[:4]),
    pk.AdaptiveAvgPool(2, layout="NHWC"),
]


@pytest.mark.parametrize("then", BEHIND, ids=str)
def test_a_pool_behind_a_pool(then: pk.PoolSpec) -> None:
    """Of `(h - 2) // 2 + 1` JAX cannot tell that it is 1 or more."""
    first = pk.MaxPool(2, layout="NHWC")

    def model(x: Any) -> Any:
        return pk.pool(pk.pool(x, first), then)

    sizes = jax.export.symbolic_shape("b, h, w, 3")
    described = jax.ShapeDtypeStruct(sizes, jnp.float32)  # type: ignore[no-untyped-call]
    sent = jax.export.export(jax.jit(model))(described)
    for height in (7, 10):
        x = jnp.asarray(np.random.default_rng(0).normal(size=(2, height, 13, 3)).astype("float32"))
        np.testing.assert_allclose(sent.call(x), model(x), rtol=1e-6, atol=1e-7)


def test_a_size_that_has_to_be_told() -> None:
    sizes = jax.export.symbolic_shape("n, 3")
    described = jax.ShapeDtypeStruct(sizes, jnp.float32)  # type: ignore[no-untyped-call]
    with pytest.raises(pk.ShapeError, match=r'add a constraint: .*constraints=\["n >= 5"\]'):
        jax.export.export(jax.jit(lambda x: ADAPTER.ops(2, "float32").slice(x, 0, 0, 5, 1)))(described)
