"""`layer`: a spec as a layer of a framework, written by that framework's adapter."""

from __future__ import annotations

from typing import Any

from poolkit.running import registry
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.signatures import explained


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
