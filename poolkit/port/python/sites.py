"""The places of a file that pool, or may: layers that are made, layers that are called at once, functions, methods."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, Name, known
from poolkit.dialects.dialect import AtSomeSizes, Fields, NotPooling, Word
from poolkit.dialects.own import OWN
from poolkit.dialects.reading import PARTIAL, applied_call, fields_alone, spoken_in, takes_a_tensor
from poolkit.dialects.reductions import NUMPY_WORDS
from poolkit.dialects.sources import METHODS
from poolkit.errors import NotExactError, PoolkitError
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, given
from poolkit.port.python.tree import Span, Tree
from poolkit.port.python.values import Sized
from poolkit.running.registry import EVERYWHERE
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec

Role = Literal["layer", "applied", "function", "spec", "class", "handed"]

# Means and maxima; what else reduces, such as a sum, is told of only where it pools.
REDUCTIONS = ("mean", "max", "amax", "min", "amin", "sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_sum")
TOLD = ("mean", "max", "amax", "reduce_mean", "reduce_max")
POOLS = re.compile(r"pool(?!s)|reduce_window", re.IGNORECASE)


@dataclass
class Folded:
    """A call that becomes part of a pool: what it was, and the span that goes, with what takes its place.

    `keeps` is the part of the call that takes its place, if it is one.
    """

    node: Node
    span: Span
    keeps: Node | None = None
    why: str = ""  # with the line of the pool to be filled in, where it is not that its axes come back


class Pad(NamedTuple):
    """A call that puts zeros around the spatial axes of what a maximum pools."""

    call: ast.Call
    tensor: Node | None  # of a function; None for a layer
    pairs: tuple[tuple[int, int], ...]
    root: str  # of the module that it is from
    note: str  # what is said of it where it stays


@dataclass
class Site:
    """A pooling call of a file. `outer` is what is rewritten, and `tensor` what it is applied to.

    `error` says why its fields are not known, and `computed` is the text of axes that only the program knows.
    `by_shape` says why it cannot go to another order of the axes, and a site is `reformed` where its call alone gives
    something else than its fields say.
    """

    node: ast.Call
    call: Call
    word: str
    dialect: str
    role: Role
    outer: Node
    tensor: Node | None = None
    fields: Fields | Operation = field(default_factory=dict[str, Any])
    error: NotExactError | None = None
    computed: str = ""
    by_shape: str = ""
    sized: list[Sized] = field(default_factory=list[Sized])  # where the sizes are taken that its window goes by
    stays: bool = False  # whether its axes stay where they are: counted in an order that is not known, or reshaped to
    either: bool = False  # whether the file has its axes in one order or the other
    ordered: str = ""  # why it cannot, for what stands in its argument, which is another order itself where `permuted`
    permuted: bool = False
    turned: list[Folded] = field(default_factory=list[Folded])  # the turns around it that go where the order changes
    cuts: list[ast.Subscript] = field(default_factory=list[ast.Subscript])  # slices in its argument, one for each axis
    counted: list[str] = field(default_factory=list[str])  # notes on axes that are counted there
    maybe_none: str = ""  # the text of a stride or of bins that may be None
    numbers: set[str] = field(default_factory=set[str])  # the texts of arguments that surely are one number
    shapes: set[str] = field(default_factory=set[str])  # and of those that are a shape, or a slice of one
    tuples: set[str] = field(default_factory=set[str])  # and of those that surely are a tuple or a list
    pad: Pad | None = None  # before it
    given: dict[str, Expression | Node] = field(default_factory=dict[str, Expression | Node])  # besides: a mask
    keyed: list[tuple[Node, str]] = field(default_factory=list[tuple[Node, str]])  # which get a name where they stand
    reformed: bool = False
    notes: list[str] = field(default_factory=list[str])
    caveats: list[str] = field(default_factory=list[str])  # where the port gives other numbers all the same
    if_moved: list[str] = field(default_factory=list[str])  # notes for where the order of the axes changes
    folded: list[Folded] = field(default_factory=list[Folded])
    # Where the program chooses between two calls: the condition of the first, and the fields and the call of each.
    cases: list[tuple[str, Fields, Call]] = field(default_factory=list[tuple[str, Fields, Call]])
    chosen: Node | None = None  # the choice of two classes that is called

    @property
    def read(self) -> Fields:
        """The fields of a site that is read, and is one pool; none of any other."""
        return self.fields if self.error is None and isinstance(self.fields, dict) else {}


@functools.cache
def holders() -> frozenset[str]:
    """Words that hold others: they are one pool, or only what is inside them is."""
    return frozenset([*table.every(lambda usage: usage.holders), PARTIAL])


def sites(tree: Tree, names: Names) -> list[Site]:
    """Every call of the file that pools, means or takes a maximum, in the order of the file.

    >>> tree = Tree("from torch import nn; y = nn.MaxPool2d(2)(x)")
    >>> [(site.word, site.role) for site in sites(tree, Names(tree))]
    [('torch.nn.MaxPool2d', 'applied')]
    """
    found: list[Site] = []
    taken: list[Node] = []
    for node in tree.all(ast.Call):
        if isinstance(node.func, ast.Call) or any(tree.inside(node, whole) for whole in taken):
            continue
        site = _site(tree, names, node)
        if site is not None:
            found.append(site)
            taken += [node] if site.word in holders() else []
    return found


def _site(tree: Tree, names: Names, node: ast.Call) -> Site | None:
    found = _word(tree, names, node)
    if found is None:
        return None
    call, word, dialect = found
    entry = table.dialect(dialect).words.get(word)
    function = entry is not None and entry.tensor is not None and call.name != PARTIAL
    site = Site(node, call, word, dialect, "function" if function else "layer", node)
    _place(tree, names, site, entry)
    _read(tree, names, site)
    site.caveats += filter(None, [names.guess(node.func)])
    if word in holders() and (site.error is not None or not site.fields):
        return None
    return site


def _word(tree: Tree, names: Names, node: ast.Call) -> tuple[Call, str, str] | None:
    """The call, its word and its dialect, where it may pool."""
    last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    full = names.full(node.func)
    if full is None and last not in NUMPY_WORDS:
        return None
    if full is not None and not _may_pool(full):
        return None
    call = names.call(node)
    if full is None:
        method = _method(names, call)
        if method is None:
            return None
        call = Call(method, call.args, call.kwargs)
    try:
        dialect, word = spoken_in(_inner(call))
    except NotExactError:
        return None
    if call.name == PARTIAL and not takes_a_tensor(_inner(call)):
        return None  # a partial of a layer's class makes layers, which are told of where they are named
    return call, (PARTIAL if call.name == PARTIAL else word), dialect.name


def _inner(call: Call) -> Call:
    """What a partial is of."""
    first = call.args[0] if call.name == PARTIAL and call.args else None
    return Call(first.dotted) if isinstance(first, Name) else call


def _may_pool(full: str) -> bool:
    *before, last = full.split(".")
    places, unsaid = _telling()
    pools = POOLS.search(last) is not None and not places.isdisjoint(before)
    return full in holders() or full in unsaid or pools or last in REDUCTIONS


@functools.cache
def _telling() -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(table.every(lambda usage: usage.places)), frozenset(table.every(lambda usage: usage.unsaid))


def _method(names: Names, call: Call) -> str | None:
    """The word for a method of a tensor: by what its arguments are called, otherwise by what the file imports."""
    own = [(d, d.usage.methods) for d in table.dialects() if d.usage.methods is not None]
    fitting = [(d, methods) for d, methods in own if not methods.arguments.isdisjoint(dict(call.kwargs))]
    if len(fitting) != 1:  # arrays are in every program, so their framework comes last
        order = sorted(own, key=lambda pair: (pair not in fitting, pair[0].name in EVERYWHERE))
        fitting = [pair for pair in order if not names.roots.isdisjoint(pair[0].roots)]
    return f"{fitting[0][1].prefix}.{call.name.removeprefix(f'{METHODS}.')}" if fitting else None


def _place(tree: Tree, names: Names, site: Site, word: Word | None) -> None:
    """What a site is applied to, and what of the file is to be rewritten."""
    node = site.node
    if site.role == "layer":
        applied(tree, site)
        return
    assert word is not None
    method = isinstance(node.func, ast.Attribute) and names.full(node.func) is None
    site.tensor = node.func.value if method and isinstance(node.func, ast.Attribute) else _argument(node, word.tensor)


def applied(tree: Tree, site: Site) -> Site:
    """The site, with the tensor where its layer is called at once."""
    around = tree.parent(site.outer)
    if isinstance(around, ast.Call) and around.func is site.outer and _one_tensor(around):
        site.role, site.outer, site.tensor = "applied", around, given(around)[0]
    return site


# What Keras's layers may be called with besides a tensor, and pools make nothing of.
BESIDES = ("training", "mask", "name")


def _one_tensor(call: ast.Call) -> bool:
    """Whether a layer is called with one tensor."""
    if len(call.args) > 1 or any(isinstance(arg, ast.Starred) for arg in call.args):
        return False
    rest = call.keywords[0 if call.args else 1 :]
    return bool(given(call)) and all(k.arg in BESIDES for k in rest) and all(k.arg for k in call.keywords)


TENSORS = ("input", "value", "x", "inputs", "a", "input_tensor", "operand", "self")


def _argument(node: ast.Call, tensor: str | None) -> Node | None:
    """The tensor among a function's arguments: by its name, also an old one, or the first."""
    named = arguments(node)
    for name in (tensor, *TENSORS):
        if name in named:
            return named[name]
    first = node.args[0] if node.args else None
    return first if not isinstance(first, ast.Starred) else None


