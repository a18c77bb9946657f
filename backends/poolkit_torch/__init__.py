"""poolkit's adapter for PyTorch."""

from poolkit_torch.adapter import ADAPTER

__all__ = ["ADAPTER"]
