"""A reduction of counted axes whose tensor has a known order: they are the letters of that, whatever they look like."""

from __future__ import annotations

from collections.abc import Sequence

from poolkit.dialects import table
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.orders import STEPS
from poolkit.port.python.positions import lettered
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tensors import like, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.running.registry import EVERYWHERE
from poolkit.spec.values import is_many

TOLD = (
    "received {}, whose axes {} are {} of {}, the order that {} says, and a pool takes spatial axes alone; count the "
    "axes that are meant, or port it by hand"
)
UNFOLDED = (
    "received {}, and {} has an axis more for each unfold, so that {} are not the spatial axes of a layout; it stays "
    "as it is"
)
EITHER = (
    "received {}, whose axes {} of {} are spatial in whatever order, and nothing here says in which; give it by "
    "--source-layout, or port it by hand"
)
ONE_AXIS = (
    "received {}, whose axis {} may be the steps of a sequence, or one of anything else; if it pools, say what the "
    "file's tensors are, as in --source-layout {}, or write a pooling layer"
)
LEFT = "of the axes of its result {} stays, and the channels move past it; check what takes that result"


def known_order(tree: Tree, names: Names, site: Site) -> None:
    """``tf.reduce_mean(MaxPooling2D(2)(x), [2, 3])`` takes W and C of NHWC, though these would be H and W of NCHW."""
    none = isinstance(site.error, NotPooling) and not site.computed
    at = reduced(site) if (site.read or none) and site.tensor is not None else None
    if not is_many(at) or site.tensor is None or not all(isinstance(n, int) for n in at):
        return
    tensors = tensors_of(tree, names)
    before = map(tensors.of, like(tree, names, site.tensor))
    if any(one.name == "unfold" and len(one.rest) == 3 for one in before):  # by dimension, size and step
        site.error = site.error or NotPooling(UNFOLDED.format(tree.text(site.node), tree.text(site.tensor), at))
        return
    tensor = tensors.of(site.tensor)
    (order, by), rank = tensor.said, tensor.rank
    unknown = rank is None and tensor.own < 2 and site.dialect not in EVERYWHERE
    given = lettered(tree.order) if tree.order else ""
    if not order and given and (not none or rank == len(given) or (unknown and _is_all_of_space(given, at))):
        order, by = given, "--source-layout"
    if none:
        _read_some(tree, site, at, order, rank or 0)
        if unknown and not order and _is_all_of_space(usual := table.dialect(site.dialect).layouts[1], at):
            site.error = NotPooling(ONE_AXIS.format(tree.text(site.node), at[0], usual))
    elif order:
        _read_in(tree, site, at, order, by)


def _is_all_of_space(order: str, at: Sequence[int]) -> bool:
    """Whether positions are those of all spatial axes of an order, as 1 is of NLC."""
    inside = all(-len(order) <= n < len(order) for n in at)
    return inside and sorted(order[n] for n in at) == sorted(order.strip("NC"))


def _read_some(tree: Tree, site: Site, at: Sequence[int], order: str, rank: int) -> None:
    """Read a reduction of some spatial axes, which is a pool of these where the order of a map is known."""
    if order and all(-len(order) <= n < len(order) and order[n] not in "NTC" for n in at):
        site.fields, site.error = fields_of(site.call, order), None
        _place(site, order, site.read["axes"])
    elif not order and rank > 3 and all(1 < n % rank < rank - 1 for n in at):  # in either order
        site.error = NotExactError(EITHER.format(tree.text(site.node), at, rank))


def _read_in(tree: Tree, site: Site, at: Sequence[int], order: str, by: str) -> None:
    """Read a reduction again by the letters of its tensor."""
    fields, read = site.read, lettered(site.read["layout"])
    same_end = read.endswith("C") == order.endswith("C")
    inside = all(-len(order) <= n < len(order) for n in at)
    axes = "".join(sorted((order[n] for n in at), key=order.index)) if inside else ""
    if axes == fields["axes"] and same_end and len(order) == len(read):
        return
    if not axes or not set(axes).isdisjoint("NTC"):
        taken = " and ".join(axes) if axes else "not all axes"
        site.error = NotExactError(TOLD.format(tree.text(site.outer), at, taken, order, by))
        return
    _place(site, order, axes)


def _place(site: Site, order: str, axes: str) -> None:
    """Make a reduction one of these letters of an order."""
    layout = f"...{order.removeprefix(STEPS)}" if order.startswith(STEPS) else order
    site.fields = {**site.read, "layout": layout, "axes": axes}
    left = [one for one in layout.strip(".NC") if one not in axes]
    if left and not site.read["keepdims"]:
        site.if_moved.append(LEFT.format("".join(left)))
