"""A reduction of positive positions, of maps with a batch or without: it stays a reduction, with its positions."""

from __future__ import annotations

from poolkit.dialects import table
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tree import Tree
from poolkit.spec.values import is_many


def any_rank(tree: Tree, names: Names, site: Site) -> None:
    """``x.mean((1, 2))`` in PyTorch: of CHW or of NHWC, whose axes stay where they are counted."""
    at = reduced(site) if site.error is not None and not isinstance(site.error, NotPooling) else None
    if not is_many(at) or any(isinstance(n, int) and n < 0 for n in at):
        return
    try:
        fields = fields_of(site.call, "NHWC") if table.usage_of(site.dialect).single_images else None
    except NotExactError:
        return
    if isinstance(fields, dict) and fields["kind"] in ("avg", "sum"):
        site.fields, site.error, site.stays = fields, None, True
        site.caveats.append(STAYS)


STAYS = (
    "its axes are counted, and are those of CHW or of NHWC: they stay as they are; check the order that they have now"
)
