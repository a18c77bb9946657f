"""PyTorch's faster routes."""

from __future__ import annotations

from poolkit_torch import routes_max, routes_sum

from poolkit.adapter import Route

ROUTES: tuple[Route, ...] = (*routes_max.ROUTES, *routes_sum.ROUTES)
