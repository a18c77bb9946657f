"""How many axes the tensors of a file have, as far as the layers say it that make them and that they are given to."""

from __future__ import annotations

import ast
import re

from poolkit.port.python.given import Given
from poolkit.port.python.nodes import Node, arguments, entries_of, given, last_name
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, layer_of

DIGIT = re.compile(r"([123])[dD](_|$|Transpose)")
GLOBAL = re.compile(r"Global\w*Pool")
FLAT = ("Flatten", "flatten")
MAPS = ("resize", "resize_bilinear", "resize_nearest_neighbor", "resize_images", "Resizing")
# Layers and functions whose result has the axes of what they are given, or of the first of it.
SAME = re.compile(
    r"(?i)\w*(norm|normalization|dropout|activation|concat|concatenate|relu|elu|silu|swish|gelu|sigmoid|tanh)|cat|add|"
    r"multiply|average|maximum|identity|softmax|dense|conv|pad|transpose|permute_dimensions"
)


class Ranks:
    """The number of axes of the names and the expressions of a file.

    >>> tree = Tree("x = Conv2D(8, 3)(x); y = relu(x); z = Flatten()(y)")
    >>> [Ranks(tree).of(name) for name in tree.named("y")][1:], Ranks(tree).of(tree.all(ast.Call)[-2])
    ([4], 2)
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.found: dict[Given, int] = {}
        for call in tree.all(ast.Call):
            digit, tensor = DIGIT.search(_called(tree, call)), _tensor(call)
            if digit and isinstance(tensor, ast.Name):
                self._note(flow_of(tree).at(tensor.id, tensor), int(digit[1]) + 2)
        for one in flow_of(tree).every():  # in the order of the file, so that what is before is known
            if one.value is not None and one.item is None and not one.each:
                self._note(one, self.of(one.value))

    def _note(self, value: Given | None, rank: int | None) -> None:
        for one in [value, *value.several] if value is not None and rank is not None else ():
            self.found.setdefault(one, rank or 0)

    def of(self, node: Node | None) -> int | None:
        """The number of axes of a tensor; None where nothing says it."""
        if isinstance(node, ast.Name):
            return self.named(node.id, node)
        if isinstance(node, ast.BinOp):
            left = self.of(node.left)
            return left if left is not None else self.of(node.right)
        if isinstance(node, ast.List | ast.Tuple):
            return self.of(node.elts[0]) if node.elts else None
        if isinstance(node, ast.Subscript) and all(isinstance(one, ast.Slice) for one in entries_of(node)):
            return self.of(node.value)
        return self._called(node) if isinstance(node, ast.Call) else None

    def named(self, name: str, at: Node) -> int | None:
        """The number of axes of what a name is at a node."""
        value = flow_of(self.tree).at(name, at)
        several = [value, *value.several] if value is not None else []
        return next((self.found[one] for one in several if one in self.found), None)

    def _called(self, call: ast.Call) -> int | None:
        name = _called(self.tree, call)
        digit = DIGIT.search(name)
        if name in FLAT or (GLOBAL.match(name) and "keepdims" not in arguments(layer_of(self.tree, call) or call)):
            return 2
        if digit or name in MAPS:
            return int(digit[1]) + 2 if digit else 4
        return self.of(_tensor(call)) if SAME.fullmatch(name) else None


def _called(tree: Tree, call: ast.Call) -> str:
    """The last name of what is called: of a layer its class."""
    return last_name((layer_of(tree, call) or call).func)


def _tensor(call: ast.Call) -> ast.expr | None:
    return given(call)[0] if given(call) else None
