"""A global pool that drops its axes and gets them back at once: it keeps them."""

from __future__ import annotations

import libcst as cst

from poolkit.calls import known
from poolkit.mix import Mix
from poolkit.porting import sequences
from poolkit.porting.edits import whole_line
from poolkit.porting.names import Names
from poolkit.porting.reshaping import Axes, Step, by_layer, climbed, only_parameter
from poolkit.porting.sites import Folded, Site
from poolkit.porting.tree import Node, Tree
from poolkit.porting.uses import only_use
from poolkit.values import is_all

DROPPED: Axes = ("N", "C")


def kept_axes(tree: Tree, names: Names, site: Site) -> None:
    """Let a site keep its axes where the steps after it only bring them back; these become part of it."""
    goal = _goal(site)
    if goal is None:
        return
    here = Step(site.outer, DROPPED)
    if site.role != "layer":
        here = climbed(tree, names, site.outer, DROPPED, goal)
    folded: list[Folded] | None = []
    if here.axes != goal:
        follow = _layers_after if site.role == "layer" else _statements_after
        folded = follow(tree, names, here, goal)
    if folded is not None:
        assert isinstance(site.fields, dict)
        site.fields = {**site.fields, "keepdims": True}
        site.outer = here.node
        site.folded += folded


def _goal(site: Site) -> Axes | None:
    """The axes that would be there if they were kept; None for what is no global pool that drops them."""
    fields = site.fields
    if isinstance(fields, Mix) or fields.get("keepdims", True) is not False or site.error is not None:
        return None
    layout = str(fields.get("layout")).removeprefix("...")
    letters = tuple(letter if letter in "NC" else "1" for letter in layout)
    sizes = fields.get("output_size")
    whole = known(sizes) and is_all(sizes, 1) and fields.get("axes") in (None, layout.strip("NC"))
    return letters if whole and tuple(c for c in letters if c != "1") == DROPPED else None


def _layers_after(tree: Tree, names: Names, here: Step, goal: Axes) -> list[Folded] | None:
    """The layers after one in a Sequential, as far as they bring the axes back."""
    folded: list[Folded] = []
    axes: Axes | None = here.axes
    node = here.node
    while axes != goal:
        beside = sequences.after(tree, node)
        axes = by_layer(tree, names, beside.node, axes) if beside is not None and axes is not None else None
        if beside is None or axes is None:
            return None
        node = beside.node
        folded += [Folded(node, span) for span in beside.spans]
    return folded


def _statements_after(tree: Tree, names: Names, here: Step, goal: Axes) -> list[Folded] | None:
    """The statements after ``x = GAP()(x)`` that bring the axes back, if each value is used by the next alone."""
    folded: list[Folded] = []
    while here.axes != goal:
        statement = tree.parent(here.node)
        use = only_use(tree, statement) if isinstance(statement, cst.Assign) and statement.value is here.node else None
        if use is None:
            return None
        after = climbed(tree, names, use, here.axes, goal)
        if after.axes == here.axes:
            return None
        folded.append(_folded(tree, use, after.node))
        here = after
    return folded


def _folded(tree: Tree, use: cst.Name, node: Node) -> Folded:
    """The expression becomes the name in it; where that would be ``x = x``, the line goes."""
    statement = tree.parent(node)
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        target, line = statement.targets[0].target, tree.parent(statement)
        alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
        if alone and isinstance(target, cst.Name) and target.value == use.value:
            return Folded(node, whole_line(tree, tree.span(statement)))
    return Folded(node, tree.span(node), use.value)


def out_of_lambda(tree: Tree, names: Names, site: Site) -> None:
    """``Lambda(lambda t: tf.reduce_mean(t, [1, 2]))`` is the pool that its body is."""
    function = tree.parent(site.outer)
    if site.error is not None or not isinstance(function, cst.Lambda) or function.body is not site.outer:
        return
    argument = tree.parent(function)
    layer = tree.parent(argument) if argument is not None else None
    if not isinstance(layer, cst.Call) or names.full(layer.func) != "keras.layers.Lambda":
        return
    if not isinstance(site.tensor, cst.Name) or site.tensor.value != only_parameter(function):
        return
    site.role, site.outer, site.tensor = "layer", layer, None
    around = tree.parent(layer)
    if isinstance(around, cst.Call) and around.func is layer and len(around.args) == 1:
        site.role, site.outer, site.tensor = "applied", around, around.args[0].value
