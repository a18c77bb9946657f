"""Windows over the last axes of a tensor, which are not the spatial ones."""

from __future__ import annotations

from poolkit.dialects import table
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree


def last_axes(tree: Tree, names: Names, site: Site) -> None:
    """``hk.max_pool(x, (2, 2), (2, 2), "VALID")`` pools width and channels of NHWC, which nobody means."""
    if isinstance(site.fields, dict) and str(site.fields.get("layout")).startswith("..."):
        told = table.every(lambda usage: usage.last_axes.items())
        site.notes += [note for before, note in told if site.word.startswith(before)]
