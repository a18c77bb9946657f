"""The pooling layers of a Keras model's config, which is read as data: no class is looked up, no code in it is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, listed
from poolkit.dialects.reading import call_of
from poolkit.errors import InputError
from poolkit.port.models import tensorflow_nodes
from poolkit.port.models.archive import is_list, is_object
from poolkit.port.models.keras_graph import (
    Config,
    Step,
    config_of,
    graph_of,
    is_keras,
    is_pool,
    layers_in,
    name_of,
    shape_of,
)
from poolkit.port.models.keras_shapes import declared, said, with_shapes
from poolkit.port.models.layers import Layer, Shape, note_of_fold, note_of_padding
from poolkit.port.models.naming import joined, shown
from poolkit.spec.values import is_many

PROGRAMS = ("Lambda", "TFSMLayer", "FlaxLayer", "JaxLayer", "TorchModuleWrapper")


@dataclass(frozen=True)
class _Place:
    """Where in the model a layer stands, and what is known there."""

    prefix: str = ""
    shape: Shape | None = None
    padding: Config | None = None  # the ZeroPadding layer directly before
    behind: tuple[Step, ...] = ()  # the calls directly after
    takes: str = ""  # the layer whose output it is given
    problem: str = ""
    caveat: str = ""
    masked: bool = False

    def inside(self, name: str, **changes: Any) -> _Place:
        return replace(self, prefix=joined(self.prefix, f"{name}/"), padding=None, behind=(), takes="", **changes)


def layers_of(model: Config, what: str) -> Iterator[Layer]:
    """Every pooling layer of a model's config, in its order, with those that may pool and cannot be read."""
    config = model.get("config")
    if not isinstance(model.get("class_name"), str) or not (is_object(config) or is_list(config)):
        raise InputError(
            f"received {what}, and a Keras model's config has class_name and config; give what model.to_json() returns"
        )
    masked = _mentions_mask(model)
    if layers_in(model) is not None:
        return _inside(model, _Place(masked=masked))
    return _layer(model, _Place(shape=declared(model), masked=masked))


# ----------------------------------------------------------------------------------------------------------- models


def _inside(model: Config, place: _Place) -> Iterator[Layer]:
    """The layers of a functional model, which know what they are called with, or of a Sequential, one by one."""
    if not is_keras(model):
        kind = shown(str(model["class_name"]))
        place = replace(place, caveat=f"{kind} is a class of the model's own, and may call its layers in another way")
    graph, layers = graph_of(model), layers_in(model) or []
    steps = {step.name: step for step in reversed(graph.steps)}
    takers: dict[str, list[Step]] = {}
    for step in graph.steps:
        for name in {one.layer for one in step.outputs}:
            takers.setdefault(name, []).append(step)
    given = shape_of(config_of(model).get("build_input_shape")) or place.shape
    shapes = with_shapes(graph, given)
    for layer in layers:
        step, behind = steps[name_of(layer)], takers.get(name_of(layer), [])
        before = steps.get(step.outputs[0].layer) if step.outputs else None
        padding = before.layer if before is not None and before.kind.startswith("ZeroPadding") else None
        takes = joined(place.prefix, step.outputs[0].layer) if step.outputs else ""
        here = replace(place, shape=shapes[step.key], padding=padding, behind=tuple(behind), takes=takes)
        yield from _layer(layer, here)


def count_of(model: Config) -> int:
    """How many layers a model has, those of the models in it too, without its inputs."""
    layers = layers_in(model)
    return int(model.get("class_name") != "InputLayer") if layers is None else sum(map(count_of, layers))


# ----------------------------------------------------------------------------------------------------------- layers


def _layer(layer: Config, place: _Place) -> Iterator[Layer]:
    kind, name = str(layer["class_name"]), name_of(layer)
    if layers_in(layer) is not None:
        yield from _inside(layer, place.inside(name))
        return
    _check_no_model(layer)
    for inner in _wrapped(layer):
        if kind == "TimeDistributed" and is_keras(layer):
            yield from _each_step(layer, inner, place)
            continue
        problem = (
            f"it stands inside the {shown(kind)} {shown(name)}, which calls it in its own way; port that layer by hand"
        )
        yield from _layer(inner, place.inside(name, shape=None, problem=place.problem or problem))
    problem = _problem(layer)
    call = None if problem else _call(layer)
    if call is None and not problem and "pool" in kind.lower():
        problem = f"{shown(kind)} is no pooling of Keras that poolkit knows, and may pool; port it by hand"
    if call is not None or problem:
        yield _found(layer, *_uncast(call, place), problem)


