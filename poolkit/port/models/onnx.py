"""The pooling nodes of an ONNX file. Its weights stay where they are, nothing is run."""

from __future__ import annotations

import graphlib
import importlib
import itertools
import math
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from poolkit.dialects.calls import Call, listed
from poolkit.dialects.onnx import NEIGHBOURS, REDUCTIONS, call_of
from poolkit.errors import BackendError, InputError
from poolkit.port.models.archive import read_bytes
from poolkit.port.models.child import bounded
from poolkit.port.models.layers import Layer, Shape, note_of_fold
from poolkit.port.models.naming import joined, shown
from poolkit.port.models.onnx_folds import ARRANGES, folded, takers, uses_in

LARGEST = 2**31 - 1  # what the format allows; larger models keep their weights in files beside it

# The numbers of ONNX's format: types of attributes and of tensors.
GRAPH, GRAPHS, INT64 = 5, 10, 7

MOST_AXES = 8  # of a tensor; what holds more is no list of axes

# Shape inference is C++, follows every call of a local function, and may be given anything.
INFER = """
from onnx import ModelProto, shape_inference
model = ModelProto()
model.ParseFromString(sys.stdin.buffer.read())
sys.stdout.buffer.write(shape_inference.infer_shapes(model).SerializeToString())
"""


@dataclass(frozen=True)
class _Values:
    """What is known of a graph's values by name: their shapes, and small tensors of integers."""

    shapes: Mapping[str, Shape]
    constants: Mapping[str, tuple[int, ...]]
    uses: Mapping[str, int]  # how often each is taken


def layers_of(path: Path) -> tuple[Iterator[Layer], int]:
    """Every pooling node of an ONNX file, nodes of subgraphs and of functions too; and how many nodes its graph has."""
    onnx = _onnx()
    data = read_bytes(path, LARGEST)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's own classes, which differ between its implementations
        raise InputError(f"received {path}, and it is no ONNX model or a cut one ({error}); export it anew") from None
    _check_text(model, path)
    if not model.graph.node and not model.functions:
        raise InputError(f"received {path}, and it has no graph with nodes in it; export the model anew")
    _check_graph(model.graph, path)
    in_functions = (
        _in_nodes(function.node, joined(function.name, "/"), _Values({}, _constants(function.node), {}))
        for function in model.functions
    )
    in_graph = _in_graph(_inferred(onnx, model, data).graph, "", _Values({}, {}, uses_in(model.graph)))
    opset = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0)
    found = (_of_opset(layer, opset) for layer in itertools.chain(in_graph, *in_functions))
    return found, len(model.graph.node)


ALIGNED = 16  # from this opset on, RoiAlign says where the centre of a cell is; before, none was at 0.5
CENTRE = "coordinate_transformation_mode"


def _of_opset(layer: Layer, opset: int) -> Layer:
    """A layer with what its operator meant in an older opset than the one that poolkit reads."""
    call = layer.call
    if call is None or call.name != "onnx.RoiAlign" or opset >= ALIGNED or CENTRE in dict(call.kwargs):
        return layer
    return replace(layer, call=replace(call, kwargs=(*call.kwargs, (CENTRE, "output_half_pixel"))))


def _check_graph(graph: Any, path: Path) -> None:
    """`InputError` for nodes that take what nothing gives, or that go round in a circle."""
    given = {one.name for one in (*graph.input, *graph.initializer, *(s.values for s in graph.sparse_initializer))}
    made = {name: n for n, node in enumerate(graph.node) for name in node.output if name}
    before: dict[int, set[int]] = {}
    for n, node in enumerate(graph.node):
        for name in filter(None, node.input):
            if name not in made and name not in given:
                who = shown(str(node.name or node.op_type))
                raise InputError(f"received {path}, and {who} takes {shown(name)}, which nothing gives; export it anew")
            before.setdefault(n, set()).update([made[name]] if name in made and name not in given else [])
    try:
        graphlib.TopologicalSorter(before).prepare()
    except graphlib.CycleError as error:
        names = ", ".join(shown(str(graph.node[n].name or graph.node[n].op_type)) for n in error.args[1][:4])
        raise InputError(f"received {path}, and its nodes {names} go round in a circle; export it anew") from None


STRING, MESSAGE = 9, 11  # types of fields in protobuf


def _check_text(model: Any, path: Path) -> None:
    """`InputError` for names that are no UTF-8, which protobuf gives as bytes."""
    left = [model]
    while left:
        for field, value in left.pop().ListFields():
            several = [value] if hasattr(value, "ListFields") or isinstance(value, str | bytes) else value
            if field.type == MESSAGE:
                left += several
            elif field.type == STRING and any(isinstance(one, bytes) for one in several):
                raise InputError(f"received {path}, and a {field.name} in it is no text in UTF-8; export it anew")


def _onnx() -> Any:
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise BackendError(
            f"an .onnx file is read with onnx, which is not installed here ({error}); run: pip install onnx"
        ) from None


def _inferred(onnx: Any, model: Any, data: bytes) -> Any:
    """The model with the shapes of its values, as far as onnx can tell them; otherwise those that it names remain."""
    found = bounded(INFER, data=data, more=8 * len(data))
    if found is None:
        return model
    inferred = onnx.ModelProto()
    try:
        inferred.ParseFromString(found)
    except Exception:  # protobuf's own classes of errors
        return model
    return inferred


def _in_graph(graph: Any, prefix: str, outer: _Values) -> Iterator[Layer]:
    shapes = {value.name: _shape(value) for value in (*graph.input, *graph.value_info, *graph.output)}
    known = {name: shape for name, shape in shapes.items() if shape is not None}
    constants = {tensor.name: _integers(tensor) for tensor in graph.initializer if _small(tensor)}
    # A view on what is around it, not a copy: a file may have thousands of graphs inside each other or side by side.
    constants |= _constants(graph.node)
    values = _Values(ChainMap(known, *_maps(outer.shapes)), ChainMap(constants, *_maps(outer.constants)), outer.uses)
    yield from _in_nodes(graph.node, prefix, values)


