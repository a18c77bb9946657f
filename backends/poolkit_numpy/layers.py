"""Pooling as a callable."""

from __future__ import annotations

import dataclasses
from typing import Any

from poolkit.running.dispatch import pool_through
from poolkit.spec.arguments import as_route
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.signatures import explained_class


@explained_class
@dataclasses.dataclass(frozen=True)
class Pool:
    """A callable that pools by a spec; `route` asks for one of `poolkit.routes`.

    >>> import numpy as np
    >>> from poolkit import MaxPool
    >>> Pool(MaxPool(2, layout="NCHW"))(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    spec: Operation
    route: str | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        as_spec(self.spec, "a layer takes (spec, route)")
        as_route(self.route)

    def __call__(self, x: Any) -> Any:
        return pool_through(x, self.spec, self.route)
