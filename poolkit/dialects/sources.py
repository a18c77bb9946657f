"""A line of somebody's source as a `Call`: parsed, and never evaluated."""

from __future__ import annotations

import ast
from collections.abc import Callable

from poolkit.dialects.calls import STARS, Call, Expression, Name, starred
from poolkit.dialects.reductions import NUMPY_WORDS
from poolkit.errors import InputError, NotExactError
from poolkit.spec.values import is_many

# A dotted name as it stands in the source -> in full, None where it is a variable.
Resolve = Callable[[str], str | None]

METHOD_NAMES = (*NUMPY_WORDS, "median")
METHODS = "Tensor"  # a method of some tensor, `x.mean(…)`, is read as the call Tensor.mean(x, …)


def call_in(source: str, resolve: Resolve) -> Call:
    """The call that a line of source is; a layer that is called with a tensor is the layer.

    >>> call_in("nn.MaxPool2d(3, 2, padding=k)", {"nn.MaxPool2d": "torch.nn.MaxPool2d"}.get).kwargs
    (('padding', k),)
    """
    try:
        node = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(
            f"received {source!r}, and a line of source is one expression ({error.args[0]}); "
            "write the call alone, as in torch.nn.AvgPool2d(3)"
        ) from None
    if not isinstance(node, ast.Call):
        raise InputError(f"received {source!r}, and a line of source is a call; write it as in torch.nn.AvgPool2d(3)")
    if isinstance(node.func, ast.Call):
        _check_unmasked(source, node)
    for tensor in node.args if isinstance(node.func, ast.Call) else []:
        if not isinstance(tensor, ast.Name | ast.Attribute | ast.Subscript):
            raise computed(source, ast.unparse(tensor))
    return call_of_node(node, resolve)


def _check_unmasked(source: str, node: ast.Call) -> None:
    """`NotExactError` where a layer is called with a mask, by name or behind the tensor."""
    masks = [*node.args[1:], *(k.value for k in node.keywords if k.arg in ("mask", None))]
    if any(not (isinstance(mask, ast.Constant) and mask.value is None) for mask in masks):
        raise NotExactError(
            f"received {source!r}, and its layer is called with a mask, which leaves steps out and which no spec says; "
            "multiply by the mask, sum, and divide by its sum"
        )


def computed(source: str, tensor: str) -> NotExactError:
    """Why a pool of something that is itself computed in the same line is not read."""
    return NotExactError(
        f"received {source!r}, and its input is computed by {tensor}, which no spec says; read the calls one by one"
    )


def call_of_node(node: ast.Call, resolve: Resolve) -> Call:
    """The same for a node of Python's syntax tree."""
    if isinstance(node.func, ast.Call):
        return call_of_node(node.func, resolve)
    args = tuple(value for arg in node.args for value in _spread(arg, resolve))
    kwargs = tuple(pair for keyword in node.keywords for pair in _keywords(keyword, resolve))
    return _named(node.func, args, kwargs, resolve)


def _named(func: ast.expr, args: tuple[object, ...], kwargs: tuple[tuple[str, object], ...], resolve: Resolve) -> Call:
    dotted = dotted_name(func)
    full = resolve(dotted) if dotted else None
    if full is not None:
        return Call(full, args, kwargs)
    if isinstance(func, ast.Attribute) and func.attr in METHOD_NAMES:
        return Call(f"{METHODS}.{func.attr}", (Expression(ast.unparse(func.value)), *args), kwargs)
    return Call(dotted or ast.unparse(func), args, kwargs)


def dotted_name(node: ast.expr) -> str | None:
    """``a.b.c`` of a name or of attributes of one, None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted_name(node.value)
        return before and f"{before}.{node.attr}"
    return None


def _spread(node: ast.expr, resolve: Resolve) -> list[object]:
    """The values that an argument or an element is: those of a starred literal, and ``*k`` for any other."""
    if not isinstance(node, ast.Starred):
        return [_value(node, resolve)]
    inner = _value(node.value, resolve)
    return [*inner] if is_many(inner) else [Expression(ast.unparse(node))]


def _keywords(node: ast.keyword, resolve: Resolve) -> list[tuple[str, object]]:
    """The same for ``k=2`` and ``**options``."""
    if node.arg is not None:
        return [(node.arg, _value(node.value, resolve))]
    if isinstance(node.value, ast.Dict):
        names = [key.value if isinstance(key, ast.Constant) else None for key in node.value.keys]
        values = [_value(value, resolve) for value in node.value.values]
        if all(isinstance(name, str) for name in names):
            return [(str(name), value) for name, value in zip(names, values, strict=True)]
    return [(STARS, Expression(ast.unparse(node.value)))]


# Numbers that Python has no literal for, as `ast.unparse` writes them.
NOT_FINITE = {f"float('{text}')": float(text) for text in ("inf", "-inf", "nan")}


def _value(node: ast.expr, resolve: Resolve) -> object:
    if isinstance(node, ast.Tuple | ast.List):
        inner = [value for element in node.elts for value in _spread(element, resolve)]
        if any(starred(value) for value in inner):
            return Expression(ast.unparse(node))  # how many elements it has is not known
        return tuple(inner) if isinstance(node, ast.Tuple) else inner
    if isinstance(node, ast.Call):
        name = dotted_name(node.func)
        if name == "float" and ast.unparse(node) in NOT_FINITE:
            return NOT_FINITE[ast.unparse(node)]
        return call_of_node(node, resolve) if name and resolve(name) else Expression(ast.unparse(node))
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        full = resolve(dotted_name(node) or "")
        return Name(full) if full else Expression(ast.unparse(node))
