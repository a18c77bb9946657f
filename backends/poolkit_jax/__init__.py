"""poolkit's adapter for JAX."""

from poolkit_jax.adapter import ADAPTER

__all__ = ["ADAPTER"]
