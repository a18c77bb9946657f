"""An average as large as the last map of a network, at one size of its images."""

from __future__ import annotations

from poolkit.diffs.agreeing import agreement
from poolkit.port.python.names import Names
from poolkit.port.python.rewrite import spec_of
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.spec.pool_spec import PoolSpec

SMALLEST = 5  # smaller windows pool a map in steps


def whole_at_one_size(tree: Tree, names: Names, site: Site) -> None:
    """An average over 7x7, as large as the last map of a network for images of 224x224."""
    spec = spec_of(site) if site.error is None else None
    if not isinstance(spec, PoolSpec) or spec.kind != "avg" or spec.axes is None or spec.padding != "valid":
        return
    window, stride = spec.window, spec.stride
    if not isinstance(window, tuple) or min(window) < SMALLEST or stride not in (window, (1,) * len(window)):
        return
    sizes = agreement(spec, PoolSpec("avg", output_size=1, layout=spec.layout))
    site.notes.append(f"it equals global pooling {sizes}; it is ported as it is written")
