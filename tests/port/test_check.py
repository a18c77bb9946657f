"""`poolkit port --check`: originals and ports side by side, and what cannot be run."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import flax
import haiku
import jax
import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
import torch
from click.testing import CliRunner

from poolkit.cli.commands import poolkit
from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.reading import call_of, read_call
from poolkit.port.check import Checked, check
from poolkit.port.report import Row
from poolkit.port.runner import runner
from poolkit.port.target import target_of
from tests.helpers.support import environment

FRAMEWORKS = (flax, haiku, jax, keras, onnx, onnxruntime, tf, torch)  # an absent one is a failure of this file

CALLS = [
    "torch.nn.AvgPool2d(3, 2, padding=1)",
    "torch.nn.MaxPool1d(3, 2, padding=1, ceil_mode=True)",
    "torch.nn.functional.max_pool2d(x, 3, stride=2)",
    "torch.nn.AdaptiveAvgPool2d((2, 3))",
    "torch.mean(x, dim=(2, 3))",
    "x.mean(dim=(-2, -1), keepdim=True)",
    "keras.layers.AveragePooling2D((2, 3), padding='same')",
    "keras.layers.GlobalMaxPooling1D()",
    "keras.ops.mean(x, axis=(1, 2))",
    "tf.nn.max_pool2d(x, 3, 2, 'SAME')",
    "tf.nn.avg_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')",
    "tf.reduce_max(input_tensor=x, axis=[1, 2], keepdims=True)",
    "flax.linen.avg_pool(x, (3, 3), strides=(2, 2), padding='SAME')",
    "jnp.mean(x, axis=(1, 2))",
    "jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), 'SAME')",
    "np.mean(x, axis=(1, 2))",
]


def row_of(line: str, backend: str, **changes: Any) -> Row:
    call = call_of(line)
    spec = read_call(call)
    target = target_of(spec, backend)
    return Row("line 1", line, "exact", target.layer, spec=spec, call=call, ported=target.call)


@pytest.mark.parametrize("backend", ["torch", "keras", "tensorflow", "jax"])
@pytest.mark.parametrize("line", CALLS)
def test_ports_agree_with_what_they_were_made_of(line: str, backend: str) -> None:
    row = row_of(line, backend)
    found = check(row, backend)
    if row.before == row.after:
        assert found is None
        return

    assert found is not None
    assert found.problem == ""
    assert found.share is not None
    assert found.share <= 1
    assert len(found.shapes) == 3


NODES = [
    Call("onnx.AveragePool", (), (("kernel_shape", (3, 2)), ("pads", (1, 1, 1, 0)), ("count_include_pad", 1))),
    Call("onnx.MaxPool", (), (("kernel_shape", (3, 3)), ("strides", (2, 2)), ("ceil_mode", 1))),
    Call("onnx.MaxPool", (), (("kernel_shape", (2, 2)), ("pads", (0, 0, 1, 1)))),
    Call("onnx.MaxPool", (), (("kernel_shape", (2, 2)), ("strides", (2, 2)), ("pads", (1, 1, 0, 0)))),
    Call("onnx.MaxPool", (), (("kernel_shape", (2, 3)), ("strides", (2, 2)), ("auto_pad", "SAME_LOWER"))),
    Call("onnx.AveragePool", (), (("kernel_shape", (2, 3)), ("strides", (2, 2)), ("auto_pad", "SAME_LOWER"))),
    Call("onnx.GlobalAveragePool"),
    Call("onnx.ReduceMax", (), (("axes", (2, 3)), ("keepdims", 0))),
    Call("onnx.ReduceSum", (), (("axes", (2, 3)), ("keepdims", 1))),
]


@pytest.mark.parametrize("call", NODES, ids=str)
def test_onnx_nodes_are_run_by_its_runtime(call: Call) -> None:
    spec = read_call(call)
    found = check(Row("node", str(call), "exact", "it", spec=spec, call=call), "torch")

    assert found is not None
    assert (found.problem, found.agrees) == ("", True)
    assert found.difference is not None


@pytest.mark.parametrize("call", NODES, ids=str)
def test_without_the_runtime_onnx_nodes_are_run_by_the_definition(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_call(call)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = check(Row("node", str(call), "exact", "it", spec=spec, call=call), "torch")

    assert found is not None
    assert (found.problem, found.agrees) == ("", True)


WRONG = {
    "other windows": ("tf.nn.max_pool2d(x, 3, 2, 'SAME')", "torch.nn.MaxPool2d(3, 2, padding=1)"),
    "another divisor": ("keras.layers.AveragePooling2D(3, 1, padding='same')", "torch.nn.AvgPool2d(3, 1, padding=1)"),
    "another kind": ("tf.reduce_max(x, axis=[1, 2], keepdims=True)", "torch.nn.AdaptiveAvgPool2d(1)"),
    "a swapped window": ("keras.layers.MaxPooling2D((2, 3))", "torch.nn.MaxPool2d((3, 2))"),
    "a shape": ("keras.layers.GlobalAveragePooling2D(keepdims=True)", "torch.nn.AdaptiveAvgPool2d(2)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_port_is_noticed(name: str) -> None:
    line, port = WRONG[name]
    call = call_of(line)
    found = check(Row("line 1", line, "exact", port, spec=read_call(call), call=call, ported=call_of(port)), "torch")

    assert found is not None
    assert not found.agrees
    assert found.difference is not None
    assert found.difference > 1e-3
    assert ("differs" if name in ("a shape", "a swapped window") else "outside the tolerance") in str(found)


def test_what_was_written_is_what_is_run() -> None:
    call = call_of("keras.layers.MaxPooling2D(3)")
    row = Row(
        "line 1",
        "it",
        "exact",
        "F.max_pool2d(x, 3)",
        spec=read_call(call),
        call=call,
        ported=call_of("torch.nn.MaxPool2d(2)"),
    )

    found = check(row, "torch")
    assert found is not None
    assert found.agrees


def test_the_size_that_a_file_knows_is_run_too() -> None:
    call = call_of("keras.layers.MaxPooling2D(3)")
    row = Row("pool", str(call), "exact", "nn.MaxPool2d(3)", spec=read_call(call), call=call, shape=(None, 30, 31, 64))
    found = check(row, "torch")

    assert found is not None
    assert found.shapes[0] == (2, 30, 31, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("torch.nn.MaxPool2d", (Expression("k"),)), "value is not known"),
        (Call("notthere.nn.MaxPool2d", (2,)), "no framework that poolkit reads"),
        (Call("torch.nn.MaxPool2d", (), (("kernel", 2),)), "kernel"),
        (Call("onnx.MaxPool", (), (("kernel_shape", Expression("k")),)), "value is not known"),
    ],
)
def test_what_cannot_be_run_is_said(call: Call, message: str) -> None:
    spec = read_call(call_of("torch.nn.MaxPool2d(2)"))
    found = check(Row("line 1", str(call), "exact", "it", spec=spec, call=call), "torch")

    assert found is not None
    assert message in found.problem
    assert str(found).startswith("not run: ")
    assert found.agrees


def test_rows_that_were_not_ported_are_not_checked() -> None:
    call = call_of("torch.nn.MaxPool2d(2)")
    rows = [
        Row("line 1", "a", "failed", call=call),
        Row("line 2", "a", "left", call=call),
        Row("line 3", "a", "exact", "b"),
    ]

    assert [check(row, "torch") for row in rows] == [None, None, None]
    unknown = check(Row("line 4", "a", "exact", "b", call=call), "torch")
    assert unknown is not None
    assert "its value is not known" in unknown.problem


def test_sizes_that_no_memory_holds_are_not_run() -> None:
    call = call_of("keras.layers.MaxPooling2D(3)")
    row = Row(
        "pool", str(call), "exact", "nn.MaxPool2d(3)", spec=read_call(call), call=call, shape=(1, 10**6, 10**6, 1)
    )
    found, huge = check(row, "torch"), call_of("torch.nn.MaxPool2d(100000)")
    too_large = check(Row("line 1", "a", "exact", "b", spec=read_call(huge), call=huge), "torch")

    assert found is not None
    assert len(found.shapes) == 3
    assert too_large is not None
    assert too_large.problem == "its windows are too large to be run on a trial"


def test_nan_is_a_difference() -> None:
    assert not Checked(((2, 3),), math.nan, math.nan).agrees
    assert json.loads(json.dumps(Checked(((2, 3),), math.inf, math.inf).to_dict()))["difference"] is None


@pytest.mark.parametrize("line", ["torch.nn.MaxPool2d(2, return_indices=True)", "torch.nn.MaxPool2d(2)"])
def test_a_runner_gives_the_values(line: str) -> None:
    x = np.arange(16, dtype="float32").reshape(1, 1, 4, 4)

    assert runner(call_of(line))(x).tolist() == [[[[5, 7], [13, 15]]]]


# --------------------------------------------------------------------------------------------------- the command itself


def layer(name: str, padding: str) -> dict[str, Any]:
    config = {"name": name, "pool_size": [3, 3], "strides": [2, 2], "padding": padding, "data_format": "channels_last"}
    return {"module": "keras.layers", "class_name": "AveragePooling2D", "config": config}


def model(folder: Path, *layers: dict[str, Any]) -> Path:
    path = folder / "model.json"
    path.write_text(json.dumps({"class_name": "Sequential", "config": {"layers": list(layers)}}))
    return path


def test_the_command_exits_with_0_where_all_agree(tmp_path: Path) -> None:
    arguments = [
        "port",
        str(model(tmp_path, layer("valid", "valid"), layer("same", "same"))),
        "--to",
        "torch",
        "--check",
    ]
    result = CliRunner().invoke(poolkit, arguments, catch_exceptions=False, env={"COLUMNS": "200"})

    assert result.exit_code == 0
    assert "largest difference" in result.stderr
    assert "nn.AvgPool2d(3, 2)" in result.stdout


def test_the_command_exits_with_1_where_a_framework_gives_other_numbers(tmp_path: Path) -> None:
    """Keras on PyTorch repeats the border where padding is uneven; its engine is settled when it is imported."""
    model(tmp_path, layer("valid", "valid"), layer("same", "same"))
    code = (
        "import sys\nfrom poolkit.cli.commands import poolkit\n"
        "try:\n    poolkit()\n"
        "finally:\n    sys.stderr.write(' '.join(sorted({'keras', 'torch', 'tensorflow', 'flax'} & set(sys.modules))))"
    )
    command = [sys.executable, "-c", code, "port", "model.json", "--to", "torch", "--check", "--json"]
    engine = environment(KERAS_BACKEND="torch")
    done = subprocess.run(command, cwd=tmp_path, env=engine, capture_output=True, text=True, check=False)
    rows = {row["where"]: row["check"] for row in json.loads(done.stdout)["rows"]}

    assert done.returncode == 1
    assert (rows["valid"]["agrees"], rows["same"]["agrees"]) == (True, False)
    assert rows["same"]["difference"] > 0.01
    assert done.stderr.split() == ["keras", "torch"]  # and no other, but that Keras itself imports JAX


def test_a_pool_whose_axes_a_call_behind_it_gives_back() -> None:
    row = row_of("keras.layers.GlobalAveragePooling2D()", "torch")
    kept = read_call(call_of("keras.layers.GlobalAveragePooling2D(keepdims=True)"))
    ported = Call("torch.nn.AdaptiveAvgPool2d", (1,))

    found = check(dataclasses.replace(row, spec=kept, after=str(ported), ported=ported), "torch")
    assert found is not None
    assert found.agrees
    assert found.difference is not None


def test_what_would_end_the_process_is_not_run() -> None:
    found = check(row_of("keras.layers.AdaptiveMaxPooling2D((2, 1))", "torch"), "torch")

    assert found is not None
    assert "would end this process" in str(found)
