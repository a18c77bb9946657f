"""PyTorch's faster routes."""

from __future__ import annotations

from poolkit.adapter import Route

ROUTES: tuple[Route, ...] = ()
