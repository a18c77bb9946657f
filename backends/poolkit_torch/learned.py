"""Poolings with weights as a torch.nn.Module, which holds them as parameters by name."""

from __future__ import annotations

from typing import Any

import torch

from poolkit.running.learned import weights_of
from poolkit.spec import learned
from poolkit.spec.operation import Operation, Parameter
from poolkit.spec.signatures import explained_class
from poolkit_torch.layers import Pool


@explained_class
class Learned(Pool):
    """A layer that pools by a `poolkit.Learned`.

    >>> import torch
    >>> from poolkit import GeM, LearnedOption
    >>> dict(Learned(LearnedOption(GeM(layout="NCHW", keepdims=False))).state_dict())
    {'p': tensor(3.)}
    """

    def __init__(self, spec: Operation, *, route: str | None = None) -> None:
        super().__init__(spec, route=route)
        for name, p in weights_of(spec).items():
            self.register_parameter(name, torch.nn.Parameter(torch.empty(p.shape)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for name, p in self.spec.parameters.items():
            torch.nn.init.uniform_(self.get_parameter(name), p.start - p.spread, p.start + p.spread)

    def forward(self, x: torch.Tensor, **tensors: torch.Tensor | None) -> Any:
        return super().forward(x, **{name: self.get_parameter(name) for name in self.spec.parameters}, **tensors)


torch.serialization.add_safe_globals([Learned, learned.Learned, Parameter])
