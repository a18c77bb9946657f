"""Where the own functions of JAX and Flax, equal on finite input, still give other numbers."""

from __future__ import annotations

from poolkit.dialects.concerns import whole, windows
from poolkit.dialects.dialect import Caveat, Measured
from poolkit.spec.pool_spec import PoolSpec

CAVEATS: tuple[Caveat, ...] = (
    Caveat(
        "half",
        "JAX adds the cells of a window in bfloat16 where they are bfloat16",
        windows("avg", "sum"),
        Measured(PoolSpec("avg", window=64, layout="NHWC"), "full((1, 64, 64, 1), 100)", "bfloat16", 8, 100),
    ),
    Caveat(
        "half",
        "JAX adds the cells of a window in float16 where they are float16, which overflows at 65504",
        windows("avg", "sum"),
        Measured(PoolSpec("avg", window=64, layout="NHWC"), "full((1, 64, 64, 1), 100)", "float16", float("inf"), 100),
    ),
    Caveat(
        "integers",
        "jax.lax.reduce_window keeps the integer type, in which sums overflow",
        windows("sum"),
        Measured(PoolSpec("sum", window=(1, 4), layout="NHWC"), "full((1, 1, 4, 1), 200)", "uint8", 32, 800),
    ),
    Caveat(
        "integers",
        "jnp.sum adds integers in integers, which overflow",
        whole("sum"),
        Measured(PoolSpec("sum", output_size=1, layout="NHWC"), "full((1, 1, 4, 1), 2**30)", "int32", 0, 2**32),
    ),
)
