"""Functions that weights are put through, of which each derivative is in range where the function is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor


def sigmoid(o: Ops, t: Tensor) -> Tensor:
    """By the exponential of what is not above 0, which is in range, as its derivative is."""
    below = o.less(t, 0)
    power = o.exp(o.where(below, t, o.multiply(t, -1)))
    return o.divide(o.where(below, power, 1.0), o.add(power, 1))


def tanh(o: Ops, t: Tensor) -> Tensor:
    return o.subtract(o.multiply(sigmoid(o, o.multiply(t, 2)), 2), 1)


def gelu(o: Ops, t: Tensor) -> Tensor:
    """By a tanh, which is that of SigLIP."""
    cube = o.multiply(o.multiply(o.multiply(t, t), t), 0.044715)
    return o.multiply(t, sigmoid(o, o.multiply(o.add(t, cube), 2 * math.sqrt(2 / math.pi))))