def _maps(outer: Mapping[str, Any]) -> list[Any]:
    """What a graph knows from around it; of graphs inside each other the innermost hundred are enough."""
    return outer.maps[:100] if isinstance(outer, ChainMap) else [outer]


def _in_nodes(nodes: Any, prefix: str, values: _Values) -> Iterator[Layer]:
    padded = {node.output[0]: node for node in nodes if node.op_type == "Pad" and node.output}
    takes = takers(nodes)
    for node in nodes:
        name = joined(prefix, node.name or next(iter(node.output), node.op_type))
        for attribute in node.attribute:
            several = {GRAPH: [attribute.g], GRAPHS: attribute.graphs}.get(attribute.type, [])
            for graph in several:
                yield from _in_graph(graph, joined(name, "/"), values)
        if _may_pool(node):
            pad = padded.get(next(iter(node.input), ""))
            named = "" if pad is None else str(pad.name or pad.output[0])
            found = _layer(node, name, values, named)
            around = _zeros(pad, values) if pad is not None and node.op_type == "MaxPool" else ()
            found = replace(found, padding=around, padded_by=shown(named), note="") if around else found
            output = next(iter(node.output), "")
            alone = values.uses.get(output) == 1 and output in takes
            yield _with_what_follows(found, takes[output], values) if alone else found


def _with_what_follows(found: Layer, behind: Any, values: _Values) -> Layer:
    """A layer with the only node behind it: a global pool takes one in that drops its axes, or gives them back."""
    named = f"{behind.op_type} {shown(str(behind.name or next(iter(behind.output), '')))}"
    call = folded(found.call, behind, found.shape, values.constants) if found.call is not None else None
    if call is not None:
        return replace(found, call=call, note=note_of_fold(named))
    return replace(found, behind=named if behind.op_type in ARRANGES else "")


def _zeros(pad: Any, values: _Values) -> tuple[tuple[int, int], ...]:
    """The zeros that a Pad puts around each spatial axis, () where that is not all that it does."""
    constant = all(one.s == b"constant" for one in pad.attribute if one.name == "mode")
    pads = values.constants.get(pad.input[1], ()) if len(pad.input) == 2 and constant else ()
    n = len(pads) // 2
    pairs = tuple((pads[at], pads[at + n]) for at in range(n))
    plain = n > 2 and pairs[:2] == ((0, 0), (0, 0)) and all(a >= 0 and b >= 0 for a, b in pairs)
    return pairs[2:] if plain else ()


def _may_pool(node: Any) -> bool:
    return node.op_type in REDUCTIONS or "pool" in node.op_type.lower() or node.op_type in NEIGHBOURS_THAT_POOL


NEIGHBOURS_THAT_POOL = ["RoiAlign", *(name for name in NEIGHBOURS if name.startswith("Reduce"))]


def _layer(node: Any, name: str, values: _Values, padded: str) -> Layer:
    call = call_of(node)
    assert call is not None
    if node.domain not in ("", "ai.onnx"):
        problem = f"{shown(node.op_type)} of {shown(node.domain)} is no operator of ONNX itself; port it by hand"
        return Layer(name, shown(f"{node.domain}.{node.op_type}(...)"), problem=problem)
    call = _with_axes(call, node, values)
    note = f"the padding of {shown(padded)} before it takes part like any number; keep that a layer of its own"
    return Layer(
        name,
        shown(call.source(lambda dotted: dotted.removeprefix("onnx."))),
        call,
        values.shapes.get(next(iter(node.input), "")),
        note=note if padded else "",
        takes=shown(next(iter(node.input), "")),
    )


def _with_axes(call: Call, node: Any, values: _Values) -> Call:
    """The call with the values of axes that stand in the file, and lists as tuples."""
    arguments = {key: listed(value) for key, value in call.kwargs}
    if node.op_type in REDUCTIONS and len(node.input) > 1 and node.input[1] in values.constants:
        arguments["axes"] = values.constants[node.input[1]]
    return replace(call, kwargs=tuple(arguments.items()))


def _shape(value: Any) -> Shape | None:
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    return tuple(d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim)


def _small(tensor: Any) -> bool:
    """Whether a tensor may be axes: a few 64-bit integers."""
    few = tensor.data_type == INT64 and len(tensor.dims) <= 1 and all(0 < n <= MOST_AXES for n in tensor.dims)
    said = math.prod(tensor.dims)
    return few and (len(tensor.raw_data) == 8 * said if tensor.raw_data else len(tensor.int64_data) == said)


def _integers(tensor: Any) -> tuple[int, ...]:
    if tensor.raw_data:
        raw = tensor.raw_data
        return tuple(int.from_bytes(raw[n : n + 8], "little", signed=True) for n in range(0, len(raw), 8))
    return tuple(tensor.int64_data)


def _constants(nodes: Any) -> dict[str, tuple[int, ...]]:
    """The values of Constant nodes that may be axes."""
    found: dict[str, tuple[int, ...]] = {}
    for node in nodes:
        if node.op_type != "Constant" or not node.output:
            continue
        for attribute in node.attribute:
            if attribute.name == "value" and _small(attribute.t):
                found[node.output[0]] = _integers(attribute.t)
            elif attribute.name == "value_ints" and len(attribute.ints) <= MOST_AXES:
                found[node.output[0]] = tuple(attribute.ints)
            elif attribute.name == "value_int":
                found[node.output[0]] = (attribute.i,)
    return found
