"""Model files that are small and mean much: names, axes, functions and pools by the thousand end within bounds."""

from __future__ import annotations

import itertools
import json
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, load, save

from poolkit.cli.commands import poolkit
from poolkit.errors import InputError
from poolkit.port.files import port_file
from poolkit.port.report import Ported

MANY = 10_000
OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def keras(path: Path, pools: int, inner: str = "") -> Path:
    def config(n: int) -> dict[str, Any]:
        return {"name": f"p{n}", "pool_size": [2, 2], "strides": [2, 2], "data_format": "channels_last"}

    layers = [{"module": "keras.layers", "class_name": "MaxPooling2D", "config": config(n)} for n in range(pools)]
    model: dict[str, Any] = {"class_name": "Sequential", "config": {"name": inner or "m", "layers": layers}}
    if inner:
        model = {"class_name": "Sequential", "config": {"name": "outer", "layers": [model]}}
    path.write_text(json.dumps(model))
    return path


def onnx(path: Path, nodes: list[Any], functions: Any = (), **parts: Any) -> Path:
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", [1, 3, 8, 8]), ("y", None))
    ]
    graph = helper.make_graph(nodes, "g", *values, **parts)
    save(helper.make_model(graph, functions=functions, opset_imports=OPSETS), path)
    return path


def pools(count: int) -> list[Any]:
    names = ["x", *(f"y{n}" for n in range(count - 1)), "y"]
    return [helper.make_node("MaxPool", [a], [b], name=b, kernel_shape=[1, 1]) for a, b in itertools.pairwise(names)]


def seconds(run: Callable[[], Any]) -> float:
    """The processor time that it takes, in this process and in those that it starts."""

    def used() -> float:
        several = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in several)

    before = used()
    run()
    return used() - before


@pytest.mark.parametrize("words", [(), ("--to", "torch")])
@pytest.mark.parametrize("kind", ["json", "onnx"])
def test_pools_by_the_ten_thousand(kind: str, words: tuple[str, ...], tmp_path: Path) -> None:
    file = keras(tmp_path / "m.json", MANY) if kind == "json" else onnx(tmp_path / "m.onnx", pools(MANY))

    def run() -> None:
        result = CliRunner().invoke(poolkit, ["port", str(file), *words])
        assert result.exit_code == 0, result.output[-500:]
        assert result.output.count("MaxPool") >= MANY

    assert seconds(run) < 20


def test_pools_by_the_hundred_thousand(tmp_path: Path) -> None:
    layers = ",".join(f'{{"class_name":"MaxPooling2D","config":{{"name":"{n}","pool_size":2}}}}' for n in range(10**5))
    model = f'{{"class_name":"Sequential","config":{{"name":"m","layers":[{layers}]}}}}'
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", model)

    def refused() -> None:
        with pytest.raises(InputError, match="more than 30000 of its layers pool or may"):
            port_file(tmp_path / "m.keras", "torch")

    assert (tmp_path / "m.keras").stat().st_size < 2**19
    assert seconds(refused) < 20


def test_a_shape_of_a_million_axes(tmp_path: Path) -> None:
    config = {"name": "p", "pool_size": [2, 2], "batch_input_shape": [1] * 10**6}
    layer = {"class_name": "MaxPooling2D", "config": config, "build_config": {"input_shape": [1] * 10**6}}
    (tmp_path / "m.json").write_text(json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}))
    result = CliRunner().invoke(poolkit, ["port", str(tmp_path / "m.json"), "--json"])

    assert result.exit_code == 0
    assert len(result.output) < 10_000


