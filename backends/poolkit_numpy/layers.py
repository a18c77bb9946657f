"""Pooling as a callable."""

from __future__ import annotations

from poolkit.running.layers import Pooling


class Pool(Pooling):
    """A callable that pools by a spec; `route` asks for one of `poolkit.routes`."""
