"""Two reductions of one axis each that are one global pool: ``x.mean(3).mean(2)``, ``x.max(3)[0].max(2)[0]``."""

from __future__ import annotations

import ast
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.dialect import Fields, NotPooling, Word
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, literal
from poolkit.port.python.sites import REDUCTIONS, Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.spec.values import is_many


def paired(tree: Tree, names: Names, found: list[Site]) -> list[Site]:
    """The sites, where two reductions of one axis are one of both.

    >>> from poolkit.port.python.sites import sites
    >>> tree = Tree("import torch; y = x.mean(3).mean(2)")
    >>> [site.fields["axes"] for site in paired(tree, Names(tree), sites(tree, Names(tree)))]
    ['HW']
    """
    alone = [site for site in found if site.tensor is not None and _alone(site)]
    outer = {site.tensor: site for site in alone}
    ends = {_values(tree, site) for site in alone}
    gone: list[Site] = []
    for inner in alone:
        values = _values(tree, inner) if inner.tensor not in ends else None  # of three the first two
        second = outer.get(values) if values is not None else None
        if second is not None and _join(tree, names, inner, second):
            gone.append(second)
    return [site for site in found if not any(site is one for one in gone)]


def _values(tree: Tree, site: Site) -> Node | None:
    """Where the values of a reduction of one axis stand, without the positions that it may give beside them."""
    if _word(site) == site.word:
        return site.outer
    around = tree.parent(site.outer)
    if isinstance(around, ast.Subscript) and around.value is site.outer:
        return around if literal(around.slice) == 0 else None
    return around if isinstance(around, ast.Attribute) and around.attr == "values" else None


def _word(site: Site) -> str:
    """The word for the values of a reduction alone."""
    return dict(table.every(lambda usage: usage.values.items())).get(site.word, site.word)


def _join(tree: Tree, names: Names, inner: Site, outer: Site) -> bool:
    """Make the first of two reductions both, if they are one pool."""
    first, second, whole = _alone(inner), _alone(outer), _values(tree, outer)
    if not first or not second or whole is None or inner.tensor is None:
        return False
    if any(first[name] != second[name] for name in ("kind", "keepdims")):
        return False
    axes = _both(first["axis"][0], second["axis"][0], first["keepdims"])
    rank = tensors_of(tree, names).of(inner.tensor).rank
    if (rank or 4) < 4 or (rank is None and first["kind"] == "sum" and axes == (1, 2)):
        return False  # of three axes it takes all but the batch, as a loss does
    call = Call(_word(inner), (Expression(tree.text(inner.tensor)),), (("axis", axes), ("keepdims", first["keepdims"])))
    try:
        inner.fields, inner.error = fields_of(call), None
    except NotPooling:
        return False
    except NotExactError as error:
        inner.error = error
    inner.word, inner.call, inner.outer, inner.computed, inner.reformed = call.name, call, whole, "", True
    return True


def _alone(site: Site) -> Fields:
    """What a reduction of one axis says; nothing for any other."""
    word = table.dialect(site.dialect).words.get(_word(site)) if isinstance(site.error, NotPooling) else None
    try:
        said: Fields = word.read(site.call) if word is not None and _reduces(word) else {}
    except NotExactError:
        return {}
    axis: Any = said.get("axis")
    return said if is_many(axis) and len(axis) == 1 and type(axis[0]) is int else {}


def _reduces(word: Word) -> bool:
    return word.name.rpartition(".")[2] in REDUCTIONS


def _both(inner: int, outer: int, kept: bool) -> tuple[int, ...]:
    """Two axes one after the other as axes of what the first takes; images where they count from both ends."""
    if (inner < 0) != (outer < 0):
        inner, outer = inner % 4, outer % (4 if kept else 3)
    if not kept:
        outer += (outer >= inner) if inner >= 0 else -(outer <= inner)
    return tuple(sorted((inner, outer)))
