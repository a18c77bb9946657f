"""Python source, ported: the pooling calls of a file written for another framework, everything else as it was."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import RAISED, NotKnown, NotPooling
from poolkit.dialects.own import OWN
from poolkit.dialects.writing import native_call
from poolkit.errors import NotExactError, PoolkitError
from poolkit.port.python.beside import New, cuts, folded, sizes, zeros
from poolkit.port.python.comments import keep_comments
from poolkit.port.python.doubts import doubts
from poolkit.port.python.edits import Edits, Piece
from poolkit.port.python.imports import Imports, finish
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, python
from poolkit.port.python.own import own_sites
from poolkit.port.python.placed import Placed
from poolkit.port.python.positions import Order
from poolkit.port.python.recognise import recognise
from poolkit.port.python.references import references, tested
from poolkit.port.python.rewrite import (
    Short,
    class_for,
    last,
    layout_for,
    moves,
    order_moved,
    pieces,
    spec_of,
    written_for,
)
from poolkit.port.python.rules.choices import by_case, chosen_sites
from poolkit.port.python.sites import Site, reduced, sites
from poolkit.port.python.standing import DEFERRED, deferred, handed, stand_in
from poolkit.port.python.tree import BOM, Tree, bounded
from poolkit.port.python.unread import unread
from poolkit.port.report import Ported, Row, Status, joined
from poolkit.port.target import FRAMEWORKS, Target
from poolkit.running.registry import EVERYWHERE
from poolkit.spec.operation import Operation


def port_source(
    text: str, to: str | None, *, layout: str | None = None, name: str = "", source_layout: str | None = None
) -> Ported:
    r"""The file for the framework `to`, with a row for each pooling call; without `to`, the rows alone.

    >>> ported = port_source("from keras.layers import MaxPooling2D\n\npool = MaxPooling2D(2)\n", "torch")
    >>> ported.text
    'import torch\n\npool = torch.nn.MaxPool2d(2)\n'
    """
    if to is not None:
        table.dialect(to)
    with bounded(name):
        return _ported(Tree(text, name, source_layout or ""), text, to, layout)


def _ported(tree: Tree, text: str, to: str | None, layout: str | None) -> Ported:
    names = Names(tree)
    found = recognise(tree, names, [*sites(tree, names), *chosen_sites(tree, names)])
    found += [*own_sites(tree, names), *tested(tree, names, to), *handed(tree, names, to, found)]
    found.sort(key=lambda site: tree.span(site.outer))
    passed = [*references(tree, names, found, to), *doubts(tree, names, to, found)]
    passed += unread(tree, names, found, passed, to)
    if to is None:
        return Ported(text, _in_order([*_audited(tree, found), *passed]))
    port = _Port(tree, to, layout, Edits(tree), Imports(tree), names)
    written = [(row, new) for site in found for row, new in port.rows(site)]
    # Only now: what a pool is applied to may be a pool itself.
    rows = [replace(row, after=port.edits.text(*new)) if new is not None else row for row, new in written]
    keep_comments(tree, port.edits)
    changed, why = _finished(tree, names, port, text)
    if why:
        return Ported(text, _in_order([*(_refused(row, why) for row in rows), *passed]))
    moved = [one for one in found if moves(one, to, layout) and (one.dialect != to or is_gone(one))]
    orders = dict.fromkeys(order_moved(one, to, layout) for one in moved if tree.span(one.outer) in port.edits.found)
    lines = Placed(tree, names, to, Order(last=not last(to, layout))).lines(found, port.edits) if moved else ()
    return Ported(changed, _in_order([*rows, *passed]), lines=lines, orders=(*orders,))


def _finished(tree: Tree, names: Names, port: _Port, text: str) -> tuple[str, str]:
    """The ported file, and why it is no Python, which would be an error of poolkit's; empty where it is."""
    if not port.edits.found:
        return text, ""
    try:
        changed = tree.mark + finish(tree, names, port.edits, port.imports)
        python(changed.removeprefix(BOM))
    except SyntaxError as error:
        return text, _said(error)
    why = _compiled(changed)
    return changed, why if why and not _compiled(text) else ""  # part of a notebook may have a return by itself


