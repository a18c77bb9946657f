"""Calls of torch.nn.functional's pools, and which plans they take."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch

from poolkit.lowering.backend import Situation, Tensor, When
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.both_sides import ONE, Windows, adjacent
from poolkit_torch.routes_arrange import lifted
from poolkit_torch.routes_mesh import differentiates


def pooled(o: Any, op: str, v: Tensor, w: Windows, plan: Plan, **options: Any) -> Any:
    """What torch.nn.functional's pool `op` gives for an arranged input: a tensor, or two with `return_indices`."""
    if op == "max_pool" and len(w.along) == 1 and not lifted(plan) and torch.onnx.is_in_onnx_export():
        # ONNX Runtime's maximum of a line of -inf is the lowest number, that of a map is -inf.
        got = pooled(o, op, v.unsqueeze(-2), dataclasses.replace(w, along=(ONE, *w.along)), plan, **options)
        return tuple([t.squeeze(-2) for t in got]) if isinstance(got, tuple) else got.squeeze(-2)
    extra = [n for a in reversed(w.along) for n in (0, a.extra)]
    v = o.F.pad(v, tuple(extra), value=-math.inf) if any(extra) else v
    along = (ONE, *w.along) if lifted(plan) else w.along
    fields = ("window", "stride", "padding", "dilation")
    window, stride, padding, dilation = (_alike([getattr(a, field) for a in along]) for field in fields)
    indices = "return_indices" in options
    if op == "max_pool" and len(along) == 1 and not plan.known:
        options = options | {"return_indices": True}  # without them it asks for the size itself: no symbol passes
    options = ({} if dilation == 1 else {"dilation": dilation}) | ({"ceil_mode": True} if w.ceil else {}) | options
    # That of torch.nn.functional, which asks whether indices are wanted, takes 0.4 microseconds more.
    module = o.torch if op == "max_pool" and "return_indices" not in options else o.F
    got = getattr(module, f"{op}{len(along)}d")(v, window, stride, *(() if padding == 0 else (padding,)), **options)
    if indices:
        return _kept(got[0], w), _kept(got[1], w)
    return _kept(got[0] if "return_indices" in options else got, w)


def _kept(y: Tensor, w: Windows) -> Tensor:
    """The windows that are wanted, where torch makes more of them."""
    for i, a in enumerate(w.along):
        if a.out is not None:
            y = y.narrow(i - len(w.along), a.skip, a.out)
    if not any(a.skip and a.out is None for a in w.along):
        return y
    return y[(..., *[slice(a.skip if a.out is None else 0, None) for a in w.along])]


def _alike(values: list[int]) -> int | tuple[int, ...]:
    """One number where it is the same along every axis."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def rounded(n: int) -> float:
    """A number for costs, made a constant: what Dynamo takes for a symbol does not sort."""
    limits = (1.0, 2.0, 4.0, 9.0, 16.0, 25.0, 49.0, 81.0, 169.0, 441.0, 1024.0)
    return next((most for most in limits if n <= most), 4096.0)


def given_as(field: str, when: When) -> When:
    """Of windows, or of bins that divide their axis, which are windows too."""
    return lambda plan, situation: getattr(plan.spec, field) is not None and when(plan, situation)


def takes_bins(plan: Plan, situation: Situation) -> bool:
    """Whether torch's adaptive pools take this."""
    some = any(a.form != "keep" for a in plan.axes)  # PyTorch's one-dimensional pools take no None
    torch_s = plan.spec.output_size is not None and adjacent(plan) and some and plan.floating
    return torch_s and differentiates(situation) and not three_dimensional_half(plan)


def three_dimensional_half(plan: Plan) -> bool:
    """PyTorch has no 3-d pool for half types on a CPU."""
    return plan.half_precision and len(plan.axes) == 3
