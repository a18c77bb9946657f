"""A mean between a function and its inverse, which is one pool: a generalized mean, or a log-sum-exp."""

from __future__ import annotations

import ast
from typing import Any

from poolkit.dialects.calls import Expression
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, last_name, literal
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import Tensors, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import stored_layer
from poolkit.port.python.values import literals

OPERATORS: dict[type[ast.operator], str] = {ast.Pow: "pow", ast.Mult: "mul", ast.Div: "div"}
SAME = {"power": "pow", "maximum": "clamp", "clamp_min": "clamp", "clip": "clamp", "multiply": "mul", "divide": "div"}
LEARNED = ("Parameter", "add_weight", "param", "Variable")
PLAIN = {"kind", "window", "stride", "output_size", "layout", "keepdims", "padding"}


def powers(tree: Tree, names: Names, site: Site) -> None:
    """``x.clamp(min=eps).pow(p).mean((2, 3)).pow(1 / p)``, ``torch.logsumexp`` of a mean written out."""
    fields = site.read
    if fields.get("kind") != "avg" or site.tensor is None:
        return
    spatial = str(fields.get("layout")).strip("NC.")
    left = {name for name, value in fields.items() if value not in (None, False, 1, spatial) and name not in PLAIN}
    if left - {"count_include_pad"} or fields.get("padding", "valid") not in ("valid", 0):
        return
    tensors = tensors_of(tree, names)
    found = _gem(tensors, site) or _logsumexp(tensors, site)
    if found is None:
        return
    kind, tensor, outer, given_as = found
    options = {name: _option(tree, names, node, site) for name, node in given_as.items()}
    known = {name: option for name, option in options.items() if option is not None}
    if len(known) < len(options):
        return
    site.tensor, site.outer, site.reformed = tensor, outer, True
    own = {name: value for name, value in fields.items() if name in PLAIN and name != "kind"}
    site.fields = {"kind": kind, **own, **{name: value for name, (value, learned) in known.items() if not learned}}
    site.given = {name: value for name, (value, learned) in known.items() if learned}


Found = tuple[str, ast.expr, ast.expr, dict[str, ast.expr]]  # the kind, the tensor, what is rewritten, the options


def _gem(tensors: Tensors, site: Site) -> Found | None:
    name, (base, p) = _step(tensors, site.tensor)
    clamp, (tensor, eps) = _step(tensors, base)
    outer = _above(tensors.tree, site.outer)
    root, (mean, inverse) = _step(tensors, outer)
    if not name == root == "pow" or clamp != "clamp" or mean is not site.outer:
        return None
    if outer is None or p is None or eps is None or tensor is None or not _inverse(inverse, p):
        return None
    return "gem", tensor, outer, {"p": p, "eps": eps}


def _logsumexp(tensors: Tensors, site: Site) -> Found | None:
    name, (inner, more) = _step(tensors, site.tensor)
    outer = _above(tensors.tree, site.outer)
    log, (mean, _) = _step(tensors, outer)
    if name != "exp" or log != "log" or mean is not site.outer or more is not None or inner is None or outer is None:
        return None
    product, factors = _step(tensors, inner)
    above = _above(tensors.tree, outer)
    way, (first, second) = _step(tensors, above)
    if product == "mul" and above is not None and way in ("div", "mul"):
        other = second if first is outer else first
        for beta, tensor in (factors, factors[::-1]):
            same = way == "div" and first is outer and _text(other) == _text(beta)
            if tensor is not None and beta is not None and (same or (way == "mul" and _inverse(other, beta))):
                return "logsumexp", tensor, above, {"beta": beta}
    if product == "mul":
        return None
    return "logsumexp", inner, outer, {}


def _step(tensors: Tensors, node: Node | None) -> tuple[str, tuple[ast.expr | None, ast.expr | None]]:
    """What a node does with its first operand, and a second one if it has one; a method's own is the first."""
    if isinstance(node, ast.BinOp):
        return OPERATORS.get(type(node.op), ""), (node.left, node.right)
    if not isinstance(node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return "", (None, None)
    made, name = tensors.of(node), SAME.get(last_name(node.func), last_name(node.func))
    empty = all(literal(one) is None for one in made.rest[1:])
    named = all(keyword.arg in ("min", "min_value", "exponent", "input", "a_min") for keyword in node.keywords)
    first = made.before.node if made.before is not None else None
    return (name if empty and named else ""), (first, next(iter(made.rest), None))


def _above(tree: Tree, node: Node) -> ast.expr | None:
    """The operation that a node is an operand of."""
    around = tree.parent(node)
    around = tree.parent(around) if isinstance(around, ast.Attribute) else around
    return around if isinstance(around, ast.Call | ast.BinOp) else None


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node is not None else ""


def _inverse(node: ast.expr | None, of: ast.expr) -> bool:
    """Whether an expression is 1 over another one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return literal(node.left) == 1 and _text(node.right) == _text(of)
    one, other = literal(node), literal(of)
    return isinstance(one, int | float) and isinstance(other, int | float) and abs(one * other - 1) < 1e-9


def _option(tree: Tree, names: Names, node: ast.expr, site: Site) -> tuple[Any, bool] | None:
    """An option as a value or an expression, and whether it is a learned tensor; None for what may be either."""
    layer = stored_layer(tree, node)
    if layer is not None and last_name(layer.func) in LEARNED:
        return Expression(tree.text(node)), True
    value = literal(node)
    if isinstance(value, int | float):
        return (value, False) if value > 0 else None
    known = list(literals(values_of(tree, names).of(node, site.node)))
    numbers = bool(known) and all(isinstance(one, int | float) and one > 0 for one in known)
    return (Expression(tree.text(node)), False) if numbers else None
