"""Constructors of the kinds that have options; each returns a `PoolSpec`, checked as one."""

from __future__ import annotations

from collections.abc import Sequence

from poolkit.spec.fields import Padding, Sizes
from poolkit.spec.messages import quoted, wrong
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained
from poolkit.spec.values import is_integer, is_many
from poolkit.spec.vocabulary import SYMBOLIC, spatial_letters


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
    return PoolSpec("softmax", **locals())


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
    return PoolSpec("lp", **locals())


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


@explained
def MedianPool(  # noqa: N802
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    quantile: float = 0.5,
    axes: str | None = None,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    indices: bool = False,
) -> PoolSpec:
    """The median of sliding windows, of two middle cells the lower; or another of the sorted cells by `quantile`.

    >>> MedianPool(3, 1, "same", layout="NCHW")
    PoolSpec("median", window=3, stride=1, padding="same", layout="NCHW")
    """
    return PoolSpec("median", **locals())


@explained
def BlurPool(  # noqa: N802
    window: Sizes = 3,
    stride: Sizes = 2,
    padding: Padding | None = None,
    *,
    layout: str,
    pad_mode: str = "reflect",
    axes: str | None = None,
) -> PoolSpec:
    """Every `stride`-th cell of a map that binomial weights have blurred (Zhang, 2019); `window` is 1 to 7.

    Without `padding` it is half a window on each side, of an even window the larger half behind.

    >>> BlurPool(layout="NCHW")
    PoolSpec("blur", window=3, stride=2, padding=1, layout="NCHW")
    >>> BlurPool((4, 5), layout="NHWC", pad_mode="zeros").padding
    ((1, 2), (2, 2))
    """
    return PoolSpec(
        "blur",
        window=window,
        stride=stride,
        padding=_centred(window, layout, axes) if padding is None else padding,
        layout=layout,
        axes=axes,
        pad_mode=pad_mode,
    )


def _centred(window: object, layout: object, axes: object) -> Padding:
    """What a window that is none, or a layout, is answered with is the spec's own error."""
    if is_many(window):
        return tuple([((int(k) - 1) // 2, int(k) // 2) if is_integer(k) and int(k) > 0 else (0, 0) for k in window])
    if not is_integer(window) or int(window) < 1 or not isinstance(layout, str):
        return "valid"
    k = int(window)
    if k % 2:
        return k // 2
    if layout in SYMBOLIC:
        rule = f"the halves of an even window are {(k - 1) // 2} and {k // 2}, on every spatial axis"
        do = f"give them for each axis, as in padding=({((k - 1) // 2, k // 2)}, …)"
        raise wrong(f"window={k} with layout={quoted(layout)} and no padding", rule, do)
    pooled = axes if isinstance(axes, str) else spatial_letters(layout.removeprefix("..."))
    return (((k - 1) // 2, k // 2),) * len(pooled)


@explained
def StochasticPool(  # noqa: N802
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    axes: str | None = None,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    indices: bool = False,
) -> PoolSpec:
    """A cell of each window, drawn with a chance in proportion to its value (Zeiler, Fergus, 2013).

    It is drawn by `key=` when pooling, as `pk.Key(0)`, or by `samples=`, numbers from 0 to below 1, one for each number
    of the result. Without them all cells are averaged by their chances, as for testing.

    >>> import numpy as np
    >>> pool, x = StochasticPool(4, layout="NCL"), np.array([[[1.0, 2.0, 3.0, 4.0]]])
    >>> pool(x), pool(x, samples=np.array([[[0.35]]]))
    (array([[[3.]]]), array([[[3.]]]))
    >>> pool(x, samples=np.array([[[0.2]]]))
    array([[[2.]]])
    """
    return PoolSpec("stochastic", **locals())


@explained
def FractionalMaxPool(  # noqa: N802
    window: Sizes | None = None,
    *,
    output_size: int | Sequence[int | None] | None = None,
    output_ratio: float | Sequence[float | None] | None = None,
    layout: str,
    overlapping: bool = True,
    axes: str | None = None,
    indices: bool = False,
) -> PoolSpec:
    """Maxima of windows whose places are drawn (Graham, 2014): as many as `output_size` or `output_ratio` says.

    With a window they may overlap, as PyTorch's; with `overlapping=False` there is none, and each cell is in one of
    them. They are drawn by `key=` or `samples=`, and without these in the middle.

    >>> import numpy as np
    >>> import poolkit as pk
    >>> pool, x = FractionalMaxPool(2, output_size=4, layout="NCL"), np.arange(10.0).reshape(1, 1, 10)
    >>> pool(x), pool(x, key=pk.Key(1))
    (array([[[1., 4., 6., 9.]]]), array([[[1., 3., 6., 9.]]]))
    """
    return PoolSpec("fractional_max", **locals())


@explained
def S3Pool(  # noqa: N802
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    grid: Sizes | None = None,
    layout: str,
    axes: str | None = None,
    dilation: Sizes = 1,
    indices: bool = False,
) -> PoolSpec:
    """Maxima with stride 1, of which each strip of `grid` rows and columns hands on some (Zhai and others, 2017).

    Of a strip as many are drawn as the stride fits into it, by `key=` when pooling, or by `samples=`, numbers from 0 to
    below 1 for each row and column. Without them the maxima are averaged, as for testing. A larger grid, a multiple of
    the stride, distorts more; by default it is the stride.

    >>> import numpy as np
    >>> import poolkit as pk
    >>> pool, x = S3Pool(2, grid=4, layout="NCHW"), np.arange(16.0).reshape(1, 1, 4, 4)
    >>> pool(x)
    array([[[[ 5. ,  6.5],
             [11. , 12.5]]]])
    >>> pool(x, key=pk.Key(1))
    array([[[[ 5.,  6.],
             [ 9., 10.]]]])
    """
    return PoolSpec("s3", **locals())
