"""What a file says of Keras's layers beside their arguments: the data format of all, a mask, a wrapper around one."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import Call, Expression, text
from poolkit.dialects.policies import policy_of
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.choices import channels
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import arguments, given, literal, plain_name
from poolkit.port.python.sites import Site, applied
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of
from poolkit.spec.operation import Operation

LAYERS = "keras.layers."
SETS_FORMAT = "set_image_data_format"
MASKED = "GlobalAveragePooling1D"


def data_format(tree: Tree, names: Names, site: Site) -> None:
    """``keras.config.set_image_data_format("channels_first")`` is the format of every layer that says none."""
    takes = site.word.startswith(LAYERS) or (
        site.word.startswith(("keras.ops.", "keras.backend.")) and "pool" in site.word
    )
    set_to: list[object] = [channels(tree.order)] if tree.order else _set_by(tree, SETS_FORMAT)
    said = set_to if takes else []
    if not said or site.error is not None or isinstance(site.fields, Operation):
        return
    if any(name == "data_format" and value is not None for name, value in site.call.kwargs):
        return
    if len(set(said)) > 1 or said[0] not in ("channels_first", "channels_last"):
        site.error = NotExactError(
            f"the file calls {SETS_FORMAT} with values that are not one literal, so that the order of its axes is not "
            "known here; give data_format to the layer"
        )
        return
    kwargs = tuple(pair for pair in site.call.kwargs if pair[0] != "data_format")
    call = Call(site.call.name, site.call.args, (*kwargs, ("data_format", said[0])))
    try:
        site.fields, site.call = fields_of(call), call
    except NotExactError:
        return  # it has a format already, by its place


def _set_by(tree: Tree, function: str) -> list[object]:
    """What the calls of such a function of Keras's configuration in a file are given; None for what is no literal."""
    named = [*tree.named(function), *tree.attributes(function)]
    calls = [(tree.parent(node), node) for node in sorted(named, key=tree.span)]
    return [_text(call) for call, node in calls if isinstance(call, ast.Call) and call.func is node]


def _text(call: ast.Call) -> object:
    value = literal(given(call)[0]) if given(call) else call
    return str(value) if not isinstance(value, ast.AST) else None


def masked(tree: Tree, names: Names, site: Site) -> None:
    """``GlobalAveragePooling1D()(x, mask=m)`` leaves steps out, which a spec does not."""
    if site.word != LAYERS + MASKED or site.error is not None:
        return
    mask = arguments(site.outer).get("mask") if isinstance(site.outer, ast.Call) and site.role == "applied" else None
    if mask is not None and literal(mask) is not None:
        site.given["mask"] = Expression(tree.text(mask))
        site.notes.append("where a mask leaves no step, it gives 0, and Keras NaN")
    elif any(_has_mask(call) for call in calls_of(tree, site.node)):
        site.error = NotExactError(
            "it is called with a mask, and averages the steps that the mask leaves alone, which no spec says; multiply "
            "by the mask, sum, and divide by its sum"
        )
    elif any(_masks(keyword) for keyword in tree.all(ast.keyword)) or any(
        names.full(node.func) == f"{LAYERS}Masking" for node in tree.all(ast.Call)
    ):
        site.caveats.append(
            "behind a Masking, or an Embedding with mask_zero=True, it leaves masked steps out, and the port does not"
        )


def _has_mask(call: ast.Call) -> bool:
    mask = arguments(call).get("mask")
    return len(call.args) > 1 or (mask is not None and literal(mask) is not None)


def _masks(keyword: ast.keyword) -> bool:
    return keyword.arg == "mask_zero" and literal(keyword.value) is not False


POLICIES = ("set_global_policy", "set_dtype_policy", "set_floatx")


def typed(tree: Tree, names: Names, site: Site) -> None:
    """``dtype="float16"`` and a policy of all layers cast what a layer of Keras's is given, and the port does not."""
    if not site.word.startswith(LAYERS):
        return
    dtype = dict(site.call.kwargs).get("dtype")
    if policy_of(dtype):
        call = Call(site.call.name, site.call.args, tuple(pair for pair in site.call.kwargs if pair[0] != "dtype"))
        site.call = call
        site.caveats.append(f"dtype={text(dtype)} casts what it is given, and the port does not; cast before it")
        try:
            site.fields, site.error = fields_of(call), None
        except NotExactError as error:
            site.error = error  # of another argument, which may be known after all
    for policy in POLICIES:
        if any(value != "float32" for value in _set_by(tree, policy)):
            site.caveats.append(f"{policy} casts what it is given, and the port does not; cast before it")


def wrapped(tree: Tree, names: Names, site: Site) -> None:
    """``TimeDistributed(MaxPooling2D(2))`` calls a layer of Keras's once a step."""
    call = tree.given_to(site.outer)
    if site.error is not None or call is None or site.role != "layer":
        return
    full = names.full(call.func)
    name = full.removeprefix(LAYERS) if full is not None else (plain_name(call.func) or "").rpartition(".")[2]
    if not site.word.startswith(LAYERS) or name not in ("TimeDistributed", "Bidirectional", "Wrapper"):
        return
    if name == "TimeDistributed" and isinstance(site.fields, dict):
        layout = f"...{str(site.fields['layout'])[1:]}"
        site.fields, site.outer, site.reformed = {**site.fields, "layout": layout}, call, True
        site.notes.append(f"TimeDistributed pools every step, as one spec does with layout={layout}")
        applied(tree, site)
        return
    site.error = NotExactError(
        f"{tree.text(call.func)} around it applies it to every step of a sequence, which only a layer of Keras's "
        "takes; fold the steps into the batch, pool, and unfold them"
    )
