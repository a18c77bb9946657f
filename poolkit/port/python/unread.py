"""What is spelled like a pool and has no row yet: wrappers of a project, chains, registries, libraries around.

Nothing that pools by its name goes without a word. What the file itself defines is left, for its body has rows of its
own; anything else is pooling that could not be ported.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.errors import NotExactError
from poolkit.port.python.assumed import imported
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, given, last_name, literal, plain_name, pools
from poolkit.port.python.sites import TOLD, Site, holders
from poolkit.port.python.texts import texts
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import literals
from poolkit.port.report import Row, joined
from poolkit.spec.values import is_many

# Layers and functions that pool, and no pool of threads or connections.
LAYER = re.compile(
    r"(max|av(era)?g|mean|min|sum|lp|global|adaptive|roi|gem|blur|soft|median|stochastic|fractional|att(entio)?n).*pool"
    r"|pool(ing)?_?[1-4]?d|pooling|roi_?align|crop_and_resize",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
OF_WORKERS = re.compile(r"thread|process|worker|connection|session|memory|unpool", re.IGNORECASE)


def spelled_like_a_pool(name: str) -> bool:
    """Whether a name is one of pooling.

    >>> [spelled_like_a_pool(name) for name in ("max_pool2d", "GlobalAvgPool", "pool", "max_threadpool_size")]
    [True, True, False, False]
    """
    return LAYER.search(name) is not None and OF_WORKERS.search(name) is None


def unread(tree: Tree, names: Names, found: list[Site], told: list[Row], to: str | None) -> Iterator[Row]:
    """A row for each call that is spelled like a pool and has none.

    >>> tree = Tree("from .ops import max_pool2d; y = max_pool2d(x, 2)")
    >>> [(row.before, row.status) for row in unread(tree, Names(tree), [], [], "torch")]
    [('max_pool2d(x, 2)', 'failed')]
    """
    if is_for(names, to):
        return
    rows = [*_calls(tree, names, found, told, to), *_typed(tree, to)]
    rows += texts(tree, names, found, [*told, *rows], to)
    yield from rows
    if not (rows or told or found):
        yield from _mention(tree)


def _calls(tree: Tree, names: Names, found: list[Site], told: list[Row], to: str | None) -> Iterator[Row]:
    nodes = {site.node for site in found} | {part.node for site in found for part in site.folded}
    held = [site.node for site in found if site.word in holders()]
    seen = {(row.where, row.before) for row in told}
    meant = _renamed(tree)
    for node in tree.all(ast.Call):
        registry, key = _registry(node)
        func = registry or node.func
        name = last_name(node.func) or key
        spelled = _by_getattr(tree, node) or meant.get(name) or _behind(names, func) or name
        read = name == "getattr" and "pool" in spelled.lower() and not OF_WORKERS.search(spelled)
        meant_so = spelled_like_a_pool(spelled) or _own(tree, names, node, meant.get(name, name))
        if node in nodes or not (read or meant_so or _reduces_space(tree, names, node, spelled)):
            continue
        # In a chain over several lines a call stands at its own name.
        place = tree.span(node.func)[1] if isinstance(node.func, ast.Attribute) else tree.span(node)[0]
        row = Row(f"line {tree.line_at(place)}", tree.text(node), "failed")
        if (row.where, row.before) in seen or any(tree.inside(node, whole) for whole in held):
            continue
        full = names.full(func) or imported(tree, plain_name(func) or "", node) or ""
        asked = _asked(names, node) if name == "getattr" else ""
        if not full.startswith("poolkit.") and (to is None or of_framework(full or asked) != to):
            yield from _row(tree, node, func, full, asked, row)


def _own(tree: Tree, names: Names, node: ast.Call, name: str) -> bool:
    """Whether a function of a project, or a step of a chain, has the word in its name: `spatial_pool`."""
    words = [one.lower() for one in WORD.findall(name)]
    if "pool" not in words or OF_WORKERS.search(name) or not given(node) or not names.frameworks():
        return False
    if isinstance(node.func, ast.Attribute):
        here = _defined(tree, name) or any(isinstance(one.ctx, ast.Store) for one in tree.named(name))
        return isinstance(node.func.value, ast.Call) and name.islower() and not here
    first = tree.scope(node)[node.func.id] if isinstance(node.func, ast.Name) else []
    modules = {one.node.module or "" for one in first if isinstance(one.node, ast.ImportFrom)}
    return bool(modules) and not any(one.partition(".")[0] in sys.stdlib_module_names for one in modules)


def _typed(tree: Tree, to: str | None) -> Iterator[Row]:
    """``dict(type="MaxPool2d")``, of which a registry elsewhere makes a layer."""
    named = [keyword.value for keyword in tree.all(ast.keyword) if keyword.arg == "type"]
    for entries in tree.all(ast.Dict):
        named += [value for key, value in zip(entries.keys, entries.values, strict=True) if literal(key) == "type"]
    for node in named:
        word = literal(node)
        if isinstance(word, str) and word[:1].isupper() and word in pools() - pools(to):
            yield Row(f"line {tree.line(node)}", tree.text(node), "failed", notes=(f"{word} {BY_TEXT}",))


SPATIAL = ([1, 2], [2, 3], [-2, -1], [-1, -2], [-3, -2], [-2, -3], [1, 2, 3], [2, 3, 4])  # of images and of videos
BY_TEXT = (
    "is a text here, and which class that is, a registry elsewhere says; write the text that it has for the port's"
)


def _row(tree: Tree, node: ast.Call, func: ast.expr, full: str, asked: str, row: Row) -> Iterator[Row]:
    """The row of a call, by where its name comes from; none where the file made what is called, which has a row."""
    name, value = last_name(func), func.value if isinstance(func, ast.Attribute) else None
    defined = _defined(tree, name) if not full else None
    note = ""
    if defined is not None:
        note = f"{name} is defined in line {tree.line(defined)}; what pools in it has a row of its own"
    elif name == "getattr" and not asked and _reads(tree, node):
        note = "it reads an attribute of an object, and calls nothing"
    if note:
        yield Row(row.where, row.before, "left", notes=(note,))
        return
    if name == "getattr":
        note = f"{asked or 'it'} comes by getattr, which is not read; write it with a dot"
    elif full:
        note = f"{full} {NOT_READ}"
    elif not _made(tree, node, name, value):
        note = f"nothing in this file says what {plain_name(func) or name or tree.text(func)} is; {SAY}"
    if note:
        yield Row(
            row.where,
            row.before,
            "failed",
            notes=joined(_chained(node, name), note, neighbour(full.rpartition(".")[2] or name)),
        )


def _chained(node: ast.Call, name: str) -> str:
    """``self.feed("conv").max_pool(3, 3, 2, 2)``, as networks that caffe-tensorflow wrote have it."""
    kind, numbers = name.removesuffix("_pool"), [literal(arg) for arg in node.args]
    if kind not in ("max", "avg") or len(numbers) != 4 or not all(type(n) is int for n in numbers):
        return ""
    root: ast.expr = node
    while isinstance(root, ast.Call) and isinstance(root.func, ast.Attribute) and root.func.attr != "feed":
        root = root.func.value
    if not isinstance(root, ast.Call):
        return ""
    window, stride = tuple(numbers[:2]), tuple(numbers[2:])
    padding = next(
        (f"padding {ast.unparse(one.value)}" for one in node.keywords if one.arg == "padding"), "its padding"
    )
    return (
        f"networks of caffe-tensorflow take (k_h, k_w, s_h, s_w), by which it is {kind} with window {window}, stride "
        f"{stride} and {padding}; where the class that has {name} is ported, this call stays as it is"
    )


def neighbour(name: str) -> str:
    """What a neighbour of pooling of the same name is, as timm's AttentionPool2d is CLIP's."""
    same = (word for d in table.dialects() for word in d.words.values() if word.name.endswith(f".{name}"))
    for word in same:
        try:
            word.read(Call(name)) if not word.pools else None
        except NotExactError as error:
            return f"{error}, where it is like that"
    return ""


def _asked(names: Names, node: ast.Call) -> str:
    """What a getattr gives that asks a framework's module for a name that is written down."""
    module, name = (names.full(node.args[0]), literal(node.args[1])) if len(node.args) > 1 else (None, "")
    return f"{module}.{name}" if module is not None and isinstance(name, str) else ""


