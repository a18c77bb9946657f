"""Windows that go by how many axes the tensor has: Flax's are over the last ones, Haiku's may be over all but one."""

from __future__ import annotations

from poolkit.dialects import table
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.lowering.geometry import SPATIAL
from poolkit.port.python.names import Names
from poolkit.port.python.rules.either_order import by_name, with_value
from poolkit.port.python.rules.order_before import applied_to
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree


def known_rank(tree: Tree, names: Names, site: Site) -> None:
    """``nn.max_pool(x.reshape(2, 3, 8, 6, 4), (2, 2))`` has two axes of batches; Flax takes any number of them."""
    tensors = [tensors_of(tree, names).of(tensor) for tensor in applied_to(tree, site)]
    ranks = {tensor.own if tensor.own > 1 else tensor.rank for tensor in tensors}  # one size may be a whole shape
    rank = ranks.pop() if len(ranks) == 1 else None
    if rank is None:
        return
    if site.read and site.word.startswith(table.every(lambda usage: usage.any_batches)):
        layout = str(site.read["layout"])
        if rank != len(layout):
            site.fields = {**site.read, "layout": f"...{layout[1:]}" if rank > len(layout) else layout[1:]}
    elif not site.read:
        _all_but_the_first(site, rank)


def _all_but_the_first(site: Site, rank: int) -> None:
    """Read ``hk.max_pool(x, 3, 1, "SAME", channel_axis=None)`` with an entry for each axis."""
    call = by_name(site.call)
    given = dict(call.kwargs)
    sizes = {name: given.get(name) for name in ("window_shape", "strides")}
    if given.get("channel_axis", -1) is not None or not all(type(size) is int for size in sizes.values()):
        return
    for name, size in sizes.items():
        call = with_value(call, name, (1, *(size,) * (rank - 1)))
    try:
        layout = f"C{SPATIAL.get(rank - 1, '')}"  # whose first axis is the one that is left as it is
        site.fields, site.error = fields_of(with_value(call, "channel_axis", -1), layout), None
    except NotExactError as error:
        site.error = error
