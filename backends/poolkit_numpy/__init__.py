"""poolkit's adapter for NumPy."""

from poolkit_numpy.adapter import ADAPTER

__all__ = ["ADAPTER"]
