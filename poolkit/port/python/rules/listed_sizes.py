"""Sizes of TensorFlow that are one number, or a list that may hold batch and channels."""

from __future__ import annotations

from collections.abc import Iterator

from poolkit.dialects import table
from poolkit.dialects.calls import Expression
from poolkit.dialects.dialect import NotKnown
from poolkit.port.python.names import Names
from poolkit.port.python.positions import lettered
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.unknowns import resolve, value_of
from poolkit.port.python.values import NOTHING, Many, is_number, is_sizes, literal_of


def listed_sizes(tree: Tree, names: Names, site: Site) -> None:
    """``tf.nn.max_pool(x, k, k, …)``: what k is decides which of its numbers are of spatial axes."""
    if not site.word.startswith(table.every(lambda usage: usage.listed)) or not site.read or site.reformed:
        return
    if list(_unsure_sizes(tree, names, site)):
        resolve(tree, names, site)
    for text in _unsure_sizes(tree, names, site):
        form = "hold" if text[0] in "([" else "be one number, or a list with"
        site.error = NotKnown(f"{text} may {form} entries for batch and channels; write its value")


def _unsure_sizes(tree: Tree, names: Names, site: Site) -> Iterator[str]:
    fields = site.read
    spatial = len(lettered(fields.get("layout")).strip("NC"))
    for name in ("window", "stride"):
        value = fields.get(name)
        made = value_of(tree, names, value.text, site) if isinstance(value, Expression) else None
        sizes = isinstance(made, Many) and len(made.items) == spatial and is_sizes(made)
        literal = literal_of(made) is not NOTHING  # with which the call is read again
        if isinstance(value, Expression) and not is_number(made) and (literal or not sizes):
            yield value.text
