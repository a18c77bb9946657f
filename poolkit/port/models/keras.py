"""The pooling layers of a Keras model's config, which is read as data: no class is looked up, no code in it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.reading import call_of, read_call
from poolkit.errors import InputError, PoolkitError
from poolkit.port.models.archive import is_list, is_object, listed
from poolkit.port.models.graph import is_keras, is_pool
from poolkit.port.models.layers import Layer, Shape
from poolkit.port.models.naming import joined, shown

Config = Mapping[str, Any]

PROGRAMS = ("Lambda", "TFSMLayer", "FlaxLayer", "JaxLayer", "TorchModuleWrapper")
SAME_SHAPE = re.compile(
    r"Activation|ReLU|LeakyReLU|PReLU|ELU|Softmax|\w*Dropout\w*|\w*Normalization|GaussianNoise|Identity"
)


@dataclass(frozen=True)
class _Place:
    """Where in the model a layer stands, and what is known there."""

    prefix: str = ""
    shape: Shape | None = None
    padded: str = ""  # the ZeroPadding layer directly before
    behind: str = ""  # the Reshape or Flatten directly after
    problem: str = ""
    caveat: str = ""
    masked: bool = False

    def inside(self, name: str, **changes: Any) -> _Place:
        return replace(self, prefix=joined(self.prefix, f"{name}/"), padded="", behind="", **changes)


def layers_of(model: Config, what: str) -> list[Layer]:
    """Every pooling layer of a model's config, in its order, with those that may pool and cannot be read."""
    if not isinstance(model.get("class_name"), str) or not is_object(model.get("config")):
        raise InputError(
            f"received {what}, and a Keras model's config has class_name and config; give what model.to_json() returns"
        )
    masked = _mentions_mask(model)
    if _sublayers(model) is not None:
        return list(_inside(model, _Place(masked=masked)))
    return list(_layer(model, _Place(shape=_built(model), masked=masked)))


# ----------------------------------------------------------------------------------------------------------- models


def _sublayers(data: Config) -> list[Config] | None:
    """The layers of a model, None for what is no model; Keras 1 has a Sequential's layers without a dictionary."""
    config = data.get("config")
    found = config.get("layers") if is_object(config) else config
    if not is_list(found):
        return None
    return [layer for layer in found if is_object(layer) and isinstance(layer.get("class_name"), str)]


def _inside(model: Config, place: _Place) -> Iterator[Layer]:
    """The layers of a functional model, which know what they are called with, or of a Sequential, one by one."""
    layers = _sublayers(model) or []
    if not is_keras(model):
        kind = shown(str(model["class_name"]))
        place = replace(place, caveat=f"{kind} is a class of the model's own, and may call its layers in another way")
    padding = {_name(layer): layer for layer in layers if str(layer["class_name"]).startswith("ZeroPadding")}
    functional = any(layer.get("inbound_nodes") for layer in layers)
    arranging = _arranging(layers, functional)
    shape, before = _shape_of(_config(model).get("build_input_shape")) or place.shape, ""
    for layer in layers:
        fed, known = _inbound(layer) if functional else (before, None)
        shape = known or _built(layer) or (None if functional else shape)
        behind = arranging.get(_name(layer), "")
        yield from _layer(layer, replace(place, shape=shape, padded=fed if fed in padding else "", behind=behind))
        shape, before = _after(layer, shape), _name(layer)


def _arranging(layers: list[Config], functional: bool) -> dict[str, str]:
    """The names of layers, with the layer behind each that goes by the order of the axes."""
    found: dict[str, str] = {}
    for before, layer in pairwise([{}, *layers]):
        if layer["class_name"] in ("Reshape", "Flatten", "Permute"):
            fed = _inbound(layer)[0] if functional else _name(before) if before else ""
            found[fed] = f"{layer['class_name']} {shown(_name(layer))}"
    return found


def _inbound(layer: Config) -> tuple[str, Shape | None]:
    """The name of the layer that this one is first called with, and the shape that it gives, where the file says so."""
    node = _first(layer.get("inbound_nodes"))
    if is_object(node):  # Keras 3: tensors among the arguments
        tensor = _first(node.get("args"))
        while is_list(tensor):
            tensor = _first(tensor)
        config = tensor.get("config") if is_object(tensor) else None
        if is_object(config):
            return str(_first(config.get("keras_history"))), _shape_of(config.get("shape"))
        return "", None
    while is_list(node):  # Keras 2: [name, number of the call, number of the tensor, arguments]
        node = _first(node)
    return (node if isinstance(node, str) else ""), None


def _first(values: Any) -> Any:
    return values[0] if is_list(values) and values else None


def _built(layer: Config) -> Shape | None:
    built = layer.get("build_config")
    return _shape_of(built.get("input_shape") if is_object(built) else None) or _declared(layer)


