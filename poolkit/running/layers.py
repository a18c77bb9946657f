"""`layer`: a spec as a layer of a framework, written by that framework's adapter; and what adapters write them with."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from poolkit.running import dispatch, registry
from poolkit.spec.arguments import as_route
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained, explained_class

__all__ = ["Named", "Pooling", "layer", "pool", "pool_through"]

pool, pool_through = dispatch.stand_in(dispatch.pool), dispatch.stand_in(dispatch.pool_through)


class Named:
    """Layers with a framework's own names, of which a class statement says the facts, as ``kind="max"``."""

    kind: ClassVar[str]
    spatial: ClassVar[str]  # letters of the axes that are pooled
    before: ClassVar[str] = "NC"  # those that stand before them, where no layout is given

    def __init_subclass__(cls, **facts: object) -> None:
        super().__init_subclass__()
        for name, value in facts.items():
            setattr(cls, name, value)

    def spec_of(self, layout: str | None, **fields: Any) -> PoolSpec:
        return PoolSpec(self.kind, layout=self.before + self.spatial if layout is None else layout, **fields)


@explained_class
@dataclasses.dataclass(frozen=True)
class Pooling:
    """A callable that pools by a spec, where a framework has no layers; `route` asks for one of `poolkit.routes`.

    >>> import numpy as np
    >>> from poolkit import MaxPool
    >>> Pooling(MaxPool(2, layout="NCHW"))(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    spec: Operation
    route: str | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        as_spec(self.spec, "a layer takes (spec, route)")
        as_route(self.route)

    def __call__(self, x: Any, **tensors: Any) -> Any:
        """`tensors` are those that the spec takes besides, as ``mask=``."""
        return pool_through(x, self.spec, self.route, **tensors)


@explained
def layer(spec: Operation, backend: str, *, route: str | None = None, **options: Any) -> Any:
    """A layer that pools by `spec`: a torch.nn.Module, a keras.layers.Layer, a callable for the others.

    `route` asks for one of `poolkit.routes`, or "native"; further options (`name=`, …) are the framework's own. Raises
    `BackendError` where the framework is absent.

    >>> import numpy as np
    >>> from poolkit import GlobalAvgPool
    >>> gap = layer(GlobalAvgPool(layout="NHWC", keepdims=True), "numpy")
    >>> gap(np.ones((2, 7, 7, 64))).shape
    (2, 1, 1, 64)
    """
    as_spec(spec, "layer takes (spec, backend)")
    return registry.adapter(backend).layer(spec, route=route, **options)
