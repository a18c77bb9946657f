"""What is rewritten beside a pool: calls that became part of it, sizes that its window goes by, zeros before it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from poolkit.dialects import table
from poolkit.port.python.edits import Edits, Piece
from poolkit.port.python.imports import Imports
from poolkit.port.python.nodes import entries_of
from poolkit.port.python.rewrite import last, letters_for, moves, order_moved
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Span, Tree
from poolkit.port.report import Row

New = tuple[list[Piece], Span]  # what is written in place of a span


def zeros(
    tree: Tree, site: Site, to: str, layout: str | None, edits: Edits, imports: Imports
) -> tuple[Row, New] | None:
    """The target's own padding in place of the zeros before a maximum, at the first of those that take them."""
    pad, layer = site.pad, table.usage_of(to).zeros
    made = layer(pad.pairs, not last(to, layout)) if layer is not None and pad is not None else None
    if made is None or pad is None or pad.root in table.dialect(to).roots or tree.in_string(pad.call):
        return None
    site.notes.remove(pad.note)
    if tree.span(pad.call) in edits.found:
        return None
    text = made.source(partial(imports.short, at=pad.call))
    row = Row(f"line {tree.line(pad.call)}", tree.text(pad.call), "exact", notes=(ZEROS,))
    return row, ([text] if pad.tensor is None else [f"{text}(", pad.tensor, ")"], tree.span(pad.call))


ZEROS = "the maximum behind it takes these zeros for numbers, as it does not with a padding of its own"


def sizes(tree: Tree, site: Site, to: str, layout: str | None, edits: Edits) -> Iterator[Row]:
    """The sizes that the window of a site goes by: they are taken at the places of the target's order."""
    letters = letters_for(site, to, layout) if site.sized else ""
    looks = [one.leaf.node for one in site.sized if tree.parent(one.leaf.node) is not None]
    for one in site.sized if moves(site, to, layout) or site.either else ():
        node = one.leaf.node
        outer = (look for look in looks if look is not node and tree.inside(node, look))
        done = tree.span(node) in edits.found or tree.text(node) == one.moved(letters)
        if node not in looks or any(outer) or done:
            continue
        edits.replace(tree.span(node), [one.moved(letters)])
        note = f"the pool of line {tree.line(site.outer)} goes by it, and the axes come to other places"
        yield Row(f"line {tree.line(node)}", tree.text(node), "exact", one.moved(letters), (note,))


def cuts(tree: Tree, site: Site, to: str, layout: str | None, edits: Edits) -> Iterator[Row]:
    """The slices of what a site pools, each for the axis that it is of in the target's order."""
    for node in site.cuts if moves(site, to, layout) else ():
        before, after = order_moved(site, to, layout).split(" -> ")
        texts = [tree.text(one) for one in entries_of(node)]
        at = texts.index("...") if "..." in texts else len(texts)
        texts[at : at + 1] = [":"] * (len(before) - len(texts) + ("..." in texts))
        moved = f"[{', '.join(texts[before.index(letter)] for letter in after)}]"
        edits.replace(tree.span(node), [node.value, moved])
        yield Row(f"line {tree.line(node)}", tree.text(node), "exact", f"{tree.text(node.value)}{moved}", (CUT,))


CUT = "the pool around it takes the axes at other places, and so the slices stand at these"


KEEPS = "it keeps the pooled axes, which the pool of line {} now does itself"


def folded(tree: Tree, site: Site, edits: Edits) -> Iterator[Row]:
    """The calls that became part of a pool: they go, with a row for each."""
    for part in site.folded:
        becomes = tree.text(part.keeps) if part.keeps is not None else ""
        edits.replace(part.span, [part.keeps or ""])
        note = (part.why or KEEPS).format(tree.line(site.outer))
        if not part.why and isinstance(site.fields, dict) and site.fields.get("keepdims"):
            note += "; where channels come first, a Dense or Linear behind it becomes a 1x1 convolution"
        yield Row(f"line {tree.line(part.node)}", tree.text(part.node), "exact", becomes, (note,))
