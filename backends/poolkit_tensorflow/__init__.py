"""poolkit's adapter for TensorFlow, and its tf.Module.

Importing this imports no framework: the names below are loaded when they are asked for.
"""

from typing import TYPE_CHECKING

from poolkit.running.lazy import lazily

if TYPE_CHECKING:
    from poolkit_tensorflow.adapter import ADAPTER
    from poolkit_tensorflow.layers import Pool

__all__ = ["ADAPTER", "Pool"]

__getattr__ = lazily(__name__, {**dict.fromkeys(__all__, "layers"), "ADAPTER": "adapter"})
