"""Constructors in the words that people know; each returns a `PoolSpec` of its arguments, checked as one."""

from __future__ import annotations

from collections.abc import Sequence

from poolkit.spec.fields import Padding, Sizes
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained


@explained
def AvgPool(  # noqa: N802  # named as the layers that people know, here and below
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    axes: str | None = None,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    divisor_override: float | None = None,
) -> PoolSpec:
    """The average of sliding windows, over their real cells alone unless `count_include_pad`.

    >>> AvgPool(3, 2, "same", layout="NCHW").output_shape((1, 8, 7, 7))
    (1, 8, 4, 4)
    """
    return PoolSpec("avg", **locals())


@explained
def MaxPool(  # noqa: N802
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
    """The largest element of sliding windows, with `indices` also where it was.

    >>> MaxPool(3, 2, "same", layout="NCHW").output_shape((1, 64, 112, 112))
    (1, 64, 56, 56)
    """
    return PoolSpec("max", **locals())


@explained
def MinPool(  # noqa: N802
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
    """The smallest element of sliding windows, with `indices` also where it was.

    >>> MinPool((1, 2), layout="NHWC").output_shape((1, 4, 8, 3))
    (1, 4, 4, 3)
    """
    return PoolSpec("min", **locals())


@explained
def SumPool(  # noqa: N802
    window: Sizes,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    axes: str | None = None,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> PoolSpec:
    """The sum of sliding windows.

    >>> SumPool(2, 1, "causal", layout="NLC").output_shape((1, 16, 3))
    (1, 16, 3)
    """
    return PoolSpec("sum", **locals())


@explained
def AdaptiveAvgPool(  # noqa: N802
    output_size: int | Sequence[int | None],
    *,
    layout: str,
    axes: str | None = None,
    keepdims: bool = True,
) -> PoolSpec:
    """The averages of bins that divide each pooled axis into `output_size` parts; None leaves an axis as it is.

    >>> AdaptiveAvgPool((7, None), layout="NCHW").output_shape((1, 8, 30, 20))
    (1, 8, 7, 20)
    """
    return PoolSpec("avg", output_size=output_size, layout=layout, axes=axes, keepdims=keepdims)


@explained
def AdaptiveMaxPool(  # noqa: N802
    output_size: int | Sequence[int | None],
    *,
    layout: str,
    axes: str | None = None,
    keepdims: bool = True,
    indices: bool = False,
) -> PoolSpec:
    """The largest elements of bins that divide each pooled axis into `output_size` parts; None leaves an axis as it is.

    >>> AdaptiveMaxPool(6, layout="NHWC").output_shape((1, 30, 20, 8))
    (1, 6, 6, 8)
    """
    return PoolSpec("max", output_size=output_size, layout=layout, axes=axes, keepdims=keepdims, indices=indices)


@explained
def AdaptiveMinPool(  # noqa: N802
    output_size: int | Sequence[int | None],
    *,
    layout: str,
    axes: str | None = None,
    keepdims: bool = True,
    indices: bool = False,
) -> PoolSpec:
    """The smallest elements of bins that divide each pooled axis into `output_size` parts; None leaves one as it is.

    >>> AdaptiveMinPool(6, layout="NHWC").output_shape((1, 30, 20, 8))
    (1, 6, 6, 8)
    """
    return PoolSpec("min", output_size=output_size, layout=layout, axes=axes, keepdims=keepdims, indices=indices)


@explained
def GlobalAvgPool(*, layout: str, keepdims: bool, axes: str | None = None) -> PoolSpec:  # noqa: N802
    """The average over whole axes; `keepdims` must be said: PyTorch keeps the pooled axes, Keras drops them.

    >>> GlobalAvgPool(layout="NHWC", keepdims=True).output_shape((2, 32, 32, 256))
    (2, 1, 1, 256)
    """
    return PoolSpec("avg", output_size=1, layout=layout, axes=axes, keepdims=keepdims)


@explained
def GlobalMaxPool(  # noqa: N802
    *, layout: str, keepdims: bool, axes: str | None = None, indices: bool = False
) -> PoolSpec:
    """The largest element of whole axes; `keepdims` must be said: PyTorch keeps the pooled axes, Keras drops them.

    >>> GlobalMaxPool(layout="NTHWC", axes="T", keepdims=False).output_shape((2, 8, 32, 32, 64))
    (2, 32, 32, 64)
    """
    return PoolSpec("max", output_size=1, layout=layout, axes=axes, keepdims=keepdims, indices=indices)


@explained
def GlobalMinPool(  # noqa: N802
    *, layout: str, keepdims: bool, axes: str | None = None, indices: bool = False
) -> PoolSpec:
    """The smallest element of whole axes; `keepdims` must be said.

    >>> GlobalMinPool(layout="NHWC", keepdims=False).output_shape((2, 32, 32, 256))
    (2, 256)
    """
    return PoolSpec("min", output_size=1, layout=layout, axes=axes, keepdims=keepdims, indices=indices)


@explained
def GlobalSumPool(*, layout: str, keepdims: bool, axes: str | None = None) -> PoolSpec:  # noqa: N802
    """The sum over whole axes; `keepdims` must be said.

    >>> GlobalSumPool(layout="NLC", keepdims=False).output_shape((2, 512, 768))
    (2, 768)
    """
    return PoolSpec("sum", output_size=1, layout=layout, axes=axes, keepdims=keepdims)
