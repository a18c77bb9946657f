"""Bins that are a spec's where an axis is divided evenly, and of other lengths elsewhere: Equinox's."""

from __future__ import annotations

from poolkit.dialects.dialect import AtSomeSizes
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree


def at_some_sizes(tree: Tree, names: Names, site: Site) -> None:
    """``eqx.nn.AdaptiveAvgPool2d(7)``: the port has these bins, and says at which sizes they are the original's."""
    if isinstance(site.error, AtSomeSizes):
        site.fields, site.caveats, site.error = site.error.fields, [*site.caveats, str(site.error)], None