def test_a_name_of_a_million_characters(tmp_path: Path) -> None:
    branch = helper.make_graph(pools(50), "b", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    node = helper.make_node("If", ["x"], ["y"], name="n" * 10**6, then_branch=branch, else_branch=branch)
    for file in (keras(tmp_path / "m.json", 50, "n" * 10**6), onnx(tmp_path / "m.onnx", [node])):
        with pytest.raises(InputError, match="and a name has 1000 at the most") as raised:
            port_file(file, "torch")
        assert len(str(raised.value)) < 500


def test_functions_that_call_each_other(tmp_path: Path) -> None:
    functions = [helper.make_function("own", "f0", ["x"], ["y"], pools(1), OPSETS)]
    for n in range(1, 31):
        calls = [helper.make_node(f"f{n - 1}", [a], [b], domain="own") for a, b in (("x", "t"), ("t", "y"))]
        functions.append(helper.make_function("own", f"f{n}", ["x"], ["y"], calls, OPSETS))
    file = onnx(tmp_path / "m.onnx", [helper.make_node("f30", ["x"], ["y"], domain="own")], functions)

    found: list[Ported] = []
    assert seconds(lambda: found.append(port_file(file, None))) < 20
    assert [row.where for row in found[0].rows] == ["f0/y"]


def test_shapes_are_told_where_they_can_be(tmp_path: Path) -> None:
    file = onnx(tmp_path / "m.onnx", pools(3))

    assert [row.shape for row in port_file(file, None).rows] == [(1, 3, 8, 8)] * 3


@pytest.mark.parametrize("cells", [1, 3, 10**6])
def test_a_tensor_that_holds_more_than_it_says(cells: int, tmp_path: Path) -> None:
    axes = TensorProto(name="axes", data_type=TensorProto.INT64, dims=[2], raw_data=b"\2\0\0\0\0\0\0\0" * cells)
    node = helper.make_node("ReduceMean", ["x", "axes"], ["y"])
    [row] = port_file(onnx(tmp_path / "m.onnx", [node], initializer=[axes]), "torch").rows

    assert row.status == "failed"
    assert len(row.note) < 500


def test_a_tensor_whose_data_are_another_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0")
    axes = TensorProto(name="axes", data_type=TensorProto.INT64, dims=[2], data_location=TensorProto.EXTERNAL)
    axes.external_data.add(key="location", value="secret")
    node = helper.make_node("ReduceMean", ["x", "axes"], ["y"])
    path = onnx(tmp_path / "m.onnx", [node], initializer=[axes])
    assert TensorProto.EXTERNAL in [one.data_location for one in load(path, load_external_data=False).graph.initializer]
    [row] = port_file(path, "torch").rows

    assert (row.status, row.spec) == ("failed", None)


@pytest.mark.parametrize("part", ["a name", "AveragePool", "domain", "input", "output", "kernel_shape", "function"])
def test_names_that_are_no_text(part: str, tmp_path: Path) -> None:
    node = helper.make_node("AveragePool", ["input"], ["output"], name="a name", domain="domain", kernel_shape=[1, 1])
    path = onnx(tmp_path / "m.onnx", [node], [helper.make_function("own", "function", ["x"], ["y"], pools(1), OPSETS)])
    path.write_bytes(path.read_bytes().replace(part.encode(), b"\xff" * len(part)))

    with pytest.raises(InputError, match="is no text in UTF-8; export it anew"):
        port_file(path, "torch")


@pytest.mark.parametrize(
    ("takes", "message"),
    [("y", "nodes pool, .* go round in a circle"), ("nowhere", "pool takes nowhere, which nothing")],
)
def test_a_circle_and_an_input_that_is_not_there(takes: str, message: str, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("GlobalAveragePool", [takes], ["p"], name="pool"),
        helper.make_node("Flatten", ["p"], ["y"], name="flat"),
    ]
    path, out = onnx(tmp_path / "m.onnx", nodes), tmp_path / "out.py"
    with pytest.raises(InputError, match=message):
        port_file(path, "torch")
    done = CliRunner().invoke(poolkit, ["port", str(path), "--to", "torch", "--output", str(out)])
    assert (done.exit_code, out.exists()) == (2, False)
