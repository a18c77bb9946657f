import jax.numpy as jnp
from jax import lax


def pool(x, k, s):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, *k, 1), (1, *s, 1), "VALID")


def f(x):
    return pool(x, (3, 2), (2, 1))
