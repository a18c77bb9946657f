"""What is out of range on JAX, one of a large batch at a time."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import poolkit as pk


@pytest.mark.parametrize("kind", ["softmax beta=-2", "logsumexp", "stochastic", "lp p=3", "gem"])
def test_long_lines_out_of_range_have_the_derivatives_of_the_fold(kind: str) -> None:
    """The last cell is in no window, and has none."""
    x = np.random.default_rng(0).normal(size=(2, 2048, 64)).astype("float32")
    x[1, [20, 40, 60, 2047], 2] = 1e30, -300.0, math.inf, math.inf
    spec = pk.PoolSpec.parse(f"{kind} window=3 stride=2 layout=NLC")
    weights = jnp.asarray(np.random.default_rng(1).normal(size=(2, 1023, 64)).astype("float32"))
    pools: tuple[Any, Any] = (spec, spec.layer("jax", route="fold"))
    made: list[Any] = [jax.vjp(pool, jnp.asarray(x)) for pool in pools]
    ours, fold = made
    np.testing.assert_allclose(ours[0], fold[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours[1](weights)[0], fold[1](weights)[0], rtol=1e-5, atol=1e-5)
    assert not np.asarray(ours[1](weights)[0])[:, 2047].any()


@pytest.mark.parametrize(
    ("text", "forward", "gradient"),
    [("stochastic window=3 stride=2 layout=NLC", 1.5, 3.0), ("logsumexp output_size=1 layout=NLC", 0.5, 0.5)],
)
def test_what_is_out_of_range_takes_no_memory_of_the_whole_batch(text: str, forward: float, gradient: float) -> None:
    """From 25 MB on a C library may give it back at each call, and new pages took three times as long as the rest."""
    x, spec = jax.ShapeDtypeStruct((8, 512, 256), "float32"), pk.PoolSpec.parse(text)

    def total(x: jax.Array) -> jax.Array:
        made: jax.Array = pk.pool(x, spec)
        return made.sum()

    functions: list[tuple[Any, float]] = [(spec, forward), (jax.grad(total), gradient)]
    for function, most in functions:
        memory: Any = jax.jit(function).lower(x).compile().memory_analysis()
        assert memory.temp_size_in_bytes < most * 4 * math.prod(x.shape)


@pytest.mark.parametrize("kind", ["softmax", "stochastic", "lp p=3", "gem"])
@pytest.mark.parametrize("shape", [(1, 512, 256), (1, 4096, 8), (2, 2048, 64)])
def test_a_mean_over_equal_tokens_is_close(kind: str, shape: tuple[int, ...]) -> None:
    """XLA adds up products of one sequence cell by cell: 512 were 11 eps off, 16384 112, at ten times the time."""
    x, spec = np.full(shape, 0.1, "float32"), pk.PoolSpec.parse(f"{kind} output_size=1 layout=NLC")
    np.testing.assert_allclose(pk.pool(jnp.asarray(x), spec), pk.pool(x.astype("float64"), spec), rtol=3e-7)
