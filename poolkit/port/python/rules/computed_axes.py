"""Axes of a reduction behind a name: a literal, the spatial ones of either order, or a normalisation's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.ranges import ranged
from poolkit.port.python.rules.either_order import ORDERED, chosen
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tree import Tree
from poolkit.port.python.unknowns import resolve, value_of
from poolkit.port.python.values import literals
from poolkit.spec.values import is_many


def computed_axes(tree: Tree, names: Names, site: Site) -> None:
    """``tf.reduce_mean(x, axes)``: axes that are a literal after all, or may be those of a normalisation."""
    if isinstance(site.error, NotPooling):
        _check_each(tree, names, site)
    if not site.computed or resolve(tree, names, site):
        return
    counted = ranged(tree, names, site)
    if counted is not None:
        _read_ranged(site, counted)
        return
    values = list(literals(value_of(tree, names, site.computed, site)))
    axes = [value for value in values if is_many(value)]
    if len(values) > 1 and axes == values and _in_either_order(tree, site, axes):
        return
    if len(values) > 1 and axes:
        why = "one layout or of another" if axes == values else "a pool, or one axis, or all of them"
        site.error = NotExactError(
            f"its axes {site.computed} may be those of {why}; write them out, or port it by hand"
        )
        return
    site.error = NotPooling(f"its axes {site.computed} {UNKNOWN}")


UNKNOWN = (
    "are only known when the program runs, and over others than the spatial ones, as in a normalisation, it pools "
    "nothing; if it pools, write them out"
)


def _read_ranged(site: Site, counted: Sequence[int]) -> None:
    """Read a reduction over axes in a row, which are known where a number of axes is."""
    try:
        if not counted:
            raise NotExactError(f"its axes {site.computed} go by how many the tensor has; write them out")
        site.call = _with_axes(site, tuple(counted))
        site.fields, site.error, site.computed = fields_of(site.call), None, ""
    except NotExactError as error:
        site.error, site.computed = error, site.computed if not counted else ""


def _with_axes(site: Site, axes: Any) -> Call:
    unknown = Expression(site.computed)
    kwargs = tuple((name, axes if value == unknown else value) for name, value in site.call.kwargs)
    return Call(site.call.name, tuple(axes if value == unknown else value for value in site.call.args), kwargs)


def _check_each(tree: Tree, names: Names, site: Site) -> None:
    """Say of ``[h_axis, w_axis]`` that nothing is known of them: several axes are mostly the spatial ones."""
    axes = reduced(replace(site, call=values_of(tree, names).literals_in(site.call, site.node)))
    unknown = [axis.text for axis in axes if isinstance(axis, Expression)] if is_many(axes) else []
    told = ", ".join(unknown)
    if len(unknown) > 1 and len(unknown) == len(axes):
        site.error = NotExactError(
            f"its axes {told} are only known when the program runs; write them out, or port it by hand"
        )
    elif unknown:
        site.error = NotPooling(f"its axes {told} {UNKNOWN}")


def _in_either_order(tree: Tree, site: Site, several: Sequence[Any]) -> bool:
    """Read a reduction whose axes may be the spatial ones of one order or of the other."""
    found = chosen(tree, [_with_axes(site, axes) for axes in several], every=True)
    if found is None:
        return False
    site.fields, site.call, site.error = found.fields, found.call, None
    site.notes.append(ORDERED.format(site.computed))
    return True
