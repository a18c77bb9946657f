"""Strides and bins that may be None, and arguments that surely are numbers."""

from __future__ import annotations

from poolkit.dialects import table
from poolkit.dialects.calls import Expression
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.unknowns import value_of
from poolkit.port.python.values import is_number, is_sizes
from poolkit.spec.operation import Operation


def may_be_none(tree: Tree, names: Names, site: Site) -> None:
    """Strides and bins that may be None: it means another thing in each framework."""
    stride, bins = site.read.get("stride"), site.read.get("output_size")
    for value in (stride, bins):
        if isinstance(value, Expression) and not is_sizes(value_of(tree, names, value.text, site)):
            site.maybe_none = value.text
    if isinstance(stride, Expression) and site.maybe_none == stride.text and stride.text not in site.tuples:
        meant = table.usage_of(site.dialect).none.get("stride")
        if isinstance(meant, int):
            site.fields = {**site.read, "stride": Expression(f"{stride.text} or {meant}")}
            site.maybe_none = ""


def sure_numbers(tree: Tree, names: Names, site: Site) -> None:
    """Arguments that are one number, and no tuple with one for each axis."""
    values = () if isinstance(site.fields, Operation) else site.fields.values()
    texts = {value.text for value in values if isinstance(value, Expression)}
    site.numbers = {text for text in texts if is_number(value_of(tree, names, text, site))}
