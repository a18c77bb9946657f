"""Pooling as a callable."""

from __future__ import annotations

from poolkit.running.layers import Pooling


class Pool(Pooling):
    """A callable that pools by a spec; `route` asks for one of `poolkit.routes`.

    >>> import numpy as np
    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NCHW"))(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """
