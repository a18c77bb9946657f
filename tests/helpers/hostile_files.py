"""Files as nobody should write them, for fuzzers: source, Keras's configs and archives, ONNX models, each mutated."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from tests.helpers import hostile_source, mutated, portmodels

Rng = random.Random
Json = Any


def _bytes(rng: Rng, data: bytes) -> bytes:
    """Now and then with some bytes changed, or the end missing."""
    if rng.random() < 0.9:
        return data
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data) + 1)]
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 10))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


# -------------------------------------------------------------------------------------------------------------- Keras


def _node(*inputs: str) -> Json:
    keys = [{"class_name": "__keras_tensor__", "config": {"shape": [None, 8, 8, 3], "keras_history": [name, 0, 0]}}
            for name in inputs]  # fmt: skip
    return [{"args": [keys[0] if len(keys) == 1 else keys], "kwargs": {"mask": None}}]


def _functional() -> Json:
    first = portmodels.layer("InputLayer", "in", batch_shape=[None, 8, 8, 3])
    pool = {
        **portmodels.POOL,
        "name": "pool",
        "inbound_nodes": _node("in"),
        "build_config": {"input_shape": [None, 8, 8, 3]},
    }
    mean = {"module": "keras.src.ops.numpy", "class_name": "Mean", "name": "mean", "inbound_nodes": _node("pool"),
            "config": {"name": "mean", "axis": [1, 2], "keepdims": False}}  # fmt: skip
    old = {"class_name": "TFOpLambda", "name": "old", "config": {"name": "old", "function": "math.reduce_mean"},
           "inbound_nodes": [["pool", 0, 0, {"axis": [1, 2], "keepdims": True}]]}  # fmt: skip
    return {"class_name": "Functional", "config": {"name": "m", "layers": [first, pool, mean, old]}, "module": "keras"}


def _nested() -> Json:
    inner = portmodels.config(portmodels.POOL, portmodels.SAME)
    step = portmodels.layer("TimeDistributed", "steps", layer=portmodels.POOL)
    model = portmodels.config(inner, step, portmodels.LAMBDA, portmodels.layer("Embedding", "e", mask_zero=True))
    return {**model, "build_config": {"input_shape": [None, 8, 8, 3]}}


ODD_JSON: tuple[Json, ...] = (
    *(None, True, 0, -1, 2, 10**30, 1.5, float("nan"), float("inf"), "", "same", "channels_first", "é\x1b[31m\u202e"),
    *([], [2], [2, 2], [None, 2], [[2, 2], [1, 1]], [[[]]], {}, {"class_name": 3}, {"class_name": "MaxPooling2D"}),
    *({"class_name": "Sequential", "config": {"layers": 3}}, "x" * 3000, [1] * 3000, "MaxPooling2D", "Lambda", "keras"),
    *("keras.layers", "a>b", {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}, "mixed_float16"),
)


def _places(value: Json) -> list[tuple[Any, Any]]:
    """Every entry of a JSON value, as what holds it and its key."""
    found, left = list[tuple[Any, Any]](), [value]
    while left:
        one = left.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        left += [one[key] for key in keys]
    return found


def config(rng: Rng) -> Json:
    names = [name for name, _ in mutated.words() if name.startswith("keras.layers.")]
    plain = portmodels.config(portmodels.POOL, *[_plain(mutated.config(rng, names)) for _ in range(3)])
    model = copy.deepcopy(rng.choice((plain, _functional(), _nested())))
    for _ in range(rng.choice((0, 1, 1, 2, 4, 8))):
        holder, key = rng.choice(_places(model))
        others = [holder[key] for holder, key in _places(model)]
        if rng.random() < 0.15 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(rng.choice(others) if rng.random() < 0.3 else rng.choice(ODD_JSON))
        if not _places(model):
            break
    if rng.random() < 0.03:
        model["config"] = json.loads("[" * 400 + "]" * 400)
    return model


def _plain(value: Json) -> Json:
    """A mutated config with what JSON has no word for left as text."""
    return json.loads(json.dumps({str(key): one for key, one in value.items()}, default=lambda _: "?"))


def text_of_config(rng: Rng) -> bytes:
    return _bytes(rng, json.dumps(config(rng)).encode())


def archive(rng: Rng) -> bytes:
    file = io.BytesIO()
    kind = rng.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    )
    with zipfile.ZipFile(file, "w", kind) as zipped:
        if rng.random() < 0.05:
            zipped.writestr("config.json", b" " * 2**25)
        else:
            zipped.writestr(rng.choice(("config.json",) * 9 + ("../config.json",)), text_of_config(rng))
        zipped.writestr("metadata.json", "{}")
    data = _bytes(rng, file.getvalue())
    return b"\x89HDF\r\n" + data if rng.random() < 0.02 else data


# --------------------------------------------------------------------------------------------------------------- ONNX


def model(rng: Rng) -> bytes:
    names = [name for name, _ in mutated.words() if name.startswith("onnx.")]
    nodes = [_of_onnx(rng, names) for _ in range(rng.choice((0, 1, 3, 10)))]
    if rng.random() < 0.3:
        branch = helper.make_graph(nodes[:3], "b", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
        nodes.append(
            helper.make_node("If", ["x"], ["y"], name=rng.choice(("if", "")), then_branch=branch, else_branch=branch)
        )
    nodes.append(helper.make_node("Constant", [], ["a"], value=_tensor(rng, "a")))
    functions = [helper.make_function("own", "f", ["x"], ["y"], nodes[:2], OPSETS)] if rng.random() < 0.3 else []
    if functions and rng.random() < 0.5:
        functions[0].node.append(helper.make_node("f", ["x"], ["y"], domain="own"))  # which calls itself
        nodes.append(helper.make_node("f", ["x"], ["y"], domain="own"))
    shape = rng.choice((None, [1, 3, 8, 8], [None, 3, 8], [2**62] * 4, [-5, 0, 1, 1], [1] * 30))
    values = [
        [helper.make_tensor_value_info(name, rng.choice((1, 1, 7, 99)), s)] for name, s in (("x", shape), ("y", None))
    ]
    graph = helper.make_graph(nodes, "g", *values, initializer=[_tensor(rng, "a")] if rng.random() < 0.5 else [])
    made = helper.make_model(graph, functions=functions, opset_imports=OPSETS if rng.random() < 0.9 else [])
    return _bytes(rng, made.SerializeToString())


OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def _of_onnx(rng: Rng, names: list[str]) -> Any:
    node = mutated.node(rng, helper.make_node, names)
    node.name = rng.choice(("", "", "pool", "p\x1b]0;t\x07\u202e", *[f"n{rng.random()}"] * 4))
    if rng.random() < 0.02:
        node.name = "x" * 2000
    if rng.random() < 0.05:
        node.domain = rng.choice(("own", "é\x1b", "com.microsoft"))
    if rng.random() < 0.1:
        del node.input[:]
    if rng.random() < 0.1:
        del node.output[:]
    for attribute in node.attribute:
        if rng.random() < 0.05:
            attribute.type = rng.choice((1, 2, 3, 4, 5, 6, 7, 10))
        if rng.random() < 0.05:
            attribute.name = rng.choice(("", "é", "kernel_shape", "self", "**", "a b"))
        if rng.random() < 0.03:
            attribute.s = b"\xff\xfe"
            attribute.type = 3
    return node


def _tensor(rng: Rng, name: str) -> Any:
    dims = rng.choice(([2], [], [1], [-1], [0], [9], [2, 2], [2**40]))
    if rng.random() < 0.3:
        return TensorProto(
            name=name, data_type=TensorProto.INT64, dims=dims, raw_data=b"\2\0\0\0\0\0\0\0" * rng.randrange(4)
        )
    return TensorProto(
        name=name, data_type=rng.choice((7, 7, 1, 6)), dims=dims, int64_data=[rng.choice((2, 3, -1, 2**62))] * 2
    )


# ---------------------------------------------------------------------------------------------------------------- all

MAKERS: dict[str, Callable[[Rng], bytes]] = {
    ".py": lambda rng: _bytes(rng, hostile_source.source(rng)),
    ".pyi": lambda rng: _bytes(rng, hostile_source.source(rng)),
    ".json": text_of_config,
    ".keras": archive,
    ".onnx": model,
}


def drawn(rng: Rng, folder: Path) -> Path:
    """A file with an ending that tells its kind, as a rule the right one."""
    kind = rng.choice(list(MAKERS))
    path = folder / f"file{kind if rng.random() < 0.97 else rng.choice(('.h5', '.pt', '.txt', '', *MAKERS))}"
    path.write_bytes(MAKERS[kind](rng))
    return path
