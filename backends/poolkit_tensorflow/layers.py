"""Pooling as a tf.Module; it needs no Keras."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from poolkit.running.layers import pool_through
from poolkit.spec.arguments import as_route
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.signatures import explained_class


@explained_class
class Pool(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A module that pools by a spec; `route` asks for one of `poolkit.routes`.

    >>> import tensorflow as tf
    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NHWC"))(tf.ones([1, 8, 8, 3])).shape.as_list()
    [1, 4, 4, 3]
    """

    def __init__(self, spec: Operation, *, route: str | None = None, name: str | None = None) -> None:
        try:
            super().__init__(name=name)
        except (TypeError, ValueError) as error:
            raise wrong(f"name={shown(name)}", f"{error}", 'write it as in name="pool"') from None
        self.spec = as_spec(spec, "a layer takes (spec, route, name)")
        self.route = as_route(route)

    def __call__(self, x: Any, **tensors: Any) -> Any:
        """`tensors` are those that the spec takes besides, as ``mask=``."""
        return pool_through(x, self.spec, self.route, **tensors)
