"""What of a file is spelled like a pool, by Python's own tree alone: poolkit's porter is held against this count."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

# As torch, Keras of every age, TensorFlow with slim and tf.layers, Flax, Haiku and Equinox spell them.
SPELLED = re.compile(
    r"(global|adaptive|fractional)?_?(max|avg|average|lp)_?pool(ing)?(_?[123]d)?(_v[12]|_with_(argmax|indices))?"
    r"|pool[23]d|reduce_window",
    re.IGNORECASE,
)
REDUCTION = re.compile(r"(reduce_)?(mean|max)|amax")
SPATIAL = ({1, 2}, {2, 3}, {-1, -2}, {-2, -3}, {1, 2, 3}, {2, 3, 4})
FRAMEWORKS = {
    "torch": ("torch", "timm", "torchvision"),
    "jax": ("jax", "flax", "haiku", "equinox"),
    "other": ("mxnet", "chainer", "paddle", "mindspore"),
    "tensorflow": ("tensorflow", "tf_slim"),
    "keras": ("keras", "tf_keras", "keras_hub", "keras_cv", "keras_contrib"),
}


class Counted(NamedTuple):
    """One place that is spelled like a pool: the lines on which a row may say where it is, the word, and what it is."""

    lines: tuple[int, ...]
    word: str
    called: bool  # else it is a class that is named alone, to be handed on or asked for


def parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def counted(tree: ast.Module) -> list[Counted]:
    r"""Every call, and every class that is passed on, but for what the file itself has made or defines.

    >>> counted(parsed("from torch import nn\npool = nn.MaxPool2d(2)\ny = block(x, nn.AvgPool2d)"))
    [Counted(lines=(2, 2), word='MaxPool2d', called=True), Counted(lines=(3, 3), word='AvgPool2d', called=False)]
    """
    own = made_here(tree)
    called = (
        node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and not isinstance(node.func, ast.Call)
    )
    skipped = types(tree) | set(map(id, called))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and id(node) not in skipped]
    found = [
        _counted(node, word) for node in nodes if _last(getattr(node, "func", node)) not in own for word in _words(node)
    ]
    return sorted(found)


def _counted(node: ast.expr, word: str) -> Counted:
    last = node.func if isinstance(node, ast.Call) else node
    return Counted((node.lineno, last.end_lineno or node.lineno), word, last is not node)


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        word = _last(node.func)
        if SPELLED.fullmatch(word) or (REDUCTION.fullmatch(word) and _over_space(node)):
            yield word
        yield from _by_getattr(node)
    elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        word = _last(node)
        if word[:1].isupper() and SPELLED.fullmatch(word):
            yield word


def _by_getattr(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
        texts = [n.value for n in ast.walk(node.args[1]) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if any("pool" in text.lower() for text in texts):
            yield "getattr"


def _over_space(node: ast.Call) -> bool:
    """Whether a reduction has the literal axes of an image's or a video's space."""
    for value in (*node.args, *(keyword.value for keyword in node.keywords)):
        try:
            axes = ast.literal_eval(value)
        except (ValueError, TypeError):
            continue
        if isinstance(axes, tuple | list) and set(axes) in SPATIAL:
            return not ast.unparse(node.func).startswith(("np.", "numpy."))
    return False


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def made_here(tree: ast.Module) -> set[str]:
    """The names and attributes that the file itself gives a value, imports apart."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(_last(node))
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def types(tree: ast.Module) -> set[int]:
    """The nodes that are types and no values."""
    found = [getattr(node, name, None) for node in ast.walk(tree) for name in ("annotation", "returns")]
    return {id(inner) for node in found if isinstance(node, ast.AST) for inner in ast.walk(node)}


def framework(tree: ast.Module) -> str:
    """The framework that a file imports, "" where it imports none."""
    roots: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            roots.add(node.module.partition(".")[0])
    return next((name for name, own in FRAMEWORKS.items() if not roots.isdisjoint(own)), "")


def undefined(tree: ast.Module) -> set[str]:
    """The names that a file uses, and that nothing in it gives a value."""
    given = made_here(tree) | set(dir(builtins)) | {"__file__", "__name__", "__path__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            given |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            given.add(node.name)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - given
