"""poolkit's adapter for TensorFlow, and its tf.Module."""

from poolkit_tensorflow.adapter import ADAPTER
from poolkit_tensorflow.layers import Pool

__all__ = ["ADAPTER", "Pool"]
