"""Pooling as a tf.Module; it needs no Keras."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from poolkit.dispatch import pool_through
from poolkit.mix import Mix
from poolkit.spec import PoolSpec


class Pool(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A module that pools by a spec; `route` asks for one of `poolkit.routes`.

    >>> import tensorflow as tf
    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NHWC"))(tf.ones([1, 8, 8, 3])).shape.as_list()
    [1, 4, 4, 3]
    """

    def __init__(self, spec: PoolSpec | Mix, *, route: str | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self.spec = spec
        self.route = route

    def __call__(self, x: Any) -> Any:
        return pool_through(x, self.spec, self.route)
