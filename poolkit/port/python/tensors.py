"""The tensors of a file, by one pass in its order: how many axes each has, in whose order, and what it was before."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from poolkit.port.python.given import Given
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, entries_of, given, last_name, literal, plain_name
from poolkit.port.python.positions import lettered
from poolkit.port.python.scopes import children
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import between, flow_of, layer_of, unchanged, whole
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
DIGIT = re.compile(r"([123])[dD](_|$|Transpose)")
GLOBAL = re.compile(r"Global\w*Pool")
FLAT = ("Flatten", "flatten")
MAPS = ("resize", "resize_bilinear", "resize_nearest_neighbor", "resize_images", "Resizing")
# Layers and functions whose result has as many axes as what they are given, or the first of it.
AXES = re.compile(
    r"(?i)\w*(norm|normalization|dropout|activation|concat|concatenate|relu|elu|silu|swish|gelu|sigmoid|tanh)|cat|add|"
    r"multiply|average|maximum|identity|softmax|dense|conv|pad|transpose|permute_dimensions"
)
WHOLE = ("permute", "transpose", "permute_dimensions")
PAIRS = ("transpose", "swapaxes", "swapdims")
MOVES = ("moveaxis", "movedim")
TURNS = (*WHOLE, *PAIRS, *MOVES, "Permute")
SHAPE, BATCH, FORMAT = "shape", "batch", "format"  # what a step keeps of its tensor, or gives it


@dataclass(frozen=True, eq=False)
class Tensor:
    """What an expression is as a tensor.

    `rank` is the number of its axes, if that is known, and `own` the number of those that a reshape gave it, which has
    the original's order whatever the others have. It was `before` a step: a name that it is given, or the function,
    method or layer `name`, with the `rest` of what that is given, which keeps its shape, or its batch.
    """

    node: ast.expr
    rank: int | None = None
    own: int = 0
    before: Tensor | None = None
    keeps: str = ""
    name: str = ""
    rest: list[ast.expr] = field(default_factory=list[ast.expr])
    layer: ast.Call | None = None

    def like(self, steps: bool = False) -> Iterator[ast.expr]:
        """It, and those before it that have its shape; with `steps` those that have its batch, up to a pool's own."""
        here: Tensor | None = self
        for _ in range(20):
            if here is None:
                return
            yield here.node
            if here.keeps != SHAPE and not (steps and here.keeps):
                break
            here = here.before
        if steps and here is not None and here.before is not None and not here.keeps:
            yield here.before.node

    @property
    def sizes(self) -> list[ast.expr]:
        """The sizes that a reshape has, of all axes."""
        return self.rest[-1].elts if self.rest and isinstance(self.rest[-1], ast.Tuple | ast.List) else self.rest

    @property
    def count(self) -> int:
        """How many sizes a reshape has; 0 where a star leaves that open."""
        args = self.node.args if isinstance(self.node, ast.Call) else []
        return 0 if any(isinstance(one, ast.Starred) for one in [*args, *self.sizes]) else len(self.sizes)

    def turn(self, rank: int) -> tuple[int, ...]:
        """Which axis each one is before a turn: ``x.permute(0, 3, 1, 2)``, ``Permute(…)(x)``; () for what is none.

        >>> tree = Tree("y = x.permute(0, 3, 1, 2)")
        >>> tensors_of(tree, Names(tree)).of(tree.all(ast.Call)[0]).turn(4)
        (0, 3, 1, 2)
        """
        if not isinstance(self.node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in self.node.args):
            return ()
        if self.layer is not None:
            at = literal(self.layer.args[0]) if last_name(self.layer.func) == "Permute" and self.layer.args else None
            batch = () if is_many(at) and 0 in at else (0,)  # Keras's does not count it, as torchvision's does
            order: tuple[object, ...] | None = (*batch, *at) if is_many(at) else None
        else:
            named = [value for name, value in arguments(self.node).items() if name not in ORDERS]
            values = tuple(literal(one) for one in self.rest if one not in named)
            order = _order(last_name(self.node.func), values, rank)
        places = [n % rank for n in order or () if isinstance(n, int)]
        return tuple(places) if sorted(places) == [*range(rank)] else ()


ORDERS = ("perm", "axes", "dims")