def _each_step(layer: Config, inner: Config, place: _Place) -> Iterator[Layer]:
    """What TimeDistributed calls for every step: a pool of its own goes with it, and one in a model stays in that."""
    name = name_of(layer)
    given = None if place.shape is None else (place.shape[0], *place.shape[2:])
    pool = is_pool(inner)
    note = f"{shown(name)} calls {shown(name_of(inner))} for every step: fold the steps into the batch, and unfold them"
    for found in _layer(inner, place.inside(name, shape=given)):
        if pool:
            yield replace(found, name=joined(place.prefix, name), steps=True, behind=_behind(place))
        else:
            yield replace(found, note="; ".join(filter(None, (found.note, note))))


def _check_no_model(layer: Config) -> None:
    """`InputError` for a model of Keras's own without a list of layers, which would seem to have no pools."""
    if layer["class_name"] in MODELS and is_keras(layer):
        raise InputError(
            f"received a model whose {shown(str(layer['class_name']))} {shown(name_of(layer))} has no list of layers "
            "that each have a class_name; save it anew"
        )


MODELS = ("Sequential", "Functional", "Model")


def _uncast(call: Call | None, place: _Place) -> tuple[Call | None, _Place]:
    """The call without a dtype that casts what it is given, which becomes a caveat."""
    dtype = dict(call.kwargs).get("dtype") if call is not None else None
    if call is None or dtype is None:
        return call, place
    caveat = f"its dtype {shown(str(dtype))} casts what it is given, and the port does not; cast before it"
    kwargs = tuple(pair for pair in call.kwargs if pair[0] != "dtype")
    return replace(call, kwargs=kwargs), replace(place, caveat="; ".join(filter(None, (place.caveat, caveat))))


def _found(layer: Config, call: Call | None, place: _Place, problem: str) -> Layer:
    before = call.source(lambda dotted: dotted.rsplit(".", 1)[1]) if call else f"{shown(str(layer['class_name']))}(...)"
    masks = place.masked and str(layer["class_name"]).startswith("GlobalAverage") and "1D" in str(layer["class_name"])
    masking = "the model masks steps, and Keras leaves masked ones out of this mean; a spec has no masks"
    restored = _restored(call, place)
    found = Layer(
        name=joined(place.prefix, name_of(layer)),
        before=shown(before),
        call=call,
        shape=place.shape,
        problem=(problem and f"{problem}{_shrinks(layer, place)}") or place.problem,
        caveat="; ".join(text for text in (masking if masks else "", place.caveat) if text),
        left=_grows(layer, place),
        takes=place.takes,
    )
    if restored is not None and call is not None:
        kept = Call(
            call.name, call.args, (*(pair for pair in call.kwargs if pair[0] != "keepdims"), ("keepdims", True))
        )
        return replace(found, call=kept, note=note_of_fold(restored))
    found = replace(found, behind=_behind(place))
    return found if place.padding is None else _padded(found, place.padding)


def _behind(place: _Place) -> str:
    """What goes by the order of the axes directly behind a layer."""
    arranging = next((step for step in place.behind if step.kind in ("Reshape", "Flatten", "Permute")), None)
    return "" if arranging is None else _titled(arranging)


def _titled(step: Step) -> str:
    return f"{step.kind} {shown(step.name)}"


def _restored(call: Call | None, place: _Place) -> str | None:
    """The only layer behind a global pool where that gives the pooled axes back, as sizes of 1."""
    if call is None or ".Global" not in call.name or dict(call.kwargs).get("keepdims") or len(place.behind) != 1:
        return None
    (step,) = place.behind
    to, rank = config_of(step.layer).get("target_shape"), int(call.name[-2])
    first = dict(call.kwargs).get("data_format") == "channels_first"
    ones = to[1:] if first and is_list(to) else to[:-1] if is_list(to) else []
    return _titled(step) if step.kind == "Reshape" and ones == [1] * rank else None