def _compiled(source: str) -> str:
    """Why a source does not compile, such as for an import from __future__ that is not at the top."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source.removeprefix(BOM), "source", "exec", dont_inherit=True)
    except SyntaxError as error:
        return _said(error)
    return ""


def _said(error: SyntaxError) -> str:
    return f"line {error.lineno}: {error.msg}"


def _refused(row: Row, why: str) -> Row:
    if row.status == "left":
        return row
    note = f"the file would be no Python after the port ({why}), so that nothing of it was changed; port this by hand"
    return replace(row, status="failed", after="", notes=joined(note, row.notes), ported=None)


def _in_order(rows: list[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: int(row.where.removeprefix("line "))))


def is_gone(site: Site) -> bool:
    """Whether the framework itself has the word of a site, or an argument of its call, no more."""
    word = table.dialect(site.dialect).words.get(site.word) if site.dialect != OWN else None
    return word is not None and word.gone_from(site.call) != ""


class Kept(NamedTuple):
    """Why a call stays as it is; `after` is its text where that is what it is to be."""

    status: Status
    note: str
    after: str = ""


@dataclass
class _Port:
    """A file on its way to a framework."""

    tree: Tree
    to: str
    layout: str | None
    edits: Edits
    imports: Imports
    names: Names

    def rows(self, site: Site) -> Iterator[tuple[Row, New | None]]:
        """The rows of a site, each with the pieces of what is written for it, if anything is."""
        row = row_of(self.tree, site)
        kept = self._kept(site)
        if kept is not None:
            yield replace(row, notes=joined(kept.note, *site.notes), after=kept.after, status=kept.status), None
            return
        padding = zeros(self.tree, site, self.to, self.layout, self.edits, self.imports)
        try:
            yield self._ported(site, row)
        except (PoolkitError, *RAISED) as error:
            yield replace(row, status="failed", notes=joined(str(error), *site.notes)), None
            return
        if padding is not None:
            self.edits.replace(padding[1][1], padding[1][0])
            yield padding
        yield from ((part, None) for part in folded(self.tree, site, self.edits))
        beside = (sizes, cuts)
        yield from ((part, None) for one in beside for part in one(self.tree, site, self.to, self.layout, self.edits))

    def _kept(self, site: Site) -> Kept | None:
        """Why a site stays as it is."""
        if isinstance(site.error, NotPooling):
            return Kept("left", str(site.error))
        if self.tree.in_string(site.outer):
            return Kept("failed", "it stands inside an f-string; give it a name before, and port that")
        if site.dialect == self.to and not is_gone(site):
            return Kept("exact", f"it is {self.to}'s already", self.tree.text(site.outer))
        if site.dialect == OWN:
            return self._kept_spec(site)
        if site.dialect in EVERYWHERE and self.names.frameworks():
            return Kept("left", "an array of NumPy is no tensor of a framework; it stays one")
        return None

    def _kept_spec(self, site: Site) -> Kept | None:
        """A spec of poolkit's runs in every framework, in its own layout."""
        if site.error is not None:
            return Kept("left", str(site.error))
        spec = spec_of(site)
        if spec is None or layout_for(spec, self.to, self.layout) != spec.layout:
            return None
        return Kept("exact", "a spec of poolkit's runs in every framework", self.tree.text(site.outer))

    def _ported(self, site: Site, row: Row) -> tuple[Row, New]:
        short = partial(self.imports.short, at=site.outer)
        if site.role == "handed" and site.error is None:
            return self._stood_in(site, row, stand_in(site.word, self.to, self.layout), site.outer)
        try:
            target, new = self._written(site, short)
        except NotKnown as error:
            made = deferred(self.tree, self.names, replace(site, error=error), self.to, self.layout)
            site.notes.insert(0, DEFERRED)
            return self._stood_in(site, row, made, site.node.func)
        if site.cases:
            (target, new), (other, last) = (self._written(one, short) for one in by_case(site))
            target = replace(target, sure=target.sure and other.sure, notes=joined(target.notes, other.notes))
            new = ["(", *new, f" if {site.cases[0][0]} else ", *last, ")"]
        span = self.tree.span(site.outer)
        self.edits.replace(span, new)
        for node, name in site.keyed:
            self.edits.insert(self.tree.span(node)[0], f"{name}=")
        differs = joined(*site.caveats, target.notes if target.status == "caveat" else ())
        notes = joined(differs, target.notes, *site.notes)
        status: Status = "caveat" if site.caveats else target.status
        ported = None if site.cases else target.call
        return replace(row, status=status, notes=notes, differs=differs, ported=ported), (new, span)

    def _stood_in(self, site: Site, row: Row, made: Call, node: Node) -> tuple[Row, New]:
        """A site where something stands in for the class or function at a node, and all else is as it was."""
        self.edits.replace(self.tree.span(node), [made.source(partial(self.imports.short, at=node))])
        caveats = [*site.caveats, *site.counted]
        status: Status = "caveat" if caveats else "exact"
        notes, differs = joined(*caveats, *site.notes), joined(*caveats)
        return replace(row, status=status, notes=notes, differs=differs, call=None), ([site.outer], (0, 0))

    def _written(self, site: Site, short: Short) -> tuple[Target, list[Piece]]:
        if site.role == "class":
            return class_for(site, self.to, short)
        target, spec = written_for(site, self.to, self.layout)
        if site.role == "spec":
            target = replace(target, call=None, notes=())
        return target, pieces(site, target, spec, short)


def row_of(tree: Tree, site: Site) -> Row:
    """The row of a site before it is ported."""
    where, before = f"line {tree.line(site.outer)}", tree.text(site.outer)
    spec = spec_of(site) if not site.cases else None
    call = _equal(spec, site.dialect) if site.reformed and spec is not None else site.call
    ranks = site.role in ("function", "applied") and reduced(site) is not None
    return Row(where, before, "failed", notes=joined(str(site.error or "")), spec=spec, call=call, ranks=ranks)


def _equal(spec: Operation, backend: str) -> Call | None:
    """One call that is a global pool, which several are in the file."""
    try:
        return native_call(spec, backend)
    except NotExactError as error:
        nearest: Call | None = error.nearest  # which shares the gradient, and has the same numbers
        return nearest


def _audited(tree: Tree, found: list[Site]) -> Iterator[Row]:
    for site in found:
        row = row_of(tree, site)
        if isinstance(site.error, NotPooling):
            yield replace(row, status="left")
        elif site.error is not None:
            yield row
        else:
            everywhere = _everywhere(site) if row.spec is None and not site.cases else ()
            notes = joined(*site.caveats, *everywhere, *site.notes)
            yield replace(row, status="caveat" if site.caveats else "exact", notes=notes)


def _everywhere(site: Site) -> Iterator[str]:
    """What would become of a site in each framework."""
    for backend in FRAMEWORKS:
        if backend == site.dialect:
            continue
        try:
            target, _ = written_for(site, backend, None)
        except PoolkitError as error:
            yield f"{backend}: {error}"
            continue
        made = target.call.source() if target.call is not None else "poolkit's layer"
        told = "; ".join(target.notes)
        yield f"{backend}: {made}{f' ({told})' if told else ''}"
