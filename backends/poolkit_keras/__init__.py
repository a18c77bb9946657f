"""poolkit's adapter for Keras, and layers with Keras's own constructors.

Importing this imports no framework: the names below are loaded when they are asked for.
"""

import sys
from typing import TYPE_CHECKING

from poolkit.running.lazy import lazily

if TYPE_CHECKING:
    from poolkit_keras.adapter import ADAPTER
    from poolkit_keras.layers import *
    from poolkit_keras.learned import Learned

__all__ = ["ADAPTER", "Pool"]
__all__ += ["AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D"]
__all__ += ["AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D"]
__all__ += ["AveragePooling1D", "AveragePooling2D", "AveragePooling3D"]
__all__ += ["GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"]
__all__ += ["GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"]
__all__ += ["MaxPooling1D", "MaxPooling2D", "MaxPooling3D"]

__getattr__ = lazily(__name__, {**dict.fromkeys(__all__, "layers"), "ADAPTER": "adapter", "Learned": "learned"})
__all__ += ["Learned"]

if sys.modules.get("keras") is not None:
    # A saved model that holds one of the layers is loaded by the names under which they are registered.
    __getattr__("Pool")
