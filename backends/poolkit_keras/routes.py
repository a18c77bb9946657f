"""Keras's faster routes."""

from __future__ import annotations

from poolkit.lowering.backend import Route

ROUTES: tuple[Route, ...] = ()