def _grows(layer: Config, place: _Place) -> str:
    """Why a program in a file is no pool: the file knows what it is given and gives, and some axis becomes longer."""
    given: Shape = place.shape or ()
    gives = _given_by(layer, place)
    if layer["class_name"] not in PROGRAMS or gives is None or len(given) != len(gives) or given[:1] != gives[:1]:
        return ""
    sizes = [(n, m) for n, m in zip(given[1:], gives[1:], strict=True) if n != m]
    if not sizes or any(n is None or m is None or n > m for n, m in sizes):
        return ""
    return f"it makes {_sizes(gives)} of {_sizes(given)}, so that it resizes, and does not pool"


def _given_by(layer: Config, place: _Place) -> Shape | None:
    """The shape that a layer gives, by what takes it, or by what it says itself."""
    shapes = {one.shape for step in place.behind for one in step.outputs if one.layer == name_of(layer)}
    return shapes.pop() if len(shapes) == 1 else said(layer, place.shape or ())


def _shrinks(layer: Config, place: _Place) -> str:
    """What a program in a file makes of what, where the file says both, for whoever reads it."""
    gives = _given_by(layer, place)
    return f"; it makes {_sizes(gives)} of {_sizes(place.shape)}" if gives and place.shape else ""


def _sizes(shape: Shape) -> str:
    return "x".join("?" if n is None else str(n) for n in shape[1:])


def _padded(found: Layer, padding: Config) -> Layer:
    """A pool with the zeros before it: before a maximum they go along, as a call of the target's own."""
    given, name = config_of(padding).get("padding"), shown(name_of(padding))
    pairs = [listed(one) for one in given] if is_list(given) and given and is_list(given[0]) else [listed(given)]
    whole = all(is_many(one) and len(one) == 2 and all(type(n) is int and n >= 0 for n in one) for one in pairs)
    order = dict(found.call.kwargs).get("data_format") if found.call is not None else None
    same = (config_of(padding).get("data_format") or "channels_last") == (
        order or "channels_last"
    )  # else around other axes
    if whole and found.call is not None and ".MaxP" in found.call.name and same:
        return replace(found, padding=tuple(pairs), padded_by=name)
    return replace(found, note=note_of_padding(name))


def _wrapped(layer: Config) -> list[Config]:
    """The layers that a wrapper such as TimeDistributed holds."""
    inner = [config_of(layer).get(key) for key in ("layer", "forward_layer", "backward_layer")]
    return [one for one in inner if is_object(one) and isinstance(one.get("class_name"), str)]


def _problem(layer: Config) -> str:
    """Why nobody can say whether a layer pools, "" where one can."""
    kind = str(layer["class_name"])
    if kind in PROGRAMS:
        return "it holds a program of its own, which is not run, and may pool; read that, and port it by hand"
    if not is_keras(layer):
        return f"{shown(kind)} is no layer of Keras, and may pool; port it by hand"
    return tensorflow_nodes.node(layer)[1] if kind == "TensorFlowOpLayer" else ""


REDUCTIONS = ("mean", "sum", "max", "amax", "min", "amin")
NODES: dict[str, Callable[[Config], Call | None]] = {
    "TFOpLambda": tensorflow_nodes.by_name,
    "TensorFlowOpLayer": lambda layer: tensorflow_nodes.node(layer)[0],
}


def _call(layer: Config) -> Call | None:
    """A layer as a call, or an operation (`keras.ops`) that a functional model holds; None where it does not pool."""
    kind, config = str(layer["class_name"]), config_of(layer)
    if is_pool(layer):
        made = call_of({"class_name": kind, "config": config})
        return Call(made.name, (), tuple((key, listed(value)) for key, value in made.kwargs))
    if kind in NODES:
        node = NODES[kind](layer)
        return node if node is not None and _may_pool("tensorflow", node.name) else None
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    if ".ops." in str(layer.get("module")) and _may_pool("keras", f"keras.ops.{name}"):
        return Call(
            f"keras.ops.{name}",
            tensorflow_nodes.TENSOR,
            tuple((key, listed(value)) for key, value in config.items() if key != "name"),
        )
    return None


def _may_pool(backend: str, name: str) -> bool:
    dialect = table.dialect(backend)
    name = dialect.canonical(name)
    last = name.rsplit(".", 1)[1].removeprefix("reduce_")
    return ("pool" in last or last in REDUCTIONS) and name in dialect.words


def _mentions_mask(model: Config) -> bool:
    """Whether a layer of the model, at any depth, makes a mask of steps."""
    if model.get("class_name") == "Masking" or config_of(model).get("mask_zero"):
        return True
    return any(_mentions_mask(layer) for layer in layers_in(model) or _wrapped(model))
