"""Pooling that a file names in a text: ``eval("nn.MaxPool2d(2)")``, ``getattr(layers, kind)`` of "MaxPooling2D".

Which class a text is, is decided when the program runs, so that nothing is ported. A text that is nothing but such a
name is told of; one of a message is longer, and what names a thing of the file's own, as a key does, makes no pool.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from poolkit.dialects import table
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, last_name, pools
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.report import Row

LONGEST = 200  # characters of a text that is a name, or a call of one
SPELLED = re.compile(r"(?:\w+\.)*(\w+)(\(.*\))?", re.DOTALL)
# What makes an object of a text. Without one of these in the file `max_pool2d` is a key, an option or a node's name.
MAKERS = {"getattr", "eval", "exec", "attrgetter", "methodcaller", "__dict__", "vars", "globals", "import_module"}
SAYS = re.compile(r"print|warn\w*|info|debug|error|critical|log\w*|exception|add_module|register\w*|\w*(Error|Warning)")
NAMES = re.compile(r"\w*name|help|description|metavar|dest|id")
SHOWS = ("__repr__", "__str__", "_get_name", "extra_repr")


def texts(tree: Tree, names: Names, found: Sequence[Site], told: Sequence[Row], to: str | None) -> Iterator[Row]:
    """A row for each text that is the name of a pool of another framework's, and has none.

    >>> tree = Tree('for kind in ("MaxPooling2D", "Dense"): getattr(layers, kind)(2)')
    >>> [(row.before, row.status) for row in texts(tree, Names(tree), [], [], "torch")]
    [('"MaxPooling2D"', 'failed')]
    """
    known = _known(names, to)
    made = not MAKERS.isdisjoint(tree.words)
    seen: dict[str, str] = {}
    for row in told:
        seen[row.where] = seen.get(row.where, "") + row.before * (row.status == "failed")
    for node in tree.all(ast.Constant):
        word = _word(node.value, made) if isinstance(node.value, str) else ""
        if word not in known or _names_something(tree, node) or any(tree.inside(node, site.outer) for site in found):
            continue
        where, text = f"line {tree.line(node)}", tree.text(node)
        if text not in seen.get(where, ""):
            seen[where] = seen.get(where, "") + text
            yield Row(where, text, "failed", notes=(f"{word} {BY_NAME}",))


BY_NAME = (
    "is only a text here, and what is made of it is decided when the program runs; write the class or function itself "
    "where it is called, or port it by hand"
)


def _known(names: Names, to: str | None) -> frozenset[str]:
    """The words of pools, without those of the target where the file has that too, or nothing says what it has."""
    dialect = None if to is None else table.dialect(to)
    homes = () if dialect is None else (*dialect.roots, *(one.partition(".")[0] for one in dialect.usage.inside))
    return pools() if names.frameworks() and names.roots.isdisjoint(homes) else pools() - pools(to)


def _word(text: str, made: bool) -> str:
    """The name that a text is, "" for any other; of a function, or in a call, where the file makes objects of texts."""
    spelled = SPELLED.fullmatch(text) if "ool" in text and len(text) <= LONGEST else None
    if spelled is None:
        return ""
    word, called = spelled.groups()
    plain = word[:1].isupper() and not called
    function = made and (called or "." in text or word[-1:] == "d")
    return word if plain or function else ""


def _names_something(tree: Tree, node: Node) -> bool:
    """Whether a text is a docstring, a key, a name, a message, an annotation, or what something is held against."""
    inside, around = node, tree.parent(node)
    entries = zip(around.keys, around.values, strict=True) if isinstance(around, ast.Dict) else ()
    value = next((value for key, value in entries if key is node), None)
    if value is not None:
        return not isinstance(value, ast.Constant | ast.Dict | ast.List | ast.Tuple)
    if isinstance(around, ast.Expr | ast.JoinedStr | ast.MatchValue):
        return True
    while around is not None and not isinstance(around, ast.Module):
        if _says(around, inside):
            return True
        if isinstance(around, ast.Call):
            return around in _decorators(tree.parent(around))
        inside, around = around, tree.parent(around)
    return False


def _says(around: Node, inside: Node) -> bool:
    """Whether what is inside something there only names it, or is shown."""
    if inside in (getattr(around, "annotation", None), getattr(around, "returns", None), *_decorators(around)):
        return True
    match around:
        case ast.keyword():
            return NAMES.fullmatch(around.arg or "") is not None
        case ast.Call():
            return SAYS.fullmatch(last_name(around.func)) is not None
        case ast.Compare():
            return not any(last_name(one) == "__name__" for one in (around.left, *around.comparators))
        case ast.Assign():
            return any(last_name(one) == "__all__" for one in around.targets)
        case ast.AugAssign():
            return last_name(around.target) == "__all__"
        case ast.Subscript():
            return not isinstance(around.ctx, ast.Load) or last_name(around.value) == "Literal"
        case ast.FunctionDef():
            return around.name in SHOWS
        case _:
            return isinstance(around, ast.Raise | ast.Assert)


def _decorators(node: Node | None) -> list[ast.expr]:
    return node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
