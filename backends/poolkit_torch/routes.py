"""PyTorch's faster routes."""

from __future__ import annotations

from poolkit.lowering.backend import Route
from poolkit_torch import routes_keys, routes_max, routes_select, routes_sum, routes_tiles, routes_volumes

ROUTES: tuple[Route, ...] = (
    *routes_max.ROUTES,
    *routes_select.ROUTES,
    *routes_sum.ROUTES,
    *routes_tiles.ROUTES,
    *routes_volumes.ROUTES,
    *routes_keys.ROUTES,
)
