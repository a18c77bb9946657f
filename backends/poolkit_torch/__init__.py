"""poolkit's adapter for PyTorch, and layers with torch.nn's own constructors.

Importing this imports no framework: the names below are loaded when they are asked for.
"""

from typing import TYPE_CHECKING

from poolkit.running.lazy import lazily

if TYPE_CHECKING:
    from poolkit_torch.adapter import ADAPTER
    from poolkit_torch.layers import *
    from poolkit_torch.learned import Learned

__all__ = ["ADAPTER", "Pool"]
__all__ += ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"]
__all__ += ["AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"]
__all__ += ["AvgPool1d", "AvgPool2d", "AvgPool3d"]
__all__ += ["MaxPool1d", "MaxPool2d", "MaxPool3d"]

__getattr__ = lazily(__name__, {**dict.fromkeys(__all__, "layers"), "ADAPTER": "adapter", "Learned": "learned"})
__all__ += ["Learned"]
