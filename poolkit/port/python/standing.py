"""Stand-ins: for a class or function that a file hands on, and for calls whose arguments only the program knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from poolkit.dialects.calls import Call, Expression, text
from poolkit.dialects.dialect import NotKnown, Word
from poolkit.dialects.own import OWN
from poolkit.dialects.reading import PARTIAL, spoken_in
from poolkit.dialects.tensorflow.layers import CONTRIB
from poolkit.errors import NotExactError
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names, is_word
from poolkit.port.python.nodes import Node, expression, given, last_name, target_of
from poolkit.port.python.rewrite import last
from poolkit.port.python.sites import POOLS, Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import loads_of
from poolkit.port.python.values import by_shape
from poolkit.spec.vocabulary import SYMBOLIC

HANDED = "it is called as the original is, wherever that is, and what it makes is of another class"
SUBCLASS = "what the original has for subclasses is none of this; check what this decides"
LISTED = "no pool is of the class that stands in; where the list is asked for a pool's class, write the port's own"
DEFERRED = (
    "what the arguments are, only the program knows, and the call is read then, as the original's; where no spec says "
    "it, that is an error then"
)
ASKS = re.compile("isinstance$|getattr$|super$|^register|arg_scope$", re.IGNORECASE)  # for that class itself
WRAPPERS = ("TimeDistributed", "Bidirectional", "Wrapper")


def stand_in(word: str, to: str, layout: str | None) -> Call:
    """The call that makes a stand-in."""
    own = layout is None or last(to, layout) == last(to, None)
    return Call("poolkit.stand_in", (word, to), () if own else (("layout", SYMBOLIC[last(to, layout)]),))


def handed(tree: Tree, names: Names, to: str | None, found: Sequence[Site]) -> Iterator[Site]:
    """A site for each pooling class or function that is a value of the file, to be called elsewhere.

    >>> tree = Tree("from torch import nn; block(nn.MaxPool2d, pools={nn.AvgPool2d: nn.LPPool2d})")
    >>> [site.word for site in handed(tree, Names(tree), "keras", ())]
    ['torch.nn.MaxPool2d', 'torch.nn.LPPool2d']
    """
    called = {site.chosen for site in found if site.chosen is not None and _is_only_called(tree, site.chosen)}
    partials = {site.node for site in found if site.call.name == PARTIAL}
    for node in [*tree.all(ast.Attribute), *tree.all(ast.Name)] if to is not None else ():
        full = names.full(node) or ""
        pools = is_word(full) and POOLS.search(full.rpartition(".")[2])
        if not pools or tree.parent(node) in called | partials or not _is_handed(tree, names, node):
            continue
        call = Call(full)
        dialect, word = spoken_in(call)
        if dialect.name == to or not dialect.words[word].pools or word.startswith(CONTRIB):
            continue
        site = Site(ast.copy_location(ast.Call(node, [], []), node), call, word, dialect.name, "handed", node)
        subclass = last_name(getattr(tree.given_to(node), "func", node)) == "issubclass"
        site.caveats += [SUBCLASS] if subclass else []
        site.caveats += [LISTED] if isinstance(tree.parent(node), ast.Tuple | ast.List) else []
        site.notes += [] if subclass else [HANDED]
        site.caveats += filter(None, [names.guess(node)])
        _with_further(site, dialect.words[word])
        yield site


def _with_further(site: Site, word: Word) -> None:
    """What is said of a class or function that takes tensors besides, or draws."""
    tensors = [ours for ours, _ in word.further if ours != "samples"]
    if tensors and word.tensor is None:
        site.error = NotExactError(
            f"what it makes is called with {' and '.join(tensors)} behind the input, and poolkit's layers take them by "
            f"name, as in layer(x, {tensors[0]}=...); make it here, and hand that on"
        )
    site.caveats += [word.differs] if word.differs and isinstance(word.differs, str) else []


def _is_only_called(tree: Tree, choice: Node) -> bool:
    """Whether a name that is one of two classes is called wherever it is read: each call is written for both."""
    target = target_of(tree.parent(choice))
    loads = loads_of(tree, target.id, choice) if isinstance(target, ast.Name) else []
    return all(isinstance(call := tree.parent(load), ast.Call) and call.func is load for load in loads)


def _is_handed(tree: Tree, names: Names, node: Node) -> bool:
    """Whether a value is an argument, a default, a result, or what a name or a key is given."""
    here, around = node, tree.parent(node)
    while isinstance(around, ast.Tuple | ast.List) or (isinstance(around, ast.IfExp) and here is not around.test):
        here, around = around, tree.parent(around)
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return False
    if isinstance(around, ast.Call | ast.keyword):
        call = tree.given_to(here)
        return call is not None and not ASKS.search(last_name(call.func))
    if isinstance(around, ast.Dict):
        return any(one is here for one in around.values)
    if isinstance(around, ast.Assign | ast.AnnAssign):
        target = target_of(around)
        alias = here is node and isinstance(target, ast.Name) and names.full(target) is not None
        return around.value is here and not (alias and not isinstance(tree.parent(around), ast.ClassDef))
    if isinstance(around, ast.arguments):
        return any(one is here for one in (*around.defaults, *around.kw_defaults))
    return isinstance(around, ast.Return | ast.Lambda)


def deferred(tree: Tree, names: Names, site: Site, to: str, layout: str | None) -> Call:
    """The stand-in for what a site calls; the error of the site where the call means more than it says."""
    assert isinstance(site.error, NotKnown)
    if site.dialect == OWN or not _is_all_that_it_says(tree, names, site):
        raise site.error
    if site.ordered and last(to, layout) != last(site.dialect, None):
        raise NotExactError(site.ordered)
    if _sized(tree, names, site):
        raise site.error
    return stand_in(site.word, to, layout)


def _is_all_that_it_says(tree: Tree, names: Names, site: Site) -> bool:
    """Whether a call is that of a pool alone, with every argument of its own."""
    around, outer = tree.given_to(site.outer), site.outer
    if not POOLS.search(site.word.rpartition(".")[2]) or site.role not in ("layer", "applied", "function"):
        return False
    if site.word.startswith(CONTRIB) or site.call.name == PARTIAL or site.call != names.call(site.node):
        return False  # an arg_scope may say more
    if site.role == "applied" and isinstance(outer, ast.Call) and len(given(outer)) > 1:
        return False
    if around is not None and last_name(around.func) in WRAPPERS:
        return False
    return not (site.folded or site.turned or site.sized or site.given or site.cases or site.chosen or site.reformed)


def _sized(tree: Tree, names: Names, site: Site) -> bool:
    """Whether an argument may go by the shape of a tensor, whose axes come to other places."""
    values, tensor = values_of(tree, names), text(site.tensor and Expression(tree.text(site.tensor)))
    arguments = [one for one in given(site.node) if one is not site.tensor]
    return any(by_shape(values.of(expression(tree.text(one)), site.node), tensor) for one in arguments)
