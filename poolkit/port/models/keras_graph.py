"""What a Keras model's config says of how its layers are called: Keras 1 to 3, functional or one after the other."""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from poolkit.dialects import table
from poolkit.errors import InputError
from poolkit.port.models.archive import is_list, is_object
from poolkit.port.models.keras_names import LEGACY
from poolkit.port.models.naming import shown
from poolkit.spec.values import is_many

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Output:
    """What a call of a layer gives; the input of a Sequential that declares none has the name ""."""

    layer: str
    call: int = 0
    number: int = 0
    shape: tuple[int | None, ...] | None = field(default=None, compare=False)  # where the file says so

    @property
    def made_by(self) -> tuple[str, int]:
        """The layer, and which of its calls it is."""
        return self.layer, self.call


@dataclass(frozen=True)
class Step:
    """A call of a layer: its positional arguments, with an `Output` for each tensor, and those that have names."""

    layer: Config
    name: str
    call: int
    given: list[Any]
    named: Config

    @property
    def key(self) -> tuple[str, int]:
        """The layer, and which of its calls it is."""
        return self.name, self.call

    @property
    def kind(self) -> str:
        """The class of the layer: "Add", "ops.Add" for `x + y` in Keras 3, "theirs.Add" where it is not Keras's."""
        module = self.layer.get("module")
        before = "ops." if is_operation(self.layer) else f"{module}." if module and not is_keras(self.layer) else ""
        return f"{before}{self.layer['class_name']}"

    @property
    def outputs(self) -> list[Output]:
        """What it is called with, lists of tensors too."""
        return list(_outputs([*self.given, *self.named.values()]))

    @property
    def shape(self) -> tuple[int | None, ...] | None:
        """The shape of what it is first called with, or for which the layer was built."""
        build = self.layer.get("build_config")
        known = shape_of(build.get("input_shape")) if is_object(build) else None
        return next((one.shape for one in self.outputs if one.shape), known)


@dataclass(frozen=True)
class Graph:
    """The calls of a model, each after those whose outputs it takes."""

    steps: list[Step]
    inputs: list[Output]
    outputs: list[Output]

    def run(self, given: Sequence[Any], call: Callable[[Step, list[Any]], Any]) -> list[Any]:
        """What comes out where each call is made by `call`, which is given the step and its arguments."""
        values = {one.made_by: value for one, value in zip(self.inputs, given, strict=True)}
        for step in self.steps:
            if step.key not in values:
                values[step.key] = call(step, [_valued(one, values) for one in step.given])
        return [_valued(one, values) for one in self.outputs]


def _valued(given: Any, values: Mapping[Any, Any]) -> Any:
    """An argument with the value of each output in its place."""
    if is_list(given):
        return [_valued(one, values) for one in given]
    if not isinstance(given, Output):
        return given
    found = values[given.made_by]
    several = found if is_many(found) else (found,)
    if given.number not in range(len(several)):
        raise InputError(f"received a model that takes output {given.number} of {shown(given.layer)}, and it has fewer")
    return several[given.number]


def config_of(layer: Config) -> Config:
    config = layer.get("config")
    return config if is_object(config) else {}


def name_of(layer: Config) -> str:
    return str(layer.get("name") or config_of(layer).get("name") or layer["class_name"])


FUNCTIONS = ("TFOpLambda", "TensorFlowOpLayer", "SlicingOpLambda")  # functions of TensorFlow in a model of Keras 2


def is_keras(layer: Config) -> bool:
    """Whether a layer is one of Keras's own, and no class of somebody else's that may do anything."""
    kind, registered = str(layer["class_name"]), layer.get("registered_name")
    if ">" in kind or (isinstance(registered, str) and ">" in registered):  # how Keras writes classes of other packages
        return False
    if "module" not in layer:  # Keras 2 and older name no module
        return kind in LEGACY or _named_as_pool(layer) or kind in FUNCTIONS
    module = str(layer["module"])
    dialect = table.dialect("keras")
    return module.split(".")[0] in dialect.roots or f"{module}.".startswith(dialect.usage.inside)


def is_pool(layer: Config) -> bool:
    """Whether a layer is one of Keras's pooling layers."""
    return _named_as_pool(layer) and is_keras(layer)


def _named_as_pool(layer: Config) -> bool:
    dialect = table.dialect("keras")
    name = dialect.canonical(f"keras.layers.{layer['class_name']}")
    return "Pooling" in name and name in dialect.words


def is_operation(layer: Config) -> bool:
    """Whether it is no layer, but a function of Keras 3's on tensors, such as `x + y`."""
    return ".ops." in str(layer.get("module"))


def layers_in(model: Config) -> list[Config] | None:
    """The layers of a model, None for what is no model; Keras 1 has a Sequential's layers without a dictionary."""
    config = model.get("config")
    found = config.get("layers") if is_object(config) else config
    if not is_list(found):
        return None
    layers: list[Config] = [layer for layer in found if is_object(layer) and isinstance(layer.get("class_name"), str)]
    return [*_numbered(layers)] if layers or not found else None  # a layer's own list may be of numbers


def _numbered(layers: list[Config]) -> Iterator[Config]:
    """The layers, where several of a class have no name with a number in it, as Keras would give them."""
    unnamed = Counter[str]()
    for layer in layers:
        config, kind = layer.get("config"), str(layer["class_name"])
        named = layer.get("name") or (is_object(config) and config.get("name"))
        yield {**layer, "name": f"{kind}_{unnamed[kind]}"} if not named and unnamed[kind] else layer
        unnamed[kind] += not named


