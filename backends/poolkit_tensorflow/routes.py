"""TensorFlow's faster routes.

Without a tape no gradient of an eager call is taken. A function that is traced does not tell, so there each route is
right with one.
"""

from __future__ import annotations

from poolkit.lowering.backend import Route
from poolkit_tensorflow import routes_first, routes_fold, routes_max, routes_sum

ROUTES: tuple[Route, ...] = (*routes_sum.ROUTES, *routes_first.ROUTES, *routes_max.ROUTES, *routes_fold.ROUTES)
