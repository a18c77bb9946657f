"""poolkit's adapter for NumPy, and a callable layer.

Importing this imports no framework: the names below are loaded when they are asked for.
"""

from typing import TYPE_CHECKING

from poolkit.running.lazy import lazily

if TYPE_CHECKING:
    from poolkit_numpy.adapter import ADAPTER
    from poolkit_numpy.layers import Pool

__all__ = ["ADAPTER", "Pool"]

__getattr__ = lazily(__name__, {**dict.fromkeys(__all__, "layers"), "ADAPTER": "adapter"})
