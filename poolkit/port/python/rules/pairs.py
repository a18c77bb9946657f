"""Two reductions of one axis each that are one global pool: ``x.mean(3).mean(2)``, ``x.max(3)[0].max(2)[0]``.

The first may have a name that only the second uses: ``v, _ = torch.max(x, 3)``, and ``torch.max(v, 2)[0]`` behind it.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.dialect import Fields, NotPooling, Word
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.edits import whole_line
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, literal, plain_name, target_of, walk
from poolkit.port.python.sites import REDUCTIONS, Folded, Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, only_use, reads, same_tensor
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
        line = None if values in outer else _line(tree, inner, values)
        second = outer.get(values if line is None else line.use)
        if second is not None and _join(tree, names, inner, second):
            gone.append(second)
            inner.folded += [line.goes] if line is not None else []
    return [site for site in found if not any(site is one for one in gone)]


def _values(tree: Tree, site: Site) -> Node | None:
    """Where the values of a reduction of one axis stand, without the positions that it may give beside them."""
    if _word(site) == site.word or _unpacked(tree, site) is not None:
        return site.outer
    around = tree.parent(site.outer)
    if isinstance(around, ast.Subscript) and around.value is site.outer:
        return around if literal(around.slice) == 0 else None
    return around if isinstance(around, ast.Attribute) and around.attr == "values" else None


class _Line(NamedTuple):
    """A statement that gives the values of a reduction a name, as it goes, and the one place where that is used."""

    goes: Folded
    use: ast.Name


def _line(tree: Tree, inner: Site, values: Node | None) -> _Line | None:
    """The line of a reduction whose tensor is the same one where the name is used; None where it has to stay."""
    line = tree.parent(values) if values is not None else None
    if not isinstance(line, ast.Assign) or not tree.stands_alone(line) or not isinstance(inner.tensor, ast.expr):
        return None
    use = only_use(tree, line) if _unpacked(tree, inner) is None else _use_of_first(tree, line)
    if use is None or plain_name(inner.tensor) is None:
        return None
    # ``x, _ = x.max(3)`` is gone where the second stands, and the name is what it was.
    same = plain_name(inner.tensor) == use.id or same_tensor(tree, tree.text(inner.tensor), line, use)
    return _Line(Folded(line, whole_line(tree, tree.span(line)), why=BOTH), use) if same else None


def _use_of_first(tree: Tree, line: ast.Assign) -> ast.Name | None:
    """The one place where v of ``v, _ = …`` is used, in the same block."""
    first = next((one for one in walk(line.targets[0]) if isinstance(one, ast.Name)), None)
    uses = reads(tree, first.id, line).get(line, []) if first is not None else []
    given = flow_of(tree).at(uses[0].id, uses[0]) if len(uses) == 1 else None
    block = tree.statement(uses[0]) if given is not None and given.statement is line else None
    return uses[0] if block is not None and tree.block(block) is tree.block(line) else None


def _unpacked(tree: Tree, site: Site) -> ast.Tuple | None:
    """The target of ``v, _ = x.max(3)``, if the positions are used nowhere."""
    line = tree.parent(site.outer)
    target = target_of(line) if isinstance(line, ast.Assign) else None
    if not isinstance(line, ast.Assign) or not isinstance(target, ast.Tuple) or len(target.elts) != 2:
        return None
    names = [one.id for one in target.elts if isinstance(one, ast.Name)]
    return target if len(names) == 2 and not reads(tree, names[1], line).get(line) else None


BOTH = "the pool of line {} takes both axes at once"


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
    target = _unpacked(tree, outer)
    inner.folded += [Folded(target, tree.span(target), keeps=target.elts[0], why=BOTH)] if target is not None else []
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
