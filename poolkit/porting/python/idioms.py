"""Patterns of several calls that are one pool, and what is told of the calls around one.

A new pattern is a function of this form, which changes the site, and its place in the list.
"""

from __future__ import annotations

from collections.abc import Callable

from poolkit.errors import NotExactError
from poolkit.porting.python.followers import order_after
from poolkit.porting.python.names import Names
from poolkit.porting.python.ordered import order_before
from poolkit.porting.python.pairs import paired
from poolkit.porting.python.remarks import padded_before, squeezed_after, whole_at_one_size
from poolkit.porting.python.restoring import dropped_axes, kept_axes, out_of_lambda
from poolkit.porting.python.shapes import whole_map
from poolkit.porting.python.sites import Site
from poolkit.porting.python.tree import Tree
from poolkit.porting.python.unknowns import computed_axes, listed_sizes, may_be_none
from poolkit.porting.python.wrappers import data_format, last_axes, masked, typed, wrapped
from poolkit.words.dialect import RAISED

Idiom = Callable[[Tree, Names, Site], None]

# In this order: axes may come back inside a Lambda, and after it.
IDIOMS: tuple[Idiom, ...] = (
    typed,
    data_format,
    masked,
    wrapped,
    last_axes,
    whole_map,
    listed_sizes,
    computed_axes,
    may_be_none,
    kept_axes,
    out_of_lambda,
    kept_axes,
    dropped_axes,
    order_before,
    padded_before,
    squeezed_after,
    order_after,
    whole_at_one_size,
)


def recognise(tree: Tree, names: Names, found: list[Site]) -> list[Site]:
    """The sites with everything that belongs to them."""
    found = paired(tree, names, found)
    for site in found:
        try:
            for idiom in IDIOMS:
                idiom(tree, names, site)
        except RAISED as error:
            site.error = NotExactError(f"what is around it is not understood ({error}); port it by hand")
    return found
