"""Whether the positions of a reduction tell its layout, where nobody says how many axes the tensor has."""

from __future__ import annotations

from collections.abc import Sequence

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Dialect, NotPooling
from poolkit.errors import NotExactError
from poolkit.running.registry import EVERYWHERE


def check_axes(axis: Sequence[int], layout: str, dialect: Dialect, call: Call) -> None:
    """Raise where axes that fit a layout are as often meant in another one.

    >>> from poolkit.dialects.table import dialect
    >>> check_axes((2, 3, 4), "NCDHW", dialect("torch"), Call("torch.mean"))
    >>> check_axes((1, 2, 3), "NDHWC", dialect("jax"), Call("f"))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    poolkit.dialects.dialect.NotPooling: its axes (1, 2, 3) may be height, width and channels
    """
    first = dialect.layouts.get(2) == "NCHW" and dialect.name not in EVERYWHERE  # elsewhere either order is common
    forward = all(n >= 0 for n in axis)
    if len(axis) == 3 and not _surely_volumes(layout, first, forward):
        raise NotPooling(
            f"received {call}, and its axes {tuple(axis)} of a tensor of unknown rank are as often height, width and "
            "channels, as in a loss; if it pools, give the layout"
        )
    if len(axis) == 2 and dialect.usage.single_images and forward and layout.endswith("C"):
        # Of an image without a batch they are the spatial ones, of a batch of images they are C and H.
        raise NotExactError(
            f"received {call}, and its axes {tuple(axis)} are spatial in CHW and in NHWC and in {dialect.layouts[2]} "
            "they are not; give the layout, or write a pooling layer"
        )


def _surely_volumes(layout: str, first: bool, forward: bool) -> bool:
    """Whether three axes are those of volumes.

    (1, 2, 3) is H, W and C of images where channels come last, and C, H and W where they come first; so is
    (-3, -2, -1). (2, 3, 4) needs five axes: with channels first they are NCDHW's, with channels last the last one is
    the channels of a film, and so it is no pool either. (-4, -3, -2) leaves the channels out where they come last.
    """
    return layout == "NCDHW" and forward if first else layout == "NDHWC" and not forward
