"""What the report says of the calls around a pool, which stay as they are."""

from __future__ import annotations

import ast

from poolkit.diffs.agreeing import agreement
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node
from poolkit.port.python.rewrite import spec_of
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import step_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of, only_use
from poolkit.spec.pool_spec import PoolSpec


def results(tree: Tree, site: Site) -> list[Node]:
    """Where the result of a site stands: as it is made, and by the name that alone it is used by."""
    made = calls_of(tree, site.outer) if site.role == "layer" else [site.outer]
    found: list[Node] = [*made]
    for node in made:
        statement = tree.parent(node)
        use = only_use(tree, statement) if isinstance(statement, ast.Assign) else None
        found += [use] if use is not None else []
    return found


def squeezed_after(tree: Tree, names: Names, site: Site) -> None:
    """``squeeze()`` drops a batch of 1, and with axes it drops those of another layout."""
    steps = [step_of(names, call) for call in map(tree.applied, results(tree, site)) if call is not None]
    step = next((one for one in steps if one.name == "squeeze"), None)
    if step is None:
        return
    if step.rest:
        site.if_moved.append("the axes of the squeeze after it are those of the original's layout; write them anew")
    else:
        site.notes.append("the squeeze after it drops a batch of 1 as well; flatten(1) or keepdims=False does not")


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
