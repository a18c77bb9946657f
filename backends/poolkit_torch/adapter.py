"""What poolkit has to know about PyTorch's tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import forward_ad
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from poolkit.errors import InputError
from poolkit.lowering.backend import Adapter, Route, Situation
from poolkit.lowering.parted import batch_in_parts
from poolkit.lowering.routes.by_convolution import channelwise
from poolkit.lowering.routes.by_name import convolution
from poolkit_torch import routes_keys, routes_max, routes_select, routes_sum, routes_tiles, routes_volumes
from poolkit_torch.followed import PLAIN, sizes
from poolkit_torch.layers import Pool
from poolkit_torch.learned import Learned
from poolkit_torch.ops import Ops
from poolkit_torch.routes_arrange import KEPT, puts_together
from poolkit_torch.routes_mesh import SHARDED, differentiates, sharded

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

THIN = 32  # channels, or what else is the last axis
LARGE = 2**22  # numbers, 16 MB: of two cores with a cache of 32
VAST = 2**28  # numbers, 1 GB
PARTS = "torch.cat([pool(part) for part in x.split({some})])"
SMALL = 4096  # numbers: PyTorch's own pools of so many take 3 to 20 us, and each further call 2

# What `key` asks at every call, without the attributes on the way: those of modules alone take 0.3 microseconds.
_STRIDED = torch.strided
_needs_grad = torch.is_grad_enabled
_is_autocast = torch.is_autocast_enabled
_is_dynamo = torch.compiler.is_dynamo_compiling  # other compilers look on with tensors of their own types
_is_compiling = torch.compiler.is_compiling
_is_tracing = torch._C._is_tracing  # torch.jit.is_tracing is a Python function around it
_is_wrapped: Callable[[Any], bool] = getattr(torch._C, "_functorch").is_functorch_wrapped_tensor  # noqa: B009  # untyped


def _is_symbolic(x: Any) -> bool:
    """Whether what is wrapped is a tracer's: a derivative may be taken inside of `make_fx`."""
    return any(type(n) is not int for n in x.shape)


# The public names of what PyTorch 2.9 has take 5 microseconds at each call.
_precision: Any = getattr(torch._C, "_get_fp32_precision_getter", lambda *of: torch.get_float32_matmul_precision())


def _rounds() -> bool:
    """Whether products of float32 matrices may be computed in fewer bits, where the processor can."""
    return _is_autocast("cpu") or _precision("mkldnn", "matmul") not in ("none", "ieee", "highest")


# PyTorch's forward mode multiplies infinite cells by a convolution's derivative by its weights, which is 0.
BLUR = channelwise(lambda plan, situation: not (situation.tracing or situation.wrapped))
CONVOLUTIONS = convolution(lambda plan, situation: differentiates(situation)), BLUR
MODULES = (routes_max, routes_select, routes_sum, routes_tiles, routes_volumes, routes_keys)