def _declared(layer: Config) -> Shape | None:
    """The shape that the first layer of a Sequential, or an InputLayer, was given."""
    config = _config(layer)
    return _shape_of(config.get("batch_shape")) or _shape_of(config.get("batch_input_shape"))


def _shape_of(value: Any) -> Shape | None:
    good = is_list(value) and value and all(n is None or (type(n) is int and n >= 0) for n in value)
    return tuple(value) if good else None


def _after(layer: Config, shape: Shape | None) -> Shape | None:
    """The shape behind a layer of a Sequential, where it is plain."""
    kind = str(layer["class_name"])
    if kind == "InputLayer" or SAME_SHAPE.fullmatch(kind):
        return shape
    try:
        return read_call(call_of(dict(layer))).output_shape(shape) if shape and is_pool(layer) else None
    except (PoolkitError, TypeError, ValueError, ArithmeticError, LookupError):
        return None


# ----------------------------------------------------------------------------------------------------------- layers


def _layer(layer: Config, place: _Place) -> Iterator[Layer]:
    kind, name = str(layer["class_name"]), _name(layer)
    if _sublayers(layer) is not None:
        yield from _inside(layer, place.inside(name))
        return
    for inner in _wrapped(layer):
        problem = (
            f"it stands inside the {shown(kind)} {shown(name)}, which calls it in its own way; port that layer by hand"
        )
        yield from _layer(inner, place.inside(name, shape=None, problem=place.problem or problem))
    problem = _problem(layer)
    call = None if problem else _call(layer)
    if call is not None or problem:
        yield _found(layer, *_uncast(call, place), problem)


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
    return Layer(
        name=joined(place.prefix, _name(layer)),
        before=shown(before),
        call=call,
        shape=place.shape,
        problem=problem or place.problem,
        caveat="; ".join(text for text in (masking if masks else "", place.caveat) if text),
        note=_of_padding(place.padded) if place.padded else "",
        behind=place.behind,
    )


def _of_padding(name: str) -> str:
    return (
        f"the zeros of {shown(name)} before it take part like any number: "
        "keep that a layer of its own, for the padding of a pooling layer takes no part"
    )


def _wrapped(layer: Config) -> list[Config]:
    """The layers that a wrapper such as TimeDistributed holds."""
    inner = [_config(layer).get(key) for key in ("layer", "forward_layer", "backward_layer")]
    return [one for one in inner if is_object(one) and isinstance(one.get("class_name"), str)]


def _problem(layer: Config) -> str:
    """Why nobody can say whether a layer pools, "" where one can."""
    kind = str(layer["class_name"])
    if kind in PROGRAMS:
        return "it holds a program of its own, which is not run, and may pool; read that, and port it by hand"
    if not is_keras(layer):
        return f"{shown(kind)} is no layer of Keras, and may pool; port it by hand"
    return ""


REDUCTIONS = ("mean", "sum", "max", "amax", "min", "amin")
TENSOR = (Expression("x"),)


def _call(layer: Config) -> Call | None:
    """A layer as a call, or an operation (`keras.ops`) that a functional model holds; None where it does not pool."""
    kind, config = str(layer["class_name"]), _config(layer)
    if is_pool(layer):
        made = call_of({"class_name": kind, "config": config})
        return Call(made.name, (), tuple((key, listed(value)) for key, value in made.kwargs))
    if kind == "TFOpLambda":
        return _of_tensorflow(layer)
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    if ".ops." in str(layer.get("module")) and _may_pool("keras", f"keras.ops.{name}"):
        return Call(
            f"keras.ops.{name}", TENSOR, tuple((key, listed(value)) for key, value in config.items() if key != "name")
        )
    return None


def _of_tensorflow(layer: Config) -> Call | None:
    name, node = f"tensorflow.{_config(layer).get('function')}", _first(layer.get("inbound_nodes"))
    if not _may_pool("tensorflow", name):
        return None
    while is_list(node) and is_list(_first(node)):
        node = _first(node)
    arguments = node[3] if is_list(node) and len(node) > 3 and is_object(node[3]) else {}
    return Call(name, TENSOR, tuple((key, listed(value)) for key, value in arguments.items() if key != "name"))


def _may_pool(backend: str, name: str) -> bool:
    dialect = table.dialect(backend)
    name = dialect.canonical(name)
    last = name.rsplit(".", 1)[1].removeprefix("reduce_")
    return ("pool" in last or last in REDUCTIONS) and name in dialect.words


def _config(layer: Config) -> Config:
    config = layer.get("config")
    return config if is_object(config) else {}


def _name(layer: Config) -> str:
    return str(layer.get("name") or _config(layer).get("name") or layer["class_name"])


def _mentions_mask(model: Config) -> bool:
    """Whether a layer of the model, at any depth, makes a mask of steps."""
    if model.get("class_name") == "Masking" or _config(model).get("mask_zero"):
        return True
    return any(_mentions_mask(layer) for layer in _sublayers(model) or _wrapped(model))
