"""A global pool that drops its axes and gets them back at once: it keeps them."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import known
from poolkit.dialects.dialect import Fields
from poolkit.port.python import sequences
from poolkit.port.python.edits import whole_line
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, target_of
from poolkit.port.python.reshaping import Axes, Step, by_layer, climbed, only_parameter
from poolkit.port.python.sites import Folded, Site, applied
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import attribute_uses, only_use, stored_layer, used_elsewhere
from poolkit.spec.values import is_all

DROPPED: Axes = ("N", "C")


def kept_axes(tree: Tree, names: Names, site: Site) -> None:
    """Let a site keep its axes where the steps after it only bring them back; these become part of it."""
    goal = _letters(site.read) if site.read.get("keepdims", True) is False else None
    if goal is None:
        return
    follow = _layers_after if site.role == "layer" else _steps_after
    found = follow(tree, names, Step(site.outer, DROPPED), goal)
    if found is None and site.role == "layer":
        found = _wherever_called(tree, names, site.outer, goal)
    if found is not None:
        site.fields, site.reformed = {**site.read, "keepdims": True}, True
        site.outer, folded = found
        site.folded += folded


def dropped_axes(tree: Tree, names: Names, site: Site) -> None:
    """``F.adaptive_avg_pool2d(x, 1).flatten(1)`` drops the axes that it pools."""
    fields = site.read
    if site.role == "layer" or not fields or not fields.get("keepdims", True):
        return
    letters = _letters({**fields, "keepdims": False})
    step = climbed(tree, names, site.outer, letters, DROPPED) if letters is not None else None
    if step is not None and step.axes == DROPPED:
        site.outer = step.node
        site.fields, site.reformed = {**fields, "keepdims": False}, True


def _letters(fields: Fields) -> Axes | None:
    """The axes of a global pool that keeps those that it pools; None for any other."""
    layout = str(fields.get("layout")).removeprefix("...")
    letters = tuple(letter if letter in "NC" else "1" for letter in layout)
    sizes = fields.get("output_size")
    whole = known(sizes) and is_all(sizes, 1) and fields.get("axes") in (None, layout.strip("NC"))
    return letters if whole and tuple(c for c in letters if c != "1") == DROPPED else None


# What is rewritten in place of the pool, and what becomes part of it.
Found = tuple[Node, list[Folded]]


def _layers_after(tree: Tree, names: Names, here: Step, goal: Axes) -> Found | None:
    """The layers after one in a Sequential, as far as they bring the axes back."""
    folded: list[Folded] = []
    axes, node = here.axes, here.node
    while axes != goal:
        beside = sequences.after(tree, node)
        after = by_layer(tree, names, beside.node, axes) if beside is not None else None
        if beside is None or after is None:
            return None
        axes, node = after, beside.node
        folded += [Folded(node, span) for span in beside.spans]
    return here.node, folded


def _steps_after(tree: Tree, names: Names, here: Step, goal: Axes) -> Found | None:
    """What is around ``GAP()(x)``, and the statements after it, if each value is used by the next alone."""
    here = climbed(tree, names, here.node, here.axes, goal)
    outer = here.node
    folded: list[Folded] = []
    while here.axes != goal:
        statement = tree.parent(here.node)
        use = only_use(tree, statement) if isinstance(statement, ast.Assign) and statement.value is here.node else None
        if use is None:
            return None
        after = climbed(tree, names, use, here.axes, goal)
        if after.axes == here.axes:
            return None
        folded.append(left_out(tree, after.node, use))
        here = after
    return outer, folded


def _wherever_called(tree: Tree, names: Names, layer: Node, goal: Axes) -> Found | None:
    """``self.gap = GAP()``, if every ``self.gap(x)`` of the class gets its axes back."""
    target = target_of(tree.parent(layer))
    if not isinstance(target, ast.Attribute) or stored_layer(tree, target) is not layer:
        return None
    folded: list[Folded] = []
    if used_elsewhere(tree, target):
        return None
    _, reads = attribute_uses(tree, target)
    for read in reads:
        call = tree.parent(read)
        if not isinstance(call, ast.Call) or call.func is not read:
            return None
        found = _steps_after(tree, names, Step(call, DROPPED), goal)
        if found is None:
            return None
        outer, more = found
        folded += [Folded(outer, tree.span(outer), keeps=call)] if outer is not call else []
        folded += more
    return (layer, folded) if folded else None


def left_out(tree: Tree, node: Node, inner: ast.expr, why: str = "") -> Folded:
    """An expression that becomes what is in it; where that would be ``x = x``, the line goes."""
    statement = tree.parent(node)
    target = target_of(statement)
    same = isinstance(target, ast.Name) and isinstance(inner, ast.Name) and target.id == inner.id
    if same and isinstance(statement, ast.Assign) and tree.stands_alone(statement):
        return Folded(node, whole_line(tree, tree.span(statement)), why=why)
    return Folded(node, tree.span(node), keeps=inner, why=why)


def out_of_lambda(tree: Tree, names: Names, site: Site) -> None:
    """``Lambda(lambda t: tf.reduce_mean(t, [1, 2]))`` is the pool that its body is."""
    function = tree.parent(site.outer)
    if site.error is not None or not isinstance(function, ast.Lambda) or function.body is not site.outer:
        return
    layer = tree.given_to(function)
    if layer is None or names.step(layer.func) != "lambda":
        return
    if not isinstance(site.tensor, ast.Name) or site.tensor.id != only_parameter(function):
        return
    site.role, site.outer, site.tensor = "layer", layer, None
    applied(tree, site)