def _in_format(test: ast.expr, body: Tensor, orelse: Tensor) -> bool:
    """``x if data_format() == "channels_last" else Permute((3, 1, 2))(x)``: in the order that the data format says."""
    if not isinstance(test, ast.Compare) or "data_format" not in ast.unparse(test.left):
        return False
    said = lettered(literal(test.comparators[0]))
    orders = said, {"NHWC": "NCHW", "NCHW": "NHWC"}.get(said, said)
    after, before = orders[::-1] if isinstance(test.ops[0], ast.NotEq) else orders
    return any(
        one.before is not None
        and ast.unparse(one.before.node) == ast.unparse(other.node)
        and "".join(before[n] for n in one.turn(4)) == after
        for one, other, after, before in ((body, orelse, after, before), (orelse, body, before, after))
    )


def _order(name: str, values: tuple[object, ...], rank: int) -> tuple[object, ...] | None:
    """Which axis each new one is; None for what is no turn."""
    first = values[0] if len(values) == 1 else None
    if name in WHOLE and (is_many(first) or len(values) > 2):
        return tuple(first) if is_many(first) else values
    if len(values) != 2 or not all(isinstance(n, int) and -rank <= n < rank for n in values):
        return None
    a, b = (n % rank for n in values if isinstance(n, int))
    axes = [*range(rank)]
    if name in PAIRS:
        axes[a], axes[b] = axes[b], axes[a]
        return tuple(axes)
    axes.insert(b, axes.pop(a))
    return tuple(axes) if name in MOVES else None


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
        self.nodes: dict[Node, Tensor] = {}
        self.found: dict[Given, Tensor] = {}
        self.ranks: dict[Given, int] = {}
        for call in tree.all(ast.Call):
            digit = DIGIT.search(last_name((layer_of(tree, call) or call).func))
            tensor = next(iter(given(call)), None)
            if digit and isinstance(tensor, ast.Name):
                self._note(flow_of(tree).at(tensor.id, tensor), int(digit[1]) + 2)
        for one in flow_of(tree).every():  # in the order of the file, so that what is before is known
            if one.value is not None and one.item is None and not one.each:
                self.found[one] = self.of(one.value)
                self._note(one, self.found[one].rank)

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
                self.nodes[inner] = self._made(inner)
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
            return Tensor(node, own=own, keeps=FORMAT if _in_format(node.test, *branches) else "")
        if isinstance(node, ast.List | ast.Tuple):
            return Tensor(node, self.nodes[node.elts[0]].rank if node.elts else None)
        if isinstance(node, ast.Subscript):
            tensor, slices = self.nodes[node.value], all(isinstance(one, ast.Slice) for one in entries_of(node))
            return Tensor(node, tensor.rank if slices else None, before=tensor, keeps=BATCH)
        return self._call(node) if isinstance(node, ast.Call) else Tensor(node)

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
        return replace(made, own=made.count) if last in ("reshape", "view") else made

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


def same_tensor(tree: Tree, tensor: str, since: Node, until: Node) -> bool:
    """Whether an expression surely means the same tensor at two statements.

    An attribute or an item may also be changed by a method of what has it, and by a function that is given that.
    """
    root = tensor.partition(".")[0].partition("[")[0]
    if not root.isidentifier() or not unchanged(tree, root, since, until):
        return False
    if tensor == root or tree.statement(since) is tree.statement(until):
        return True
    return not any(between(tree, node, since, until) and _may_change(tree, node, tensor, root) for node in _doers(tree))


def _doers(tree: Tree) -> Iterator[Node]:
    yield from (target for statement in tree.all(ast.Assign) for target in statement.targets)
    yield from (statement.target for statement in tree.all(ast.AugAssign))
    yield from tree.all(ast.Call)


def _may_change(tree: Tree, node: Node, tensor: str, root: str) -> bool:
    if isinstance(node, ast.Call):
        method = tree.text(node.func)
        ours = method.startswith(f"{root}.") and not method.startswith(f"{tensor}.")
        return ours or any(tree.text(arg) == root for arg in (*node.args, *(k.value for k in node.keywords)))
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return any(tree.text(part).startswith((f"{root}.", f"{root}[")) for part in parts)
