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


@pytest.mark.parametrize("padding", ["same", "same_lower"])
@pytest.mark.parametrize("stride", [2, 3, 4])
def test_same_windows_are_as_many_as_those_of_a_convolution(padding: str, stride: int) -> None:
    """JAX adds what is written alike: (h - 1) // 2 + 1 and -(-h // 2) are two sizes to it."""
    specs = [
        pk.PoolSpec(kind, window=3, stride=stride, padding=padding, layout="NHWC")
        for kind in ("sum", "max", "softmax", "median")
    ]

    def model(x: Any) -> Any:
        by_ones = jax.lax.conv_general_dilated(
            x, jnp.ones((3, 3, 1, 1)), (stride, stride), padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return sum([pk.pool(x, spec) for spec in specs], by_ones)

    sizes = jax.export.symbolic_shape("b, h, w, 1", constraints=["h >= 3", "w >= 3"])
    described = jax.ShapeDtypeStruct(sizes, jnp.float32)  # type: ignore[no-untyped-call]
    sent = jax.export.export(jax.jit(model))(described)
    for height in (6, 7):
        x = np.random.default_rng(0).normal(size=(2, height, 5, 1)).astype("float32")
        wanted = sum(pk.pool(x, spec) for spec in (specs[0], *specs))
        np.testing.assert_allclose(sent.call(x), wanted, rtol=1e-5, atol=1e-5)


UNDECIDED = [
    (pk.Unpool(pk.MaxPool(3, 2, "same", layout="NHWC"), "smallest"), "cannot decide whether .* >= 0; say how small"),
    (pk.PoolSpec("median", output_size=1, layout="NHWC"), "cannot decide whether .* >= 0; say how small"),
    (pk.AdaptiveMaxPool(2, layout="NHWC"), "cannot decide whether .* >= 1; say how small"),
    (pk.SoftPool(2, layout="NHWC"), "cannot be decided that .* is at least 1, .*; add a constraint"),
]


@pytest.mark.parametrize(("then", "said"), UNDECIDED, ids=str)
def test_what_has_to_be_told_behind_a_pool(then: Any, said: str) -> None:
    def model(x: Any) -> Any:
        y = pk.pool(x, pk.MaxPool(2, layout="NHWC"))
        given = {"indices": jnp.zeros(y.shape, "int32")} if isinstance(then, pk.Unpool) else {}
        return pk.pool(y, then, **given)

    sizes = jax.export.symbolic_shape("b, h, w, 3")
    described = jax.ShapeDtypeStruct(sizes, jnp.float32)  # type: ignore[no-untyped-call]
    with pytest.raises(pk.ShapeError, match=said):
        jax.export.export(jax.jit(model))(described)
