"""Constructors of poolings with weights; each returns a `Learned`, of which a layer holds the weights."""

from __future__ import annotations

from collections.abc import Sequence

from poolkit.spec.constructors import AvgPool, GlobalAvgPool
from poolkit.spec.fields import Padding, Sizes
from poolkit.spec.learned import Learned
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained
from poolkit.spec.values import plain


@explained
def LearnedOption(spec: PoolSpec, *, channels: int | None = None) -> Learned:  # noqa: N802  # as layers are, here and below
    """A pooling that learns its option, `p` of `gem` and `lp` or `beta`: one number, or with `channels` one for each.

    It begins with the spec's own. What is learned has to stay where the option is defined.

    >>> from poolkit import GeM
    >>> LearnedOption(GeM(layout="NCHW", keepdims=False)).parameters
    {'p': Parameter(shape=(), start=3.0, spread=0.0)}
    """
    return Learned("option", (spec,), channels=channels)


@explained
def LearnedMix(  # noqa: N802
    first: PoolSpec, second: PoolSpec, *, channels: int | None = None, regions: Sequence[int] | None = None
) -> Learned:
    """`sigmoid(share)` of the first pooling and the rest of the second (Lee, Gallagher, Tu, 2016); 0 is half of each.

    There is one share; with `channels` one for each, with `regions`, the result's sizes along the pooled axes, one for
    each place.

    >>> from poolkit import AvgPool, MaxPool
    >>> mix = LearnedMix(MaxPool(2, layout="NCHW"), AvgPool(2, layout="NCHW"), channels=64, regions=(7, 7))
    >>> mix.parameters["share"].shape
    (64, 7, 7)
    """
    return Learned("mix", (first, second), channels=channels, regions=regions)


@explained
def GatedMix(  # noqa: N802
    first: PoolSpec, second: PoolSpec, *, channels: int | None = None, regions: Sequence[int] | None = None
) -> Learned:
    """A mix whose share is found for each window: `sigmoid(sum(gate * cells))`, with a weight for each cell.

    >>> from poolkit import AvgPool, MaxPool
    >>> GatedMix(MaxPool(3, 2, layout="NCHW"), AvgPool(3, 2, layout="NCHW")).parameters["gate"].shape
    (9,)
    """
    return Learned("gate", (first, second), channels=channels, regions=regions)


@explained
def AdaPool(  # noqa: N802
    window: Sizes = 2,
    stride: Sizes | None = None,
    padding: Padding = "valid",
    *,
    layout: str,
    channels: int | None = None,
    regions: Sequence[int] | None = None,
) -> Learned:
    """`sigmoid(share)` of an average by how alike cells and their average are, the rest a SoftPool (arXiv 2111.00772).

    >>> import numpy as np
    >>> pool, x = AdaPool(4, layout="NCL"), np.array([[[1.0, 2.0, 3.0, 4.0]]])
    >>> pool(x, share=np.array(0.0)).round(6)
    array([[[3.032451]]])
    """
    spec = PoolSpec("softmax", window=window, stride=stride, padding=padding, layout=layout)
    return Learned("adapool", (spec,), channels=channels, regions=regions)


@explained
def LIPPool(  # noqa: N802
    window: Sizes = 3,
    stride: Sizes | None = 2,
    padding: Padding = 1,
    *,
    layout: str,
    channels: int,
    logits: str = "projection",
    hidden: int = 128,
) -> Learned:
    """Local importance pooling (Gao, Wang, Wu, 2019): cells are averaged with weights exp(logits), a small network's.

    `logits` is "projection" (a product of the channels), "simplified" (a convolution of 3) or "bottleneck" (1, 3 and 1
    with `hidden` channels), each with an instance normalisation. It begins as an average.

    >>> list(LIPPool(layout="NCHW", channels=64).parameters)
    ['conv1', 'scale1', 'shift1']
    """
    spec = AvgPool(window, stride, padding, layout=layout)
    form: object = plain(logits)
    narrow = isinstance(form, str) and form == "bottleneck"
    return Learned("lip", (spec,), channels=channels, form=logits, hidden=hidden if narrow else None)


@explained
def AttentionPool(  # noqa: N802
    *, layout: str, keepdims: bool, channels: int, hidden: int = 128, gated: bool = True, axes: str | None = None
) -> Learned:
    """An average with weights softmax(head * tanh(score)) (Ilse, Tomczak, Welling, 2018), `gated` by a sigmoid.

    >>> AttentionPool(layout="NLC", keepdims=False, channels=512).output_shape((2, 100, 512))
    (2, 512)
    """
    spec = GlobalAvgPool(layout=layout, keepdims=keepdims, axes=axes)
    return Learned("attention", (spec,), channels=channels, hidden=hidden, form="gated" if gated is True else "")


@explained
def LatentAttentionPool(  # noqa: N802
    *,
    layout: str,
    keepdims: bool,
    channels: int,
    heads: int = 1,
    hidden: int | None = None,
    axes: str | None = None,
) -> Learned:
    """Attention of one learned query over all cells, by `heads`; with `hidden`, a network behind it (as of SigLIP).

    >>> LatentAttentionPool(layout="NLC", keepdims=False, channels=768, heads=12).parameters["latent"].shape
    (768,)
    """
    spec = GlobalAvgPool(layout=layout, keepdims=keepdims, axes=axes)
    return Learned("latent", (spec,), channels=channels, heads=heads, hidden=hidden)
