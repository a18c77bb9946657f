"""poolkit's adapter for NumPy, and a callable layer."""

from poolkit_numpy.adapter import ADAPTER
from poolkit_numpy.layers import Pool

__all__ = ["ADAPTER", "Pool"]
