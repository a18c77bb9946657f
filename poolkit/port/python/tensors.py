"""The tensors of a file, by one pass in its order: how many axes each has, in whose order, and what it was before."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from poolkit.port.python.axes import axes_given
from poolkit.port.python.given import Given
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, entries_of, given, last_name, literal, plain_name
from poolkit.port.python.orders import DIGIT, order_said
from poolkit.port.python.scopes import children
from poolkit.port.python.tensor import BATCH, FORMAT, SHAPE, TURNS, UNSAID, Said, Tensor, in_format
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, layer_of, same_tensor, whole
from poolkit.port.python.values import Size
from poolkit.spec.values import is_many

# Calls whose result has the shape of their tensor; the second ones may be methods with arguments of their own.
ELEMENTWISE = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid", "tanh", "dropout")
OF_NUMBERS = (
    *("clamp", "clamp_min", "clamp_max", "clip", "pow", "abs", "square", "sqrt", "exp", "log"),
    *("contiguous", "clone", "detach", "float", "half", "to"),
)
# Steps that leave the batch of their tensor where it is.
STEPS = ("reshape", "view", "expand_dims", "unsqueeze", "squeeze", "flatten")
GLOBAL = re.compile(r"Global\w*Pool")
FLAT = ("Flatten", "flatten")
# Of these what is left are the values alone.
REDUCTIONS = ("mean", "sum", "amax", "amin", "reduce_mean", "reduce_sum", "reduce_max", "reduce_min")
SIZED, MAKERS = ("reshape", "view", "broadcast_to"), ("ones", "zeros", "full")  # with the sizes of all axes
MAPS = ("resize", "resize_bilinear", "resize_nearest_neighbor", "resize_images", "Resizing")
# Layers and functions whose result has as many axes as what they are given, or the first of it.
AXES = re.compile(
    r"(?i)\w*(norm|normalization|dropout|activation|concat|concatenate|relu|elu|silu|swish|gelu|sigmoid|tanh)|cat|add|"
    r"multiply|average|maximum|identity|softmax|dense|conv|pad|transpose|permute_dimensions"
)


PASSES = 3  # through a file whose loops end a turn with another order than they begin it with


def _keeps_axis(entry: ast.expr) -> bool:
    return isinstance(entry, ast.Slice) or (isinstance(entry, ast.Constant) and entry.value is ...)


class Tensors:
    """The tensors that the expressions of a file are.

    >>> tree = Tree("x = Conv2D(8, 3)(x); y = relu(x ** 2); z = Flatten()(y)")
    >>> tensors = tensors_of(tree, Names(tree))
    >>> [tree.text(one) for one in tensors.of(tree.named("y")[1]).like()]
    ['y', 'relu(x ** 2)', 'x ** 2', 'x', 'Conv2D(8, 3)(x)']
    >>> [tensors.of(node).rank for node in (tree.named("y")[1], tree.all(ast.Call)[-2])]
    [4, 2]
    """

    def __init__(self, tree: Tree, names: Names) -> None:
        self.tree, self.names = tree, names
        self.values = dict.fromkeys(flow_of(tree).every())  # in the order of the file, so that what is before is known
        self.spoiled = set[Given]()
        for _ in range(PASSES):
            self._pass()
            wrong = {one for one in self.values if one.several and self._together(one)[0] != self.orders[one].order}
            if not wrong:
                break
            self.spoiled |= wrong

    def _pass(self) -> None:
        self.nodes: dict[Node, Tensor] = {}
        self.found: dict[Given, Tensor] = {}
        self.ranks: dict[Given, int] = {}
        self.orders: dict[Given, Said] = {}
        for call in self.tree.all(ast.Call):
            digit = DIGIT.search(last_name((layer_of(self.tree, call) or call).func))
            tensor = next(iter(given(call)), None)
            if digit and isinstance(tensor, ast.Name):
                self._note(flow_of(self.tree).at(tensor.id, tensor), int(digit[1]) + 2)
        for one in self.values:
            if one.value is not None and one.item is None and not one.each:
                self.found[one] = self.of(one.value)
                self._note(one, self.found[one].rank)
            self.orders[one] = self._together(one) if one.several else self._alone(one)

    def _alone(self, one: Given) -> Said:
        whole = one.value is not None and one.item is None and not (one.each or one.loose)
        return self.of(one.value).said if one.value is not None and whole else UNSAID

    def _together(self, value: Given) -> Said:
        """The order that all agree on which a name may be; what a loop gives it behind is looked at in the end."""
        made = [self.orders.get(one) if one in self.values else self._alone(one) for one in value.several]
        said = [one for one in made if one is not None]
        agree = said and value not in self.spoiled and len({one.order for one in said}) == 1
        return said[0] if agree else UNSAID

    def _note(self, value: Given | None, rank: int | None) -> None:
        if value is not None and rank is not None:
            for one in (value, *value.several):
                self.ranks.setdefault(one, rank)

    def of(self, node: Node) -> Tensor:
        """What an expression of the file is, after what is in it: a chain of methods has no end."""
        left, new = [node], list[Node]()
        while left:
            here = left.pop()
            if here not in self.nodes:
                new.append(here)
                left += children(here)
        for inner in reversed(new):
            if isinstance(inner, ast.expr):
                made = self._made(inner)
                self.nodes[inner] = replace(made, said=self._said(made))
        return self.nodes[node]

    def named(self, name: str, at: Node) -> int | None:
        """The number of axes of what a name is at a node."""
        value = flow_of(self.tree).at(name, at)
        several = [value, *value.several] if value is not None else []
        return next((self.ranks[one] for one in several if one in self.ranks), None)

    def rank(self, tensor: ast.expr, at: Node) -> int | None:
        """The number of axes of an expression at a node of the file, of which it may be no part itself."""
        if isinstance(tensor, ast.Name):
            return self.named(tensor.id, at)
        return self.of(tensor).rank if self.tree.parent(tensor) is not None else None

    def _made(self, node: ast.expr) -> Tensor:
        if isinstance(node, ast.Name):
            value = whole(self.tree, node)
            before = self.found.get(value) if value is not None else None
            return self._same(node, before, self.named(node.id, node))
        if isinstance(node, ast.UnaryOp):
            return self._same(node, self.nodes[node.operand])
        if isinstance(node, ast.BinOp):
            left, right = self.nodes[node.left], self.nodes[node.right]
            rank = left.rank if left.rank is not None else right.rank
            return self._same(node, left, rank) if isinstance(node.op, ast.Pow) else Tensor(node, rank)
        if isinstance(node, ast.IfExp):  # as it is, or turned where the order is another one
            branches = [self.nodes[one] for one in (node.body, node.orelse)]
            own = max((one.own for one in branches if isinstance(one.node, ast.Name)), default=0)
            said = branches[0].said if branches[0].said.order == branches[1].said.order else UNSAID
            return Tensor(node, own=own, said=said, keeps=FORMAT if in_format(node.test, *branches) else "")
        if isinstance(node, ast.List | ast.Tuple):
            return Tensor(node, self.nodes[node.elts[0]].rank if node.elts else None)
        if isinstance(node, ast.Subscript):
            tensor, slices = self.nodes[node.value], all(isinstance(one, ast.Slice) for one in entries_of(node))
            return Tensor(node, tensor.rank if slices else None, before=tensor, keeps=BATCH)
        return self._call(node) if isinstance(node, ast.Call) else Tensor(node)

    def _said(self, made: Tensor) -> Said:
        """The order of the axes: a layer's own, or that of what was before, where a step keeps or turns that."""
        node, before = made.node, made.before.said if made.before is not None else UNSAID
        if isinstance(node, ast.Name):
            value = flow_of(self.tree).at(node.id, node)
            return self.orders.get(value, UNSAID) if value is not None else UNSAID
        if isinstance(node, ast.BinOp) and made.keeps != SHAPE:
            return self.nodes[node.right if isinstance(node.left, ast.Constant) else node.left].said
        if isinstance(node, ast.Subscript):
            return before if all(map(_keeps_axis, entries_of(node))) else UNSAID
        if isinstance(node, ast.List | ast.Tuple):
            return self.nodes[node.elts[0]].said if node.elts else UNSAID
        return (
            self._said_by(node, made, before)
            if isinstance(node, ast.Call)
            else before
            if made.keeps == SHAPE
            else UNSAID
        )

    def _said_by(self, call: ast.Call, made: Tensor, before: Said) -> Said:
        own = order_said(self.tree, self.names, made.layer or call)
        if own and made.rank in (None, len(own)):
            return Said(own, self.tree.text(call))
        name = last_name((made.layer or call).func)
        turn = made.turn(len(before.order)) if name in TURNS and before.order else ()
        if turn:
            return Said("".join(before.order[n] for n in turn), self.tree.text(call))
        if name in REDUCTIONS and before.order:
            return Said(self._reduced(call, before.order), self.tree.text(call))
        keeps = name in MAPS or (AXES.fullmatch(name) and name not in TURNS)
        same = self.nodes[given(call)[0]].said if keeps and given(call) else UNSAID
        return before if made.keeps == SHAPE else same

    def _reduced(self, call: ast.Call, order: str) -> str:
        """The letters that a reduction leaves; none where its axes are not known."""
        axes = [literal(one) for one in axes_given(self.tree, self.names, call)[:1]]
        at = [*axes[0]] if axes and is_many(axes[0]) else axes
        if not at or not all(type(n) is int and -len(order) <= n < len(order) for n in at):
            return ""
        kept = next((literal(value) for key, value in arguments(call).items() if key.startswith("keep")), False)
        gone = {n % len(order) for n in at if kept is False}
        return "".join(letter for n, letter in enumerate(order) if n not in gone) if type(kept) is bool else ""

    def _same(self, node: ast.expr, before: Tensor | None, rank: int | None = None) -> Tensor:
        known = rank if rank is not None or before is None else before.rank
        return Tensor(node, known, before.own if before is not None else 0, before, SHAPE)

    def _call(self, call: ast.Call) -> Tensor:
        """A call as what it does to a tensor: by the method of a name, or by a framework's function or its layer."""
        func, args, full, last = call.func, given(call), self.names.full(call.func), last_name(call.func)
        function = (call.args and last in ELEMENTWISE) or plain_name(func) == f"self.{last}"
        method = isinstance(func, ast.Attribute) and full is None and not function
        first, *rest = [func.value, *args] if isinstance(func, ast.Attribute) and method else args or [func]
        before = self.nodes[first] if first is not func and not isinstance(first, ast.Starred) else None
        keeps = SHAPE if last in ELEMENTWISE + OF_NUMBERS else BATCH if self._is_step(call) else ""
        own = before.own if before is not None and (keeps == SHAPE or last in ("permute", "transpose")) else 0
        name = last if method else (full or "").rpartition(".")[2]
        layer = layer_of(self.tree, call)
        made = Tensor(call, self._rank(call, layer), own, before, keeps, name, rest, layer)
        if full is not None and last in MAKERS and isinstance(first, ast.Tuple | ast.List):
            return replace(made, own=len(first.elts))
        return replace(made, own=made.count) if last in SIZED else made

    def _is_step(self, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Call):
            return self.names.step(call.func.func) in ("reshape", "flatten")
        return (self.names.full(call.func) or last_name(call.func)).rpartition(".")[2] in STEPS

    def _rank(self, call: ast.Call, layer: ast.Call | None) -> int | None:
        name = last_name((layer or call).func)
        digit = DIGIT.search(name)
        if name in FLAT or (GLOBAL.match(name) and "keepdims" not in arguments(layer or call)):
            return 2
        if digit or name in MAPS:
            return int(digit[1]) + 2 if digit else 4
        return self.nodes[given(call)[0]].rank if AXES.fullmatch(name) and given(call) else None


def tensors_of(tree: Tree, names: Names) -> Tensors:
    """The tensors of a file, each found out once."""
    return tree.once(tensors_of, lambda: Tensors(tree, names))


def like(tree: Tree, names: Names, node: Node | None) -> list[ast.expr]:
    """A tensor, and those before it that have its shape."""
    return [*tensors_of(tree, names).of(node).like()] if isinstance(node, ast.expr) else []


def is_of(tree: Tree, size: Size, tensors: list[ast.expr]) -> bool:
    """Whether a size was taken of one of several tensors, as it is there."""
    return any(ast.unparse(one) == size.tensor and same_tensor(tree, size.tensor, size.since, one) for one in tensors)
