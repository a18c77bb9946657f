"""Maxima of volumes by pools of maps, for a framework whose own pool hands a gradient to every one of equal cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor

Sizes = list[int]


def by_maps(
    o: Ops,
    x: Tensor,
    windows: tuple[Sizes, Sizes],
    pool: Callable[[Tensor, Sizes, Sizes], Tensor],
    sizes: Callable[[Ops, Tensor], list[Any]],
    shape: Callable[[Ops, list[Any]], Any],
) -> Tensor:
    """Of (N, D, H, W, C) each map is pooled, then the columns along D, so that the first cell of a window wins.

    `windows` are these and their strides. `pool` takes four axes, channels last; `sizes` gives those of a tensor, -1
    for any batch, and `shape` makes an argument of some.
    """
    (window, stride), maps_of = windows, o.of_rank(4)
    n = sizes(o, x)
    every = -1 if type(n[0]) is int else n[0] * n[1]
    maps = pool(o.reshape(x, shape(o, [every, *n[2:]])), window[1:], stride[1:])
    _, h, w, c = sizes(maps_of, maps)
    columns = pool(o.reshape(maps, shape(o, [*n[:2], h * w, c])), [window[0], 1], [stride[0], 1])
    return o.reshape(columns, shape(o, [n[0], sizes(maps_of, columns)[1], h, w, c]))