def _read(tree: Tree, names: Names, site: Site) -> None:
    """The fields of a site; with the literals behind its names where they decide what is pooled."""
    try:
        if site.role == "function" and site.tensor is None:
            raise NotExactError("its tensor is not among its arguments; write it as the first")
        site.fields = checked(fields_alone(site.call))
    except NotExactError as error:
        site.error = _told(site.word, error)
        with_literals(tree, names, site)
    axis = reduced(site) if site.error is not None else None
    site.computed = axis.text if isinstance(axis, Expression) else ""


def _told(word: str, error: NotExactError) -> NotExactError:
    """The error; as `NotPooling` for a maximum of one axis with its places."""
    return NotPooling(str(error)) if word.rpartition(".")[2] in ("max", "min") else error


def with_literals(tree: Tree, names: Names, site: Site) -> None:
    """Read a site again with the literals that its names surely are, where it can be read then."""
    call = values_of(tree, names).literals_in(site.call, site.node)
    try:
        fields = checked(fields_alone(call)) if call != site.call else None
    except NotExactError as error:
        site.error = error if isinstance(error, AtSomeSizes) else site.error
        return
    if fields is not None:
        site.fields, site.call, site.error = fields, call, None


def checked(fields: Fields | Operation) -> Fields | Operation:
    """The fields; `NotExactError` where they are known and make no spec."""
    try:
        if not isinstance(fields, Operation) and all(known(value) for value in fields.values()):
            PoolSpec(**fields)
    except (PoolkitError, TypeError) as error:
        raise NotExactError(str(error)) from None
    return fields


def reduced(site: Site) -> Any:
    """The axes of a reduction as they are written: positions or an `Expression`; None for what is no reduction."""
    call = applied_call(site.call)
    name = spoken_in(call)[1] if site.word == PARTIAL else site.word
    word = table.dialect(site.dialect).words.get(name) if site.dialect != OWN else None
    if word is None or word.name.rpartition(".")[2] not in REDUCTIONS:
        return None
    try:
        return word.read(call).get("axis")
    except NotExactError:
        return None
