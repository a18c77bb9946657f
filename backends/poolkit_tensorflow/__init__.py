"""poolkit's adapter for TensorFlow."""

from poolkit_tensorflow.adapter import ADAPTER

__all__ = ["ADAPTER"]
