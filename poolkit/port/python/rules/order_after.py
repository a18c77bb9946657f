"""What the report says of a step right behind a pool that reads its axes in their order, where that order changes."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import known
from poolkit.port.python import sequences
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, entries_of, last_name
from poolkit.port.python.reshaping import keeps_batch
from poolkit.port.python.rules.order_before import IN_ORDER, PERMUTES
from poolkit.port.python.rules.turns import is_vector
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of, only_use
from poolkit.spec.values import is_all

FLATTEN = (
    "{} after it reads the cells in another order once the channels move, so that the weights of a dense layer behind "
    "it are to be put in that order too (docs/beside_pooling.md)"
)
STAYS = "{} after it stays, as its first entry is not surely the batch; check it"
RESHAPE = f"{{}} after it {IN_ORDER}"
INDEX = "the index after it counts the axes of the original's layout; write it anew"


def order_after(tree: Tree, names: Names, site: Site) -> None:
    """Flatten, a reshape or an index behind a pool that keeps its axes."""
    fields = site.read
    if not fields or any(not part.why for part in site.folded) or (site.turned and not is_vector(fields)):
        return
    sizes = fields.get("output_size")
    single = known(sizes) and is_all(sizes, 1)
    if fields.get("keepdims", True) is False:
        notes = [_back(names, node) for node in _behind(tree, site)]
    else:
        notes = [_note(tree, names, node, single) for node in _behind(tree, site)]
    site.if_moved += list(dict.fromkeys(note for note in notes if note))


def _behind(tree: Tree, site: Site) -> list[Node]:
    """The steps right behind a site: a call, an index, or a layer of a Sequential."""
    found: list[Node] = []
    if site.role == "layer":
        after = sequences.after(tree, site.outer)
        found += [after.node] if after is not None else []
    for node in results(tree, site):
        around = tree.parent(node)
        if isinstance(around, ast.Subscript) and around.value is node:
            found.append(around)
            continue
        call = tree.applied(node)
        found += [call] if call is not None else []
    return found


def _back(names: Names, node: Node) -> str:
    """The note for a step that gives axes back to a result without them, in the order of the original."""
    made = node.func if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) else node
    name = _last(names, made) if isinstance(made, ast.Call) else ""
    return RESHAPE.format(name) if name in ("view", "reshape", "Reshape", "expand_dims", "unsqueeze") else ""


def _note(tree: Tree, names: Names, node: Node, single: bool) -> str:
    if isinstance(node, ast.Subscript):
        return INDEX if len(entries_of(node)) > 1 else ""
    if not isinstance(node, ast.Call):
        return ""
    made = node.func if isinstance(node.func, ast.Call) else node
    name = _last(names, made)
    if name in PERMUTES:
        return RESHAPE.format(name)
    if name in ("Flatten", "flatten"):
        return "" if single else FLATTEN.format(name)
    if name not in ("view", "reshape", "Reshape"):
        return ""
    reshaped = tensors_of(tree, names).of(node)
    if name != "Reshape" and reshaped.count == 2:
        stays = "" if keeps_batch(tree, names, reshaped) else STAYS.format(name)
        return stays if single else FLATTEN.format(name)
    return "" if single and name == "Reshape" else RESHAPE.format(name)


def _last(names: Names, call: ast.Call) -> str:
    return (names.full(call.func) or last_name(call.func)).rpartition(".")[2]


def results(tree: Tree, site: Site) -> list[Node]:
    """Where the result of a site stands: as it is made, and by the name that alone it is used by."""
    made = calls_of(tree, site.outer) if site.role == "layer" else [site.outer]
    found: list[Node] = [*made]
    for node in made:
        statement = tree.parent(node)
        use = only_use(tree, statement) if isinstance(statement, ast.Assign) else None
        found += [use] if use is not None else []
    return found
