"""How the conformance suite works with PyTorch's tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import torch

from poolkit_conformance.case import Case
from poolkit_conformance.harness import HANDFUL, OPERATIONS, Array, Function, Harness, Tensor, Which, shared

# What its own sums would get wrong, and what has a route for it alone.
INDUCTOR = ("avg_512x512_around_100", "sum_1024x1024", "max_channels_last_k9_s1_same")

# Lines of -inf and sums of bytes, which ONNX Runtime does not have.
ONNX = ("a_masked_maximum_of_minus_infinity", "max_mostly_minus_inf_1d_dilated", "median_of_bytes")


class TorchHarness(Harness):
    """PyTorch has every mode. Its compiler takes seconds a case, with Inductor tens of them."""

    backend = "torch"
    # ONNX Runtime averages no float64, whose constants the newer exporter rounds to float32, and no bfloat16 at all.
    lacks: ClassVar[Mapping[str, frozenset[str]]] = {"exported:*onnx*": frozenset({"float64", "bfloat16"})}
    constants: ClassVar[frozenset[str]] = frozenset(f"exported:{way} any" for way in ("program", "onnx", "aot"))
    modes: ClassVar[Mapping[str, Which]] = {
        **dict.fromkeys(("eager", "direct", "gradient", "noncontiguous", "untouched", "routes"), "every"),
        **dict.fromkeys(("route_gradients", "standalone_any_size"), "every"),
        **dict.fromkeys(("standalone", "second_gradient", "forward", "vmap", "layer"), "few"),
        **shared("compiled:aot_eager", "compiled_gradient:aot_eager", "dynamic"),
        **dict.fromkeys(("routes_inside:aot_eager", "dynamic_gradient", "exported:strict program"), HANDFUL),
        "compiled:inductor": (*INDUCTOR, "max_k3_s2_same", "avg_k3_s2_same", "max_ties_global"),
        **shared("exported:trace any", "exported:older onnx"),
        "exported:program": (*OPERATIONS, "max_3d_channels_last_k3_s2_p1", "min_3d_channels_last_k2_s1"),
        **dict.fromkeys(("exported:onnx", "exported:older onnx any"), (*OPERATIONS, *ONNX)),
        "exported:program any": (
            *OPERATIONS[::2],
            *("max_k4_s4_p2_ceil_drops_a_window", "*_of_a_level_that_keeps", "m*_none_keeps_an_axis"),
        ),
        "exported:onnx any": (*OPERATIONS[::2], "gem_all_plus_inf_k3_s2_same", "avg_mask_k3_s2_ceil"),
        **dict.fromkeys(("exported:program batch", "exported:onnx batch"), HANDFUL),
        "exported:aot": ("max_k3_s2_same",),
        "exported:aot any": ("avg_k3_s2_same",),
        "compiled_gradient:inductor": (*INDUCTOR, "min_channels_last_k9x7", "max_ties_k3_s2_same"),
    }

    def owns(self, t: Any) -> bool:
        return type(t) is torch.Tensor

    def compiled(self, function: Function, how: str, **more: Any) -> Function:
        torch._dynamo.reset()  # every case is a function of its own, and Dynamo keeps few
        return _quiet(torch.compile(function, backend=how, fullgraph=True, **more))

    def dynamic(self, function: Function, *tensors: Tensor, case: Case | None = None) -> Function:
        return self.compiled(function, "aot_eager", dynamic=True)

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor, *others: Tensor) -> Tensor:
        torch._dynamo.reset()  # by each tensor what is compiled is another function, and a layer has nine
        return super().vjp(function, x, cotangent, *others)

    def jvp(self, function: Function, x: Tensor, tangent: Tensor) -> Tensor:
        return _quiet(torch.func.jvp)(function, (x,), (tangent,))[1]

    def second(self, function: Function, x: Tensor, cotangent: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        x, g = x.clone().requires_grad_(), cotangent.clone().requires_grad_()
        (first,) = torch.autograd.grad(function(x), x, g, create_graph=True)
        by_x, by_g = torch.autograd.grad(first, (x, g), tangent, materialize_grads=True)
        return by_x, by_g

    def vmap(self, function: Function) -> Function:
        return lambda *given: torch.func.vmap(function)(*given)

    def views(self, x: Array) -> Iterator[Tensor]:
        t = self.from_numpy(x)
        backwards = tuple(reversed(range(t.dim())))
        yield t.permute(backwards).contiguous().permute(backwards)
        if t.dim():  # of a single number it makes a line
            yield t.repeat_interleave(2, -1)[..., ::2]
        if t.dim() == 4:
            yield t.contiguous(memory_format=torch.channels_last)
        yield t[:1].expand_as(t) if t.dim() and t.shape[0] == 1 else t.unsqueeze(0).expand(2, *t.shape)[1]

    def shares_memory(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        return a.numel() > 0 and a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Forward mode and Inductor script parts of PyTorch at their first use, and PyTorch warns of its own scripting."""

    def quiet(*args: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return function(*args)

    return quiet


HARNESS = TorchHarness()
