"""TensorFlow's faster routes. It does not tell whether a gradient is taken, so each is right with one."""

from __future__ import annotations

from poolkit.adapter import Route
from poolkit_tensorflow import routes_max, routes_sum

ROUTES: tuple[Route, ...] = (*routes_sum.ROUTES, *routes_max.ROUTES)
