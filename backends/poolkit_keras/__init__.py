"""poolkit's adapter for Keras."""

from poolkit_keras.adapter import ADAPTER

__all__ = ["ADAPTER"]
