"""Calls that pool by their names, and that nothing reads: names with two meanings, getattr, libraries around."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst
from libcst.metadata import QualifiedNameSource

from poolkit.dialects import table
from poolkit.port.python.names import Names, is_word, plain_name
from poolkit.port.python.sites import POOLS, TOLD
from poolkit.port.python.tree import Tree
from poolkit.port.report import Row

# Libraries with layers for a framework, whose pooling poolkit does not read.
AROUND = {
    **dict.fromkeys(("tf_slim", "slim", "tensorflow_addons", "tensorlayer", "tflearn", "tensorpack"), "tensorflow"),
    **dict.fromkeys(("keras_contrib", "keras_cv", "keras_hub", "keras_nlp"), "keras"),
    **dict.fromkeys(("torchvision", "torch_geometric", "kornia", "monai", "mmcv"), "torch"),
    "sonnet": "tensorflow",
}
# Layers and functions that pool, and no pool of threads or connections.
LAYER = re.compile(
    r"(max|av(era)?g|mean|min|sum|lp|global|adaptive|roi|gem).*pool|pool(ing)?_?[1-4]?d|pooling", re.IGNORECASE
)


def doubts(tree: Tree, names: Names, to: str | None) -> Iterator[Row]:
    """A row for each such call.

    >>> tree = Tree("from keras import layers; y = getattr(layers, 'MaxPooling2D')(2)(x)")
    >>> [row.before for row in doubts(tree, Names(tree), "torch")]
    ["getattr(layers, 'MaxPooling2D')"]
    """
    around = not names.roots.isdisjoint(AROUND)
    for node in tree.all(cst.Call):
        why = (
            _two_meanings(names, node, to)
            or _by_getattr(names, node, to)
            or (_library(tree, node, to) if around else "")
        )
        if why:
            yield Row(f"line {tree.line(node)}", tree.text(node), "failed", note=why)


def _two_meanings(names: Names, node: cst.Call, to: str | None) -> str:
    full = names.doubtful(node.func)
    if full is None or root_of(full) == to or not (_pools(full) or (is_word(full) and _last(full) in TOLD)):
        return ""
    name = (plain_name(node.func) or "").partition(".")[0]
    return (
        f"{name} has more than one meaning in this file, {full} among them, and which one is called is not known here; "
        "give each its own name"
    )


def _by_getattr(names: Names, node: cst.Call, to: str | None) -> str:
    if not isinstance(node.func, cst.Name) or node.func.value != "getattr" or len(node.args) < 2:
        return ""
    module, name = names.full(node.args[0].value), node.args[1].value
    if module is None or not isinstance(name, cst.SimpleString) or root_of(module) == to:
        return ""
    full = f"{module}.{name.raw_value}"
    return f"{full} comes by getattr, which is not read; write it with a dot" if _pools(full) else ""


def _library(tree: Tree, node: cst.Call, to: str | None) -> str:
    dotted = plain_name(node.func)
    if dotted is None:
        return ""
    found = tree.scope(node).get_qualified_names_for(dotted)
    for full in sorted(one.name for one in found if one.source is QualifiedNameSource.IMPORT):
        framework = AROUND.get(full.partition(".")[0])
        if framework not in (None, to) and LAYER.search(_last(full)):
            return f"{full} is not among the layers that poolkit reads; write the framework's own pooling, or keep it"
    return ""


def root_of(full: str) -> str | None:
    """The framework that a full name belongs to."""
    return next((d.name for d in table.dialects() if full.partition(".")[0] in d.roots), None)


def _last(full: str) -> str:
    return full.rpartition(".")[2]


def _pools(full: str) -> bool:
    return POOLS.search(_last(full)) is not None and LAYER.search(_last(full)) is not None