def graph_of(model: Config) -> Graph:
    """The calls of a model; `InputError` where one takes what none gives, or they go round in a circle."""
    layers = layers_in(model) or []
    _check_names(layers)
    config = model.get("config")
    functional = any(layer.get("inbound_nodes") for layer in layers)
    if not functional:
        return _one_by_one(layers)
    ends = [_ends(config.get(key)) if is_object(config) else [] for key in ("input_layers", "output_layers")]
    made = [step for layer in layers for step in calls_of(layer)]
    named = {one.made_by for one in (*ends[0], *ends[1], *(one for step in made for one in step.outputs))}
    steps = [replace(step, call=step.call + _first_call(step.layer, named)) for step in made]
    known = {step.key for step in steps}
    for end in (*ends[0], *ends[1]):
        if end.made_by not in known:
            raise InputError(
                f"received a model that takes the output of {shown(end.layer)}, and the file has no such call; "
                "save it anew"
            )
    return Graph(_ordered(steps), *ends)


def _first_call(layer: Config, named: set[tuple[str, int]]) -> int:
    """The number of the first call of a layer; that of a model in a model is 1, for it made one itself.

    A Sequential's is in Keras 2, and is not in Keras 3: there it goes by what the calls are named elsewhere.
    """
    if layers_in(layer) is None:
        return 0
    if layer["class_name"] != "Sequential":
        return int((name_of(layer), 0) not in named)
    nodes = layer.get("inbound_nodes")
    return int(is_list(nodes) and (name_of(layer), len(nodes)) in named)


def _check_names(layers: list[Config]) -> None:
    names = Counter(map(name_of, layers))
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise InputError(
            f"received a model, and two of its layers are called {shown(twice)}; rename one, and save it anew"
        )


def _one_by_one(layers: list[Config]) -> Graph:
    steps: list[Step] = []
    declared = bool(layers) and layers[0]["class_name"] == "InputLayer"
    before = start = Output(name_of(layers[0]) if declared else "")
    for layer in layers:
        given = [] if declared and not steps else [before]
        steps.append(Step(layer, name_of(layer), 0, given, {}))
        before = Output(name_of(layer))
    return Graph(steps, [start], [before])


def calls_of(layer: Config) -> Iterator[Step]:
    """Each call of a layer of a functional model; an input is called once, with nothing."""
    name, nodes = name_of(layer), layer.get("inbound_nodes")
    if not is_list(nodes) or not nodes:
        yield Step(layer, name, 0, [], {})
        return
    for number, node in enumerate(nodes):
        if is_object(node):  # Keras 3: tensors among the arguments
            given, named = _read(node.get("args")), node.get("kwargs")
            named = {key: _read(value) for key, value in named.items()} if is_object(named) else {}
            yield Step(layer, name, number, given if is_list(given) else [], named)
        else:  # Keras 2: a [name, call, number, arguments] for each tensor
            values = node if is_list(node) and node and is_list(node[0]) else [node]
            tensors = [one for one in values if _is_old(one)]
            several = [Output(*one[:3]) for one in tensors]
            arguments = [one[3] for one in tensors if len(one) > 3 and is_object(one[3])]
            given = [several] if len(several) > 1 else [*several]
            yield Step(layer, name, number, given, arguments[0] if arguments else {})


def _is_old(value: Any) -> TypeGuard[list[Any]]:
    return is_list(value) and len(value) > 2 and isinstance(value[0], str) and all(type(n) is int for n in value[1:3])


def _read(value: Any) -> Any:
    """A value among the arguments of Keras 3, with an `Output` for each tensor."""
    if is_list(value):
        return list(map(_read, value))
    config = value.get("config") if is_object(value) and value.get("class_name") == "__keras_tensor__" else None
    if not is_object(config) or not _is_old(config.get("keras_history")):
        return value
    name, call, number = config["keras_history"][:3]
    return Output(name, call, number, shape_of(config.get("shape")))


def _outputs(values: list[Any]) -> Iterator[Output]:
    for one in values:
        if is_list(one):
            yield from _outputs(one)
        elif isinstance(one, Output):
            yield one


def shape_of(value: Any) -> tuple[int | None, ...] | None:
    """A shape that JSON holds, None for what is none."""
    good = is_list(value) and value and all(n is None or (type(n) is int and n >= 0) for n in value)
    return tuple(value) if good else None


def _ends(value: Any) -> list[Output]:
    """The inputs or outputs of a model: one, several, or several by name."""
    values = list(value.values()) if is_object(value) else [value] if _is_old(value) else value
    return [Output(*one[:3]) for one in values if _is_old(one)] if is_list(values) else []


def _ordered(steps: list[Step]) -> list[Step]:
    known = {step.key: step for step in steps}
    for step in steps:
        missing = next((one.layer for one in step.outputs if one.made_by not in known), None)
        if missing is not None:
            raise InputError(
                f"received a model whose layer {shown(step.name)} takes what {shown(missing)} gives, and the file has "
                "no such call; save the model anew"
            )
    try:
        sorter = graphlib.TopologicalSorter({key: [one.made_by for one in step.outputs] for key, step in known.items()})
        return [known[key] for key in sorter.static_order()]
    except graphlib.CycleError as error:
        names = [name for name, _ in error.args[1]]
        raise InputError(
            f"received a model whose layers {shown(' -> '.join(names[:5]))} go round in a circle; save the model anew"
        ) from None
