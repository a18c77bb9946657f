"""What a file says of Keras's layers beside their arguments: the data format of all, a mask, a wrapper around one."""

from __future__ import annotations

import ast

import libcst as cst

from poolkit.dialects.calls import Call, text
from poolkit.dialects.policies import policy_of
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.orders import channels
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree, expression, plain_name
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
    known: list[object] = [channels(tree.order)] if tree.order else _set_by(tree, SETS_FORMAT)
    said = known if takes else []
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
    calls = (tree.parent(node) for node in tree.named(function))
    around = [tree.parent(node) if isinstance(node, cst.Attribute) else node for node in calls if node is not None]
    return [_literal(tree, call) for call in around if isinstance(call, cst.Call)]


def _literal(tree: Tree, call: cst.Call) -> object:
    try:
        return str(ast.literal_eval(expression(tree.text(call.args[0].value))))
    except (ValueError, TypeError, IndexError):
        return None


def masked(tree: Tree, names: Names, site: Site) -> None:
    """``GlobalAveragePooling1D()(x, mask=m)`` leaves steps out, which a spec does not."""
    if site.word != LAYERS + MASKED or site.error is not None:
        return
    if any(_has_mask(tree, call) for call in calls_of(tree, site.node)):
        site.error = NotExactError(
            "it is called with a mask, and averages the steps that the mask leaves alone, which no spec says; multiply "
            "by the mask, sum, and divide by its sum"
        )
    elif any(_given(tree, node, "False") for node in tree.named("mask_zero")) or any(
        (names.full(node.func) or "") == f"{LAYERS}Masking" for node in tree.all(cst.Call)
    ):
        site.caveats.append(
            "behind a Masking, or an Embedding with mask_zero=True, it leaves masked steps out, and the port does not"
        )


def _has_mask(tree: Tree, call: cst.Call) -> bool:
    given = [arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "mask"]
    return any(tree.text(arg.value) != "None" for arg in given) or sum(arg.keyword is None for arg in call.args) > 1


def _given(tree: Tree, node: cst.Name, but: str) -> bool:
    """Whether a name is that of an argument with another value than this."""
    around = tree.parent(node)
    return isinstance(around, cst.Arg) and around.keyword is node and tree.text(around.value) != but


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


def last_axes(tree: Tree, names: Names, site: Site) -> None:
    """``hk.max_pool(x, (2, 2), (2, 2), "VALID")`` pools width and channels of NHWC, which nobody means."""
    fields = site.fields
    if site.word.startswith("haiku.") and isinstance(fields, dict) and str(fields.get("layout")).startswith("..."):
        site.notes.append(
            "Haiku's window is over the last axes, channels among them where they come last, and so is the port's; "
            "if the spatial axes are meant, write an entry for each axis"
        )


def wrapped(tree: Tree, names: Names, site: Site) -> None:
    """``TimeDistributed(MaxPooling2D(2))`` calls a layer of Keras's once a step."""
    around = tree.parent(site.outer)
    call = tree.parent(around) if isinstance(around, cst.Arg) else None
    if site.error is not None or not isinstance(call, cst.Call) or site.role != "layer":
        return
    full = names.full(call.func)
    name = full.removeprefix(LAYERS) if full is not None else (plain_name(call.func) or "").rpartition(".")[2]
    if site.word.startswith(LAYERS) and name in ("TimeDistributed", "Bidirectional", "Wrapper"):
        site.error = NotExactError(
            f"{tree.text(call.func)} around it applies it to every step of a sequence, which only a layer of Keras's "
            "takes; fold the steps into the batch, pool, and unfold them"
        )