def _reads(tree: Tree, node: ast.Call) -> bool:
    """Whether a getattr asks for an attribute by a name that is no class's, and what it gives is not called."""
    name, around = literal(node.args[1]), tree.parent(node)
    return isinstance(name, str) and name[:1].islower() and not (isinstance(around, ast.Call) and around.func is node)


NOT_READ = (
    "is not among the layers and functions that poolkit reads; port the file that defines it, or write the "
    "framework's own pooling"
)
SAY = "port the file that defines it, or write the framework's own pooling"


def _made(tree: Tree, node: Node, name: str, value: Node | None) -> bool:
    """Whether the file gives a name or an attribute a value: what was called for that has been looked at."""
    if value is None:
        return any(not isinstance(one.node, ast.arg) for one in tree.scope(node)[name])
    assigned = (tree.parent(one) for one in tree.attributes(name) if isinstance(one.ctx, ast.Store))
    return any(isinstance(one, ast.Assign | ast.AnnAssign) for one in assigned)


def of_framework(full: str) -> str | None:
    """The framework that a full name belongs to, by its library's where that is one around a framework."""
    root = full.partition(".")[0]
    owners = sorted(table.dialects(), key=lambda d: root not in d.usage.around)
    return next((d.name for d in owners if root in (*d.usage.around, *d.roots)), None)


