"""Tensors that are sharded over a mesh of devices (`torch.distributed.tensor.DTensor`)."""

from __future__ import annotations

from poolkit.lowering.backend import Situation
from poolkit.lowering.primitives import Tensor

SHARDED = "sharded"  # a situation's format, where a derivative may be taken


def sharded(x: Tensor) -> bool:
    return type(x).__name__ == "DTensor"  # importing the class takes a second


def beside(t: Tensor, x: Tensor) -> Tensor:
    """`t`, whole on each device where `x` is sharded: PyTorch takes no plain tensor beside one that is."""
    if not sharded(x):
        return t
    from torch.distributed.tensor import DTensor, Replicate

    return DTensor.from_local(t, x.device_mesh, [Replicate()] * x.device_mesh.ndim, run_check=False)


def differentiates(situation: Situation) -> bool:
    """Whether PyTorch can take a derivative of its average pools and adaptive pools: not where the input is sharded."""
    return situation.format != SHARDED
