"""Arguments behind names: the literals that they surely are, and the values that they may have and that differ."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, known
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import fields_of
from poolkit.dialects.sources import dotted_name
from poolkit.errors import NotExactError
from poolkit.port.python.expressions import like
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, expression, plain_name
from poolkit.port.python.orders import chosen
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import definition, mutated
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many


def listed_sizes(tree: Tree, names: Names, site: Site) -> None:
    """``tf.nn.max_pool(x, k, k, …)``: what k is decides which of its numbers are of spatial axes."""
    if (
        not site.word.startswith(table.every(lambda usage: usage.listed))
        or site.error is not None
        or isinstance(site.fields, Operation)
        or site.reformed
    ):
        return
    if list(_unsure_sizes(tree, site)):
        _resolve(tree, names, site)
    for text in _unsure_sizes(tree, site):
        form = "hold" if text[0] in "([" else "be one number, or a list with"
        site.error = NotExactError(f"{text} may {form} entries for batch and channels; write its value")


def _unsure_sizes(tree: Tree, site: Site) -> Iterator[str]:
    assert isinstance(site.fields, dict)
    for name in ("window", "stride"):
        value = site.fields.get(name)
        if isinstance(value, Expression) and not surely(tree, expression(value.text), site.node, many=False):
            yield value.text


def computed_axes(tree: Tree, names: Names, site: Site) -> None:
    """``tf.reduce_mean(x, axes)``: axes that are a literal after all, or may be those of a normalisation."""
    if not site.computed or _resolve(tree, names, site):
        return
    values = list(_possible(tree, expression(site.computed), site.node))
    axes = [value for value in values if is_many(value)]
    if len(values) > 1 and axes == values and _in_either_order(tree, site, axes):
        return
    if len(values) > 1 and axes:
        why = "one layout or of another" if axes == values else "a pool, or one axis, or all of them"
        site.error = NotExactError(
            f"its axes {site.computed} may be those of {why}; write them out, or port it by hand"
        )
        return
    site.error = NotPooling(
        f"its axes {site.computed} are only known when the program runs, and over others than the spatial ones, as in "
        "a normalisation, it pools nothing; if it pools, write them out"
    )


def _in_either_order(tree: Tree, site: Site, several: Sequence[Any]) -> bool:
    """Read a reduction whose axes may be the spatial ones of one order or of the other."""
    unknown = Expression(site.computed)

    def put(axes: Any) -> Call:
        kwargs = tuple((name, axes if value == unknown else value) for name, value in site.call.kwargs)
        return Call(site.call.name, tuple(axes if value == unknown else value for value in site.call.args), kwargs)

    found = chosen(tree, [put(axes) for axes in several], every=True)
    if found is None:
        return False
    site.fields, site.call, site.error = *found, None
    site.notes.append(f"{site.computed} is only known when the program runs, and the port takes the target's order")
    return True


def _possible(tree: Tree, node: ast.expr, at: Node, depth: int = 0) -> Iterator[Any]:
    """The literals that an expression may be."""
    try:
        yield ast.literal_eval(node)
        return
    except (ValueError, TypeError):
        pass
    if isinstance(node, ast.IfExp):
        yield from _possible(tree, node.body, at, depth)
        yield from _possible(tree, node.orelse, at, depth)
    if isinstance(node, ast.Name) and depth < 4:
        for one in tree.scope(at)[node.id]:
            if one.value is not None:
                yield from _possible(tree, one.value, one.value, depth + 1)


def _resolve(tree: Tree, names: Names, site: Site) -> bool:
    """Read a site again with the literals behind its names; whether they are all known then, or it pools nothing."""
    call = names.call(site.node, constants=True)
    skip = len(site.call.args) - len(call.args)  # a method's tensor
    args = (*site.call.args[:skip], *call.args) if skip > 0 else call.args
    again = Call(
        site.call.name,
        tuple(_literal(tree, value, site.node) for value in args),
        tuple((name, _literal(tree, value, site.node)) for name, value in call.kwargs),
    )
    unknown = Expression(site.computed) in (*again.args, *dict(again.kwargs).values())
    if again == site.call or unknown:
        return False
    try:
        fields = fields_of(again)
    except NotPooling as error:
        site.error = error
        return True
    except NotExactError:
        return False
    if isinstance(fields, Operation):
        return False
    site.fields, site.call, site.error = fields, again, None
    return all(known(value) for value in fields.values())


def _literal(tree: Tree, value: Any, at: Node) -> Any:
    """The literal that a name surely is; anything else as it is."""
    if is_many(value):
        return like(value, [_literal(tree, one, at) for one in value])
    if not isinstance(value, Expression) or not value.text.isidentifier():
        return value
    found = definition(tree, value.text, at)
    if found is None or found.item is not None or mutated(tree, value.text):
        return value
    try:
        return ast.literal_eval(found.value)
    except (ValueError, TypeError):
        return value


# ------------------------------------------------------------------------------------------------ what may be None


def may_be_none(tree: Tree, names: Names, site: Site) -> None:
    """Strides and bins that may be None: it means another thing in each framework."""
    if isinstance(site.fields, Operation) or site.error is not None:
        return
    stride, bins = site.fields.get("stride"), site.fields.get("output_size")
    for value in (stride, bins):
        if isinstance(value, Expression) and not surely(tree, expression(value.text), site.node):
            site.maybe_none = value.text
    if isinstance(stride, Expression) and site.maybe_none == stride.text:
        meant = table.usage_of(site.dialect).none.get("stride")
        if isinstance(meant, int):
            site.fields = {**site.fields, "stride": Expression(f"{stride.text} or {meant}")}
            site.maybe_none = ""


def last_axes(tree: Tree, names: Names, site: Site) -> None:
    """``hk.max_pool(x, (2, 2), (2, 2), "VALID")`` pools width and channels of NHWC, which nobody means."""
    if isinstance(site.fields, dict) and str(site.fields.get("layout")).startswith("..."):
        told = table.every(lambda usage: usage.last_axes.items())
        site.notes += [note for before, note in told if site.word.startswith(before)]


def sure_numbers(tree: Tree, names: Names, site: Site) -> None:
    """Arguments that are one number, and no tuple with one for each axis."""
    values = () if isinstance(site.fields, Operation) else site.fields.values()
    texts = {value.text for value in values if isinstance(value, Expression)}
    site.numbers = {text for text in texts if surely(tree, expression(text), site.node, many=False)}


PLAIN_CALLS = ("int", "round", "max", "min", "len", "abs")


def surely(tree: Tree, node: ast.expr, at: Node, many: bool = True) -> bool:
    """Whether an expression is a number, or with `many` a tuple of numbers.

    A default and an annotation are taken at their word.

    >>> tree = Tree("def f(x, k=2, s=None): return pool(x, k // 2, s)")
    >>> call = tree.all(ast.Call)[0]
    >>> surely(tree, expression("k // 2"), call), surely(tree, expression("s"), call)
    (True, False)
    """
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.Tuple | ast.List):
        return many and all(surely(tree, one, at, many=False) for one in node.elts)
    if isinstance(node, ast.Starred):
        return surely(tree, node.value, at)
    if isinstance(node, ast.BinOp):
        return not any(isinstance(inner, ast.List | ast.Tuple) for inner in ast.walk(node))
    if isinstance(node, ast.Call):
        return dotted_name(node.func) in PLAIN_CALLS or (dotted_name(node.func) or "").startswith("math.")
    return isinstance(node, ast.Name) and _named_number(tree, node.id, at, many)


def _named_number(tree: Tree, name: str, at: Node, many: bool) -> bool:
    bindings = tree.scope(at)[name]
    if len(bindings) != 1:
        return False
    [one] = bindings
    around = tree.parent(one.node)
    annotation = one.node if isinstance(one.node, ast.arg) else around
    if isinstance(annotation, ast.arg | ast.AnnAssign) and plain_name(annotation.annotation) == "int":
        return True
    if isinstance(around, ast.comprehension | ast.For):
        items = around.iter
        return isinstance(items, ast.Tuple | ast.List) and all(surely(tree, one, items, many) for one in items.elts)
    return one.value is not None and surely(tree, one.value, one.value, many)
