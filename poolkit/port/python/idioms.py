"""Patterns of several calls that are one pool, and what is told of the calls around one.

A new pattern is a function of this form, which changes the site, and its place in the list.
"""

from __future__ import annotations

from collections.abc import Callable

from poolkit.dialects.dialect import RAISED
from poolkit.errors import NotExactError
from poolkit.port.python.choices import choices, either_order
from poolkit.port.python.followers import order_after
from poolkit.port.python.keras_settings import data_format, masked, typed, wrapped
from poolkit.port.python.names import Names
from poolkit.port.python.ordered import kept_order, order_before
from poolkit.port.python.pairs import paired
from poolkit.port.python.powers import powers
from poolkit.port.python.remarks import squeezed_after, whole_at_one_size
from poolkit.port.python.restoring import dropped_axes, kept_axes, out_of_lambda
from poolkit.port.python.shapes import whole_map
from poolkit.port.python.sites import Site
from poolkit.port.python.sized import sized_windows
from poolkit.port.python.slim import arg_scoped
from poolkit.port.python.tree import Tree
from poolkit.port.python.turned import turned
from poolkit.port.python.unknowns import any_rank, computed_axes, last_axes, listed_sizes, may_be_none, sure_numbers
from poolkit.port.python.zeros import padded_before

Idiom = Callable[[Tree, Names, Site], None]

# In this order: axes may come back inside a Lambda, and after it.
IDIOMS: tuple[Idiom, ...] = (
    typed,
    arg_scoped,
    either_order,
    data_format,
    masked,
    wrapped,
    last_axes,
    whole_map,
    sized_windows,
    powers,
    listed_sizes,
    computed_axes,
    any_rank,
    may_be_none,
    sure_numbers,
    kept_axes,
    out_of_lambda,
    kept_axes,
    dropped_axes,
    choices,
    order_before,
    turned,
    kept_order,
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
