"""The order of the axes of a tensor, by the pool or the layer of a known order that it comes from."""

from __future__ import annotations

import ast
import re

from poolkit.dialects.calls import Call, known
from poolkit.dialects.reading import spoken_in
from poolkit.errors import NotExactError
from poolkit.port.python.given import every
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, entries_of, given, last_name, literal
from poolkit.port.python.positions import lettered, letters
from poolkit.port.python.rules.keras_formats import SETS_FORMAT, set_by
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tensors import AXES, DIGIT, MAPS, PAIRS, SHAPE, WHOLE, Tensor, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of

STEPS = "NT"  # the batch and the steps, which TimeDistributed has before the axes of what it wraps
FORMAT = re.compile(r"channels_(first|last)|N[A-Z]*C[A-Z]*")
FAR = 20  # how far back a tensor is followed, as by `Tensor.like`


def note_order(tree: Tree, site: Site) -> None:
    """Keep the order that a pool which says it gives its result; a reduction's own is but guessed by its positions."""
    fields = site.read
    if fields and known(fields["layout"]) and not (site.either or site.ordered or reduced(site) is not None):
        _pools(tree)[site.outer] = lettered(fields["layout"])


def _pools(tree: Tree) -> dict[Node, str]:
    return tree.once(_pools, dict[Node, str])


def order_of(tree: Tree, names: Names, node: Node) -> tuple[str, str]:
    """The letters of the axes of a tensor, and the text of what gives it them; empty where nothing says it.

    >>> tree = Tree("from keras import layers; x = layers.Conv2D(8, 3)(x); y = layers.ReLU()(x ** 2)")
    >>> order_of(tree, Names(tree), tree.named("y")[0]), order_of(tree, Names(tree), tree.all(ast.BinOp)[0])
    (('', ''), ('NHWC', 'layers.Conv2D(8, 3)(x)'))
    """
    left, seen, said = [tensors_of(tree, names).of(node)], set[Node](), dict[str, str]()
    while left and len(seen) < FAR:
        here = left.pop()
        seen.add(here.node)
        order = _said(tree, names, here)
        before = _several(tree, names, here) if not order else []
        if not order and not before:
            return "", ""
        if order:
            said.setdefault(order, tree.text(here.node))
        left += [one for one in before if one.node not in seen]
    return next(iter(said.items())) if len(said) == 1 and not left else ("", "")


def is_unfolded(tree: Tree, names: Names, node: Node) -> bool:
    """Whether a tensor has windows as axes of their own: ``x.unfold(2, 2, 2)``, by dimension, size and step."""
    here: Tensor | None = tensors_of(tree, names).of(node)
    for _ in range(FAR):
        if here is None:
            break
        if here.name == "unfold" and len(here.rest) == 3:
            return True
        here = here.before if here.keeps == SHAPE else None
    return False


def _said(tree: Tree, names: Names, tensor: Tensor) -> str:
    if not isinstance(tensor.node, ast.Call):
        return ""
    layer, pools = tensor.layer or tensor.node, _pools(tree)
    said = pools.get(tensor.node) or pools.get(layer) or ""
    if last_name(layer.func) != "TimeDistributed":
        return said if said and not said.startswith("...") else _of_layer(tree, names, layer)
    inner = given(layer)[0] if given(layer) else None
    own = said.removeprefix("...") if said else _of_layer(tree, names, inner)[1:]
    return f"{STEPS}{own}" if own else ""


def _of_layer(tree: Tree, names: Names, layer: Node | None) -> str:
    """The order of a layer or function with the number of its axes in its name: ``Conv2D(8, 3)``."""
    if not isinstance(layer, ast.Call):
        return ""
    digit, full = DIGIT.search(last_name(layer.func)), names.full(layer.func)
    if digit is None or full is None:
        return ""
    values = [*layer.args, *arguments(layer).values()]
    said = [one for one in map(literal, values) if isinstance(one, str) and FORMAT.fullmatch(one)]
    try:
        usual = spoken_in(Call(full))[0].layouts[2]
    except NotExactError:
        return ""
    if not said and ("data_format" in arguments(layer) or tree.order or set_by(tree, SETS_FORMAT)):
        usual = tree.order
    order = said[0] if said else usual
    return letters(int(digit[1]) + 2, last=order.endswith(("C", "last"))) if order else ""


def _several(tree: Tree, names: Names, tensor: Tensor) -> list[Tensor]:
    """What a tensor may have been before, all of which are to agree; none where one of them is not known."""
    before, tensors = _before(tree, names, tensor), tensors_of(tree, names)
    if before is not None or not isinstance(tensor.node, ast.Name):
        return [before] if before is not None else []
    value = flow_of(tree).at(tensor.node.id, tensor.node)
    found = [one for one in every([value]) if not one.several] if value is not None else []
    values = [one.value for one in found if one.value is not None and one.item is None and not (one.each or one.loose)]
    return [*map(tensors.of, values)] if len(values) == len(found) else []


def _before(tree: Tree, names: Names, tensor: Tensor) -> Tensor | None:
    """What had the same order before, where a step keeps that: an activation, a normalisation, a sum of two."""
    tensors, node = tensors_of(tree, names), tensor.node
    if tensor.keeps == SHAPE:
        return tensor.before
    if isinstance(node, ast.BinOp):
        return tensors.of(node.right if isinstance(node.left, ast.Constant) else node.left)
    if isinstance(node, ast.Subscript):
        return tensor.before if all(map(_keeps_axis, entries_of(node))) else None
    if isinstance(node, ast.List | ast.Tuple):
        return tensors.of(node.elts[0]) if node.elts else None
    if isinstance(node, ast.Call) and given(node):
        name = last_name((tensor.layer or node).func)
        keeps = name in MAPS or (AXES.fullmatch(name) and name not in (*WHOLE, *PAIRS))
        return tensors.of(given(node)[0]) if keeps else None
    return None


def _keeps_axis(entry: ast.expr) -> bool:
    return isinstance(entry, ast.Slice) or (isinstance(entry, ast.Constant) and entry.value is ...)
