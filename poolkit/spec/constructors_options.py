"""Constructors of the kinds that have options; each returns a `PoolSpec`, checked as one."""

from __future__ import annotations

from poolkit.spec.fields import Padding, Sizes
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained


@explained
def SoftPool(  # noqa: N802  # named as the layers that people know, here and below
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    beta: float = 1.0,
    grad: str = "exact",
    axes: str | None = None,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> PoolSpec:
    """The average of sliding windows with weights softmax(beta * x) (Stergiou, Poppe, Kalliatakis, 2021).

    With `grad="semi"` the weights are constants to a gradient, as published; with "exact" they have their own.

    >>> SoftPool(2, layout="NCHW")
    PoolSpec("softmax", window=2, layout="NCHW")
    """
    return PoolSpec(
        "softmax",
        window=window,
        stride=stride,
        padding=padding,
        layout=layout,
        axes=axes,
        dilation=dilation,
        ceil_mode=ceil_mode,
        beta=beta,
        grad=grad,
    )


@explained
def LPPool(  # noqa: N802
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    p: float = 2.0,
    normalize: str = "sum",
    axes: str | None = None,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> PoolSpec:
    """The p-norm of sliding windows: of magnitudes, over real cells; with `normalize="mean"` of their average.

    >>> LPPool(2, layout="NCHW", p=3)
    PoolSpec("lp", window=2, layout="NCHW", p=3.0)
    """
    return PoolSpec(
        "lp",
        window=window,
        stride=stride,
        padding=padding,
        layout=layout,
        axes=axes,
        dilation=dilation,
        ceil_mode=ceil_mode,
        p=p,
        normalize=normalize,
    )


@explained
def GeM(  # noqa: N802
    *, layout: str, keepdims: bool, p: float = 3.0, eps: float = 1e-6, axes: str | None = None
) -> PoolSpec:
    """The generalized mean over whole axes (Radenovic, Tolias, Chum, 2017), of cells that are at least `eps`.

    `keepdims` must be said. Windows of it: ``PoolSpec("gem", window=2, …)``.

    >>> GeM(layout="NCHW", keepdims=False).output_shape((1, 512, 7, 7))
    (1, 512)
    """
    return PoolSpec("gem", output_size=1, layout=layout, axes=axes, keepdims=keepdims, p=p, eps=eps)