def is_for(names: Names, to: str | None) -> bool:
    """Whether a file imports the target alone: what it calls is that's, whatever module of the project it is from."""
    return {of_framework(root) for root in names.roots} - {None} == {to}


def _defined(tree: Tree, name: str) -> Node | None:
    definitions: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = [
        *tree.all(ast.FunctionDef),
        *tree.all(ast.AsyncFunctionDef),
        *tree.all(ast.ClassDef),
    ]
    by_name = tree.once(_defined, lambda: {one.name: one for one in reversed(definitions)})
    return by_name.get(name)


def _reduces_space(tree: Tree, names: Names, node: ast.Call, name: str) -> bool:
    """Whether a reduction that nothing reads is over several axes, or over names of several."""
    if name in TOLD and isinstance(node.func, ast.Attribute) and not name.startswith("reduce_"):
        return any(is_many(at := literal(one)) and [*at] in SPATIAL for one in given(node))
    values = given(node)[1:] if name in ("reduce_mean", "reduce_max") else []
    for value in values:
        meant = [literal(value), *literals(values_of(tree, names).of(value, node))]
        if any(is_many(one) and 1 < len(one) < 4 and all(type(n) is int for n in one) for one in meant):
            return True
        axes = value.elts if isinstance(value, ast.List | ast.Tuple) else []
        if 1 < len(axes) < 4 and all(plain_name(axis) for axis in axes):
            return True
    return False


def _renamed(tree: Tree) -> dict[str, str]:
    """What imports call otherwise: ``from .layers import max_pool2d as pool``."""
    aliases = [alias for alias in tree.all(ast.alias) if alias.asname is not None]
    return {alias.asname or "": alias.name.rpartition(".")[2] for alias in aliases}


def _behind(names: Names, func: Node) -> str:
    """What ``op`` of ``op = tf.raw_ops.MaxPool`` is, or whose ``MaxPool2D.from_config`` is, if spelled like a pool."""
    *before, last = (names.full(func) or "").split(".")
    owner = before[-1] if before and before[-1][:1].isupper() and not last.startswith("__") else ""
    return next((name for name in (last, owner) if spelled_like_a_pool(name)), "")


def _by_getattr(tree: Tree, node: ast.Call) -> str:
    return tree.text(node.args[1]) if last_name(node.func) == "getattr" and len(node.args) > 1 else ""


def _registry(node: ast.Call) -> tuple[ast.expr | None, str]:
    """Of ``LAYERS["max_pool"](2)`` and ``LAYERS.get("max_pool")(2)``: where what is called comes from, and its key."""
    func = node.func
    if isinstance(func, ast.Subscript):
        found, key = func.value, literal(func.slice)
    elif isinstance(func, ast.Call) and isinstance(func.func, ast.Attribute) and func.func.attr == "get" and func.args:
        found, key = func.func.value, literal(func.args[0])
    else:
        return None, ""
    return (found, key) if isinstance(key, str) else (None, "")


def _mention(tree: Tree) -> Iterator[Row]:
    """The first name that is one of pooling, in a file where nothing else is told of."""
    named = [(place, word) for word, place in tree.words.items() if spelled_like_a_pool(word)]
    if named:
        (line, _), word = min(named)
        yield Row(f"line {line}", word, "left", notes=("it is named here, and nothing in this file calls it",))
