"""What belongs to each pool of a file: the rules, one after the other.

A new pattern is a module of `rules` with a function of this form, which changes the site, and its place in the list.
What one raises is why a pool is not ported, whatever the others would make of it.
"""

from __future__ import annotations

from collections.abc import Callable

from poolkit.dialects.dialect import RAISED, NotPooling
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.rules.arg_scopes import arg_scoped
from poolkit.port.python.rules.at_some_sizes import at_some_sizes
from poolkit.port.python.rules.attributes import attributes
from poolkit.port.python.rules.choices import choices
from poolkit.port.python.rules.computed_axes import computed_axes
from poolkit.port.python.rules.computed_windows import sized_windows
from poolkit.port.python.rules.divisors import divided
from poolkit.port.python.rules.either_order import either_order
from poolkit.port.python.rules.further import further
from poolkit.port.python.rules.kept_axes import dropped_axes, kept_axes, out_of_lambda
from poolkit.port.python.rules.keras_dtypes import typed
from poolkit.port.python.rules.keras_formats import data_format
from poolkit.port.python.rules.keras_masks import masked
from poolkit.port.python.rules.keras_time_distributed import wrapped
from poolkit.port.python.rules.known_orders import known_order
from poolkit.port.python.rules.known_ranks import known_rank
from poolkit.port.python.rules.last_axes import last_axes
from poolkit.port.python.rules.listed_sizes import listed_sizes
from poolkit.port.python.rules.nones import may_be_none, sure_numbers
from poolkit.port.python.rules.order_after import order_after
from poolkit.port.python.rules.order_before import kept_order, order_before
from poolkit.port.python.rules.pairs import paired
from poolkit.port.python.rules.powers import powers
from poolkit.port.python.rules.reductions import any_rank
from poolkit.port.python.rules.spread_windows import spread_window
from poolkit.port.python.rules.squeezes import squeezed_after
from poolkit.port.python.rules.turns import turned
from poolkit.port.python.rules.whole_at_one_size import whole_at_one_size
from poolkit.port.python.rules.whole_map import whole_map
from poolkit.port.python.rules.zeros_before import padded_before
from poolkit.port.python.sites import POOLS, TOLD, Site, checked, reduced
from poolkit.port.python.tree import Tree

Rule = Callable[[Tree, Names, Site], None]

# In this order: axes may come back inside a Lambda, and after it.
RULES: tuple[Rule, ...] = (
    at_some_sizes,
    further,
    typed,
    arg_scoped,
    either_order,
    data_format,
    masked,
    wrapped,
    spread_window,
    known_rank,
    last_axes,
    whole_map,
    sized_windows,
    powers,
    listed_sizes,
    computed_axes,
    known_order,
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
    divided,
    whole_at_one_size,
    attributes,
)


def recognise(tree: Tree, names: Names, found: list[Site]) -> list[Site]:
    """The sites with everything that belongs to them."""
    found = paired(tree, names, found)
    # Reductions last: their positions are those of the order that the pools before them have.
    for site in sorted(found, key=lambda one: reduced(one) is not None):
        try:
            for rule in RULES:
                rule(tree, names, site)
        except NotExactError as error:
            site.error = error
        except RAISED as error:
            site.error = NotExactError(f"what is around it is not understood ({error}); port it by hand")
        _check(site)
    return [site for site in found if _is_told(site)]


def _check(site: Site) -> None:
    """What a rule made of a site makes a spec, or is an error of that site alone."""
    try:
        checked(site.fields)
    except NotExactError as error:
        site.fields, site.error = {}, site.error or error


def _is_told(site: Site) -> bool:
    """Whether what is no pool is told of: a reduction, a sum only of axes that nobody knows, but no resizing."""
    last = site.word.rpartition(".")[2]
    return not isinstance(site.error, NotPooling) or last in TOLD or site.computed != "" or bool(POOLS.search(last))
