"""Two means of one axis each that are one global average: ``x.mean(3).mean(2)`` in PyTorch."""

from __future__ import annotations

from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import NotPooling
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.spec.values import is_many

# The axes of both means of NCHW, inner ones first, where the axis of the first is dropped, and where it is kept.
DROPPED = {(3, 2), (2, 2), (-1, -1), (-1, 2), (3, -1), (-2, -1), (2, -1)}
KEPT = {(a, b) for h in (2, -2) for w in (3, -1) for a, b in ((h, w), (w, h))}


def paired(tree: Tree, names: Names, found: list[Site]) -> list[Site]:
    """The sites, where two means of one axis are one.

    >>> from poolkit.port.python.sites import sites
    >>> tree = Tree("import torch; y = x.mean(3).mean(2)")
    >>> [site.fields["keepdims"] for site in paired(tree, Names(tree), sites(tree, Names(tree)))]
    [False]
    """
    means = table.every(lambda usage: usage.nested)
    outer = {id(site.tensor): site for site in found if site.word in means and site.tensor is not None}
    gone: list[Site] = []
    for inner in found:
        second = outer.get(id(inner.outer))
        if second is not None and inner.word in means and _join(inner, second):
            gone.append(second)
    return [site for site in found if not any(site is one for one in gone)]


def _join(inner: Site, outer: Site) -> bool:
    """Make the first of two means both, if they are one pool."""
    first, second = _axis(inner), _axis(outer)
    if first is None or second is None or first[1] != second[1] or inner.tensor is None:
        return False
    if (first[0], second[0]) not in (KEPT if first[1] else DROPPED):
        return False
    inner.fields = {"kind": "avg", "output_size": 1, "keepdims": first[1], "layout": "NCHW"}
    inner.outer, inner.error, inner.computed, inner.reformed = outer.outer, None, "", True
    return True


def _axis(site: Site) -> tuple[int, bool] | None:
    """The one axis of a mean, and whether it is kept."""
    if not isinstance(site.error, NotPooling):
        return None
    args, named = _plain(site.call)
    axis: Any = named.pop("dim", named.pop("axis", args[0] if args else None))
    keep = named.pop("keepdim", named.pop("keepdims", args[1] if len(args) > 1 else False))
    axis = axis[0] if is_many(axis) and len(axis) == 1 else axis
    return (axis, keep) if type(axis) is int and type(keep) is bool and not named else None


def _plain(call: Call) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a mean without its tensor."""
    named = dict(call.kwargs)
    return list(call.args if named.pop("input", None) is not None else call.args[1:]), named
