"""Pooling as torch.nn.Modules: `Pool` for any spec, and classes with the names, arguments and defaults of torch.nn's.

The classes take batched and unbatched input as torch.nn's do, and besides its arguments `layout`, for windows paddings
such as "same" or ((low, high), …), and for adaptive pooling `keepdims`.
"""

from __future__ import annotations

from typing import Any

import torch

from poolkit.errors import InputError
from poolkit.running.layers import Named, pool, pool_through
from poolkit.spec.arguments import as_route
from poolkit.spec.fields import Padding, Sizes
from poolkit.spec.operation import Operation, as_spec, operation_from_dict
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import keep_text
from poolkit.spec.values import flag

_Proxy = torch.fx.Proxy  # asked for at every call

OutputSize = int | tuple[int | None, ...] | None


@explained_class
class Pool(Named, torch.nn.Module):
    """A layer that pools by a spec; it has no parameters and no state besides the spec.

    `route` asks for one of `poolkit.routes`, or "native" for torch's own call, which converters recognise.

    >>> import torch
    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NCHW"))(torch.ones(1, 3, 8, 8)).shape
    torch.Size([1, 3, 4, 4])
    """

    spec: Operation
    route: str | None
    before = "...C"

    def __init__(self, spec: Operation, *, route: str | None = None) -> None:
        super().__init__()
        self.spec = as_spec(spec, "a layer takes (spec, route)")
        if not torch.compiler.is_dynamo_compiling():
            keep_text(self.spec)
        self.route = as_route(route)

    def forward(self, x: torch.Tensor, **tensors: torch.Tensor | None) -> Any:
        """`tensors` are those that the spec takes besides, as ``mask=``."""
        if isinstance(x, _Proxy):  # torch.fx is tracing the model: there a layer is one node, as torch.nn's are
            tracer: Any = x.tracer
            return tracer.create_proxy("call_module", tracer.path_of_module(self), (x,), tensors)
        if self.route is None:
            return pool(x, self.spec, **tensors) if tensors else pool(x, self.spec)
        return pool_through(x, self.spec, self.route, **tensors)

    def __prepare_scriptable__(self) -> Any:
        raise InputError(
            f"received torch.jit.script of a layer for {self.spec}, and TorchScript takes no layer of poolkit; "
            "trace the model with torch.jit.trace, export it with torch.export, "
            'or script the layer that poolkit.native(spec, "torch") gives'
        )

    def extra_repr(self) -> str:
        return repr(self.spec) + (f", route={self.route!r}" if self.route else "")


@explained_class
class _MaxPool(Pool):
    kind = "max"

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Padding = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        *,
        layout: str | None = None,
    ) -> None:
        sizes = {"window": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
        super().__init__(self.spec_of(layout, **sizes, indices=return_indices, ceil_mode=ceil_mode))


class MaxPool1d(_MaxPool, spatial="L"):
    """`torch.nn.MaxPool1d`."""


class MaxPool2d(_MaxPool, spatial="HW"):
    """`torch.nn.MaxPool2d`.

    >>> import torch
    >>> MaxPool2d(3, 2, 1)(torch.ones(1, 64, 112, 112)).shape
    torch.Size([1, 64, 56, 56])
    """


class MaxPool3d(_MaxPool, spatial="DHW"):
    """`torch.nn.MaxPool3d`."""


@explained_class
class _AvgPool(Pool):
    kind = "avg"

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        *,
        layout: str | None = None,
    ) -> None:
        sizes = {"window": kernel_size, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
        # A divisor that is given replaces every count.
        counted = flag("count_include_pad", count_include_pad) and divisor_override is None
        super().__init__(self.spec_of(layout, **sizes, count_include_pad=counted, divisor_override=divisor_override))


class AvgPool1d(_AvgPool, spatial="L"):
    """`torch.nn.AvgPool1d`; like it, padding counts unless `count_include_pad=False`."""


class AvgPool2d(_AvgPool, spatial="HW"):
    """`torch.nn.AvgPool2d`; like it, padding counts unless `count_include_pad=False`.

    >>> import torch
    >>> AvgPool2d(2)(torch.ones(1, 8, 6, 6)).shape
    torch.Size([1, 8, 3, 3])
    """


class AvgPool3d(_AvgPool, spatial="DHW"):
    """`torch.nn.AvgPool3d`; like it, padding counts unless `count_include_pad=False`."""


@explained_class
class _AdaptiveAvgPool(Pool):
    kind = "avg"

    def __init__(self, output_size: OutputSize, *, layout: str | None = None, keepdims: bool = True) -> None:
        super().__init__(self.spec_of(layout, output_size=_size(output_size, self.spatial), keepdims=keepdims))


def _size(output_size: OutputSize, spatial: str) -> Any:
    """An output size, of which None leaves all axes as they are."""
    return (None,) * len(spatial) if output_size is None else output_size


class AdaptiveAvgPool1d(_AdaptiveAvgPool, spatial="L"):
    """`torch.nn.AdaptiveAvgPool1d`."""


class AdaptiveAvgPool2d(_AdaptiveAvgPool, spatial="HW"):
    """`torch.nn.AdaptiveAvgPool2d`.

    >>> import torch
    >>> AdaptiveAvgPool2d(1, layout="NHWC", keepdims=False)(torch.ones(1, 7, 7, 2048)).shape
    torch.Size([1, 2048])
    """


class AdaptiveAvgPool3d(_AdaptiveAvgPool, spatial="DHW"):
    """`torch.nn.AdaptiveAvgPool3d`."""


@explained_class
class _AdaptiveMaxPool(Pool):
    kind = "max"

    def __init__(
        self, output_size: OutputSize, return_indices: bool = False, *, layout: str | None = None, keepdims: bool = True
    ) -> None:
        size = _size(output_size, self.spatial)
        super().__init__(self.spec_of(layout, output_size=size, indices=return_indices, keepdims=keepdims))


class AdaptiveMaxPool1d(_AdaptiveMaxPool, spatial="L"):
    """`torch.nn.AdaptiveMaxPool1d`."""


class AdaptiveMaxPool2d(_AdaptiveMaxPool, spatial="HW"):
    """`torch.nn.AdaptiveMaxPool2d`.

    >>> import torch
    >>> values, indices = AdaptiveMaxPool2d(1, return_indices=True)(torch.arange(12.0).view(1, 1, 3, 4))
    >>> indices.item()
    11
    """


class AdaptiveMaxPool3d(_AdaptiveMaxPool, spatial="DHW"):
    """`torch.nn.AdaptiveMaxPool3d`."""


# A layer holds plain values, and an operation is checked when it is read: torch.load(weights_only=True) may make it.
_LAYERS = [cls for cls in list(vars().values()) if isinstance(cls, type) and issubclass(cls, Pool)]
torch.serialization.add_safe_globals([*_LAYERS, operation_from_dict])
