"""A squeeze behind a pool, which drops a batch of 1, or axes of another order."""

from __future__ import annotations

from poolkit.port.python.names import Names
from poolkit.port.python.rules.order_after import results
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree


def squeezed_after(tree: Tree, names: Names, site: Site) -> None:
    """``squeeze()`` drops a batch of 1, and with axes it drops those of another layout."""
    calls = filter(None, map(tree.applied, results(tree, site)))
    steps = map(tensors_of(tree, names).of, calls)
    step = next((one for one in steps if one.name == "squeeze"), None)
    if step is None:
        return
    if step.rest:
        site.if_moved.append("the axes of the squeeze after it are those of the original's layout; write them anew")
    else:
        site.notes.append("the squeeze after it drops a batch of 1 as well; flatten(1) or keepdims=False does not")
