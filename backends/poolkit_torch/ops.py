"""PyTorch's primitives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from poolkit.lowering.operators import Operators
from poolkit.lowering.primitives import Tensor
from poolkit.programs.recorder import choose
from poolkit.spec.dtypes import bounds
from poolkit_torch.routes_mesh import beside

BYTES = ("uint8", "int8", "int16")


class Ops(Operators):
    """The primitives of `poolkit.lowering.primitives.Ops` in PyTorch."""

    imports: ClassVar[dict[str, str]] = {"torch": "import torch", "F": "import torch.nn.functional as F"}
    torch: Any = torch
    F: Any = torch.nn.functional
    module = "torch"
    spelled: ClassVar[dict[str, str]] = {"concatenate": "cat", "transpose": "permute", "max": "amax", "min": "amin"}
    nan_wins = puts = zeros = channels_first = True
    drop = Operators.drop_in_turn

    def typed(self, dtype: str) -> Any:
        return getattr(self.torch, dtype)

    def reduced(self, name: str, x: Tensor, ats: int | tuple[int, ...], **more: Any) -> Tensor:
        return self.function(name)(x, ats, keepdim=True, **more)

    def pad(self, x: Tensor, at: int, low: Any, high: Any, value: float) -> Tensor:
        return self.F.pad(x, (0, 0) * (self.rank - 1 - at) + (low, high), value=value)

    def merge(self, x: Tensor, n: int, size: Any) -> Tensor:
        return x.flatten(self.rank - n)  # at a reshape of no numbers the older exporter to ONNX ends the process

    def either(self, a: Tensor, b: Tensor) -> Tensor:
        return self.torch.logical_or(a, b)  # Core ML's converter has no `|`

    def broadcast(self, x: Tensor, like: Tensor) -> Tensor:
        return x.expand(like.shape).clone()

    def lengthened(self, t: Tensor, x: Tensor, at: int) -> Tensor:
        return t.expand([x.shape[i] if i == at else -1 for i in range(self.rank)])

    def isnan(self, a: Tensor) -> Tensor:
        return a != a

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        # A derivative looks at each end that is said; others ONNX takes for the largest number. (1, inf) is of ints.
        said = type(low) is type(high) and (torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export())
        return self.torch.clamp(x, *[end if said or math.isfinite(end) else None for end in (low, high)])

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        return self.torch.index_select(x, at, places)

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        # torch.take_along_dim makes torch.export take a size of `x` that is not known for the one of its example.
        sizes = [-1 if i == at else x.shape[i] for i in range(self.rank)]
        return self.torch.gather(x, at, places.to(self.torch.int64).expand(sizes))

    def segment(self, x: Tensor, ids: Tensor, n: int, how: str, or_zero: bool = False) -> Tensor:
        shape = (n, *[x.shape[at] for at in range(1, self.rank)])
        rows = how == "sum" and self.alone  # with a gradient `index_add` takes 0.86 of the time of `scatter_add`
        places = ids if rows else ids.long().view(self.along(0)).expand_as(x)  # gather, its gradient, misreads int32
        # Of integers extremes are 20 times as slow, and float64 holds those of 32 bits.
        double = self.dtype == "float32" and self.exact if how == "sum" else self.dtype == "int32"
        wide = x.to(self.torch.float64) if double else x
        if how == "sum":  # the older exporter to ONNX gets `index_add` wrong
            made = self.into(wide, shape, "index_add" if rows else "scatter_add")(0, places, wide)
        elif or_zero:
            made = self.into(wide, shape, "scatter_reduce")(0, places, wide, f"a{how}", include_self=False)
        else:
            none = wide.new_full((), bounds(self.dtype)[how == "min"]).expand(shape)
            made = none.scatter_reduce(0, places, wide, f"a{how}")
        return made if wide is x else made.to(x.dtype)

    def into(self, x: Tensor, shape: tuple[Any, ...], how: str) -> Any:
        """What scatters into zeros; an expanded 0 is copied first, for 5 of the 150 microseconds of a segment."""
        return getattr(x.new_zeros(shape), f"{how}_") if self.alone else getattr(x.new_zeros(()).expand(shape), how)

    def counts(self, ids: Tensor, n: int) -> Tensor:
        ones = self.torch.ones_like(ids, dtype=self.typed(self.dtype))
        return self.into(ones, (n,), "scatter_add")(0, ids, ones)

    def put(self, x: Tensor, places: Tensor, n: Any) -> Tensor:
        return self.into(x, self.row(x, n), "scatter")(-1, places, x)

    def last(self, x: Tensor, n: Any) -> Tensor:
        line = self.torch.arange(x.shape[-1], device=x.device, dtype=self.torch.float64).expand_as(x)
        made = line.new_full((), -1).expand(self.row(x, n + 1)).scatter_reduce(-1, x + 1, line, "amax")
        return made.view(self.row(x, n + 1))[..., 1:].to(self.torch.int32)  # in ONNX a rank is lost before

    def beside(self, x: Tensor, widths: tuple[tuple[int, int], tuple[int, int]], mirrored: bool) -> Tensor:
        return self.F.pad(x, (*widths[1], *widths[0]), mode="reflect" if mirrored else "replicate")

    def weigh(self, x: Tensor, kernel: Tensor, stride: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
        return self.F.conv2d(x, kernel.expand(x.shape[1], 1, -1, -1), None, stride, 0, dilation, x.shape[1])

    def convolve(
        self, x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
    ) -> Tensor:
        ones = self.torch.ones((1, 1, *window), dtype=x.dtype, device=x.device)
        return getattr(self.F, f"conv{len(window)}d")(x[:, None], ones, stride=stride, dilation=dilation)[:, 0]

    def order(self, x: Tensor, at: int) -> Tensor:
        stable = {} if torch.onnx.is_in_onnx_export() else {"stable": True}  # ONNX has one sort, which is
        return self.torch.sort(x, dim=at, **stable)[1].to(self.torch.int32)

    def sort(self, x: Tensor, at: int) -> Tensor:
        return self.torch.sort(x, at)[0]

    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        # Eager torch.sum is pairwise (1.2 eps at 1024x1024), Inductor's is not (4.8 eps at 512x512).
        return self.torch.sum(x, ats, keepdim=True, dtype=self.torch.float64).to(x.dtype)

    def own_sum(self, x: Tensor, ats: tuple[int, ...], few: bool = False) -> Tensor:
        return self.running(x, ats)  # in float32, which every device has

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        if self.dtype in BYTES and torch.onnx.is_in_onnx_export():  # ONNX adds up none
            return super().pick(chosen, x.to(self.torch.int32), at).to(x.dtype)
        return super().pick(chosen, x, at)

    def extreme(self, which: str, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        if ats[-1] == self.rank - 1:
            return self.reduced(which, x, ats)
        for at in reversed(ats):  # one axis after the other is up to twice as fast where the channels come last
            x = self.reduced(which, x, at)
        return x

    def iota(self, x: Tensor, at: int) -> Tensor:
        return beside(self.torch.arange(x.shape[at], dtype=self.torch.int32, device=x.device).view(self.along(at)), x)

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        made = self.torch.tensor(values, dtype=self.typed(dtype), device=like.device)
        return beside(made.view(self.along(at)), like)

    def between(self, x: Tensor, low: float, high: float) -> Any:
        if low == -math.inf and high == math.inf:  # which one call tells: infinite less infinite is NaN
            added = self.torch.sum(x).item()
            return added - added == 0
        ends = self.torch.aminmax(x)
        return (ends[0].item() > low) & (ends[1].item() < high)

    def branch(
        self, right: Any, near: Callable[[Tensor], Tensor], far: Callable[[Tensor], Tensor], x: Tensor
    ) -> Tensor:
        return choose(right, lambda: near(x), lambda: far(x))

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return x.to(self.typed(dtype))

    def cast_like(self, x: Tensor, like: Tensor) -> Tensor:
        return x.to(like.dtype)

    def detach(self, x: Tensor) -> Tensor:
        return x.detach()

    def copy(self, x: Tensor) -> Tensor:
        return x.clone()