class TorchAdapter(Adapter):
    """PyTorch: sizes are symbols under its tracers; eagerly it can be told whether a derivative is possible."""

    name = "torch"
    ops = Ops
    layers = Pool
    silent = refuses = True
    routes = (*[route for module in MODULES for route in module.ROUTES], *CONVOLUTIONS)
    learned = Learned

    def check(self, x: Any) -> None:
        if isinstance(x, torch.fx.Proxy):
            raise InputError(
                "received a torch.fx.Proxy, and pooling takes a dense torch.Tensor; where torch.fx traces a model, "
                'pool by a layer, spec.layer("torch"), which is one node there'
            )
        if not isinstance(x, torch.Tensor) or x.is_nested or x.layout is not torch.strided:
            what = f"a nested {type(x).__name__}" if getattr(x, "is_nested", False) else f"a {type(x).__name__}"
            raise InputError(
                f"received {what} of layout {getattr(x, 'layout', None)}, and pooling takes a dense torch.Tensor; "
                "convert it with x.to_dense(), or pad a nested tensor with torch.nested.to_padded_tensor"
            )
        if isinstance(x, UninitializedParameter | UninitializedBuffer):
            raise InputError(
                f"received a {type(x).__name__}, which has no shape yet, and pooling takes a dense torch.Tensor; "
                "run the model that it belongs to once, or call x.materialize(shape)"
            )

    def dtype(self, x: Any) -> str:
        return str(x.dtype).removeprefix("torch.")

    def known_size(self, x: Any, at: int) -> int | None:
        n = x.shape[at]
        if not _is_compiling():
            return n if type(n) is int else None
        return sizes(x)[at]  # under Dynamo a symbol is an int to `type`, too

    def situation(self, x: Any) -> Situation:
        if _is_compiling() or type(x) not in PLAIN or _is_tracing() or _is_symbolic(x):
            exporting = torch.compiler.is_exporting() if _is_compiling() else _is_tracing()
            onnx = exporting and torch.onnx.is_in_onnx_export()
            derived = sharded(x) and x.requires_grad and torch.is_grad_enabled()
            kernels = "onnx" if onnx else "exporting" if exporting else SHARDED if derived else None
            empty = 0 in [self.known_size(x, at) for at in range(x.ndim)]
            # Exported and jit-traced graphs run PyTorch's own kernels, somewhere; compiled ones may run others, here.
            device = x.device.type if _is_compiling() and kernels is None else None
            return Situation(not onnx, tracing=True, empty=empty, shipped=True, device=device, format=kernels)
        wrapped = _is_wrapped(x)
        derivative = wrapped or forward_ad._current_level >= 0 or (x.requires_grad and torch.is_grad_enabled())
        return Situation(
            derivative=derivative,
            wrapped=wrapped,
            empty=x.numel() == 0,
            small=x.numel() <= SMALL,
            large=x.numel() * (1 + derivative) >= LARGE,  # its gradient is as large
            vast=x.numel() >= VAST,
            rounds=_rounds(),
            thin=x.dim() > 2 and x.shape[-1] < THIN,
            device=x.device.type,
            format=x.is_contiguous(),
        )

    def within(self, x: Any) -> AbstractContextManager[Any]:
        mode = None if _is_compiling() else getattr(x, "fake_mode", None)  # a FakeTensor may be used outside its mode
        return contextlib.nullcontext() if mode is None else mode

    def over(self, route: Route, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> str:
        if situation.format is False and not (situation.tracing or situation.wrapped) and puts_together(plan):
            return KEPT
        here = situation.format is True and self.branches(plan, situation)
        return (here and batch_in_parts(plan, situation, shape, PARTS, route.copies)) or route.decorator

    def wide(self, situation: Situation) -> bool:
        return situation.device == "cpu"  # others have no float64, or hardly any units for it

    def branches(self, plan: Any, situation: Situation) -> bool:
        return self.wide(situation) and not (situation.tracing or situation.wrapped)

    def multiplies(self, situation: Situation) -> str:
        slower = situation.derivative and not situation.large  # of 2 MB 0.7 of the speed, from 8 on 1.2 to 1.5 times it
        cell_by_cell = situation.small or situation.rounds or slower
        return "product" if situation.format is True and not cell_by_cell else ""

    def key(self, x: Any, spec: Any) -> tuple[Any, ...] | None:
        if _is_dynamo() or type(x) not in PLAIN or _is_tracing() or x.layout is not _STRIDED:
            return None
        try:
            shape = x.shape
        except RuntimeError:  # a nested tensor has none; `check` says so
            return None
        wrapped = _is_wrapped(x)
        if wrapped and _is_symbolic(x):
            return None
        derivative = wrapped or forward_ad._current_level >= 0 or (x.requires_grad and _needs_grad())
        return spec, shape, x.dtype, derivative, wrapped, x.is_cpu, x.is_contiguous()

    def keys(self, x: Any, spec: Any, tensors: Mapping[str, Any]) -> Hashable:
        # The key of x says most; that of each further tensor anew would take 0.8 microseconds more.
        key = self.key(x, spec)
        if key is None:
            return None
        if type(spec) is not tuple and x.numel() > SMALL:  # it may be a product
            key = key, _rounds()
        for name, t in tensors.items():
            if type(t) not in PLAIN:
                return None
            needs = t.requires_grad and _needs_grad()
            key = key, name, t.shape, t.dtype, needs, _is_wrapped(t), t.is_cpu, t.layout, t.is_contiguous()
        return key

    def widen(self, dtype: str) -> str | None:
        return {"bool": "uint8", "uint16": "int32", "uint32": "int64", "uint64": None}.get(dtype, dtype)

    def from_numpy(self, array: Any) -> Any:
        if array.dtype.name == "bfloat16":
            return torch.from_numpy(array.astype("float32")).to(torch.bfloat16)
        return torch.from_numpy(array.copy())  # for the array may be read-only

    def gradient(self, run: Callable[[Any], Any], x: Any, cotangent: Any = None) -> Any:
        x = x.detach().requires_grad_()
        y = run(x)
        y = y[0] if isinstance(y, tuple) else y
        return torch.autograd.grad(y, x, torch.ones_like(y) if cotangent is None else cotangent)[0]

    def to_numpy(self, t: Any) -> Any:
        return (t.to(torch.float32) if t.dtype == torch.bfloat16 else t).numpy(force=True)


ADAPTER = TorchAdapter()
