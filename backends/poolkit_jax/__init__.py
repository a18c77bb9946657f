"""poolkit's adapter for JAX; a callable layer, functions in Flax's words and classes with Equinox's constructors.

Importing this imports no framework: the names below are loaded when they are asked for.
"""

from typing import TYPE_CHECKING

from poolkit.running.lazy import lazily

if TYPE_CHECKING:
    from poolkit_jax.adapter import ADAPTER
    from poolkit_jax.layers import *
    from poolkit_jax.learned import Learned, apply, init, nnx

__all__ = ["ADAPTER", "Pool"]
__all__ += ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"]
__all__ += ["AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"]
__all__ += ["AvgPool1d", "AvgPool2d", "AvgPool3d"]
__all__ += ["MaxPool1d", "MaxPool2d", "MaxPool3d"]
__all__ += ["avg_pool", "max_pool", "min_pool"]

__getattr__ = lazily(
    __name__,
    {
        **dict.fromkeys(__all__, "layers"),
        "ADAPTER": "adapter",
        **dict.fromkeys(("Learned", "apply", "init", "nnx"), "learned"),
    },
)
__all__ += ["Learned", "apply", "init", "nnx"]
