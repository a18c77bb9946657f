"""`poolkit port`: what goes to which stream, what is written where, and the exit codes."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from poolkit.port.models.archive import LARGEST
from poolkit.port.report import GROUPS
from tests.helpers.portmodels import LAMBDA, POOL, SAME, SOURCE, archive, layer, run, source
from tests.helpers.support import python

UNKNOWN = """from keras import layers


def pool(x, padding):
    return layers.MaxPooling2D(padding(x))(x)
"""


def test_source_goes_to_stdout_and_the_report_to_stderr(tmp_path: Path) -> None:
    result = run(source(tmp_path / "head.py"), "--to", "torch")

    assert result.exit_code == 0
    assert "torch.nn.MaxPool2d(2)(x)  # halves the map" in result.stdout
    assert "torch.nn.AdaptiveAvgPool2d(1)(x)" in result.stdout
    ast.parse(result.stdout)
    assert "line 5" in result.stderr
    assert "layers.MaxPooling2D(2)(x)" in result.stderr
    assert "2 exact" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "orders"),
    [(("torch",), ["NHWC -> NCHW"]), (("torch", "--layout", "NHWC"), []), (("jax",), [])],
    ids=["moved", "kept", "alike"],
)
def test_the_order_of_axes_that_pools_come_to_is_told(
    tmp_path: Path, options: tuple[str, ...], orders: list[str]
) -> None:
    for file in (source(tmp_path / "head.py"), archive(tmp_path / "model.keras", POOL)):
        told = run(file, "--to", *options).stderr

        assert json.loads(run(file, "--to", *options, "--json").stdout)["orders"] == orders
        assert ("the pools take NCHW tensors now, and took NHWC: turn what goes into them" in told) == bool(orders)


def test_a_model_becomes_a_module_on_stdout_and_a_table_on_stderr(tmp_path: Path) -> None:
    result = run(
        archive(tmp_path / "model.keras", layer("InputLayer", "in", batch_shape=[None, 8, 9, 3]), POOL, SAME),
        "--to",
        "torch",
    )
    names: dict[str, Any] = {"__name__": "ported"}
    exec(result.stdout, names)

    assert result.exit_code == 0
    assert names["layers"]()["pool"](torch.zeros(2, 3, 8, 9)).shape == (2, 3, 4, 4)
    assert names["layers"]()["same"](torch.zeros(2, 3, 8, 9)).shape == (2, 3, 4, 5)
    for text in ("max window=2 layout=NHWC", "?, 8, 9, 3", "nn.MaxPool2d(2)", "pads by the input's size"):
        assert text in " ".join(result.stderr.split())


def test_json_prints_the_rows_and_nothing_else(tmp_path: Path) -> None:
    result = run(archive(tmp_path / "model.keras", POOL, LAMBDA), "--to", "torch", "--json")
    told = json.loads(result.stdout)
    rows = told["rows"]

    assert (result.exit_code, result.stderr) == (1, "")
    assert [(row["where"], row["after"], row["status"]) for row in rows] == [
        ("pool", "nn.MaxPool2d(2)", "exact"),
        ("code", "", "failed"),
    ]
    assert (told["counts"], told["layers"]) == ({"exact": 1, "failed": 1}, {"pools": 1, "all": 2})
    assert rows[0]["spec"] == {"version": 1, "kind": "max", "window": 2, "layout": "NHWC"}


@pytest.mark.parametrize(
    ("text", "code"), [(SOURCE, 0), (UNKNOWN, 1), ("x = [1, 2\n", 2), ("x = 1\0\n", 2), ("import numpy\n", 0)]
)
def test_exit_codes_of_source(tmp_path: Path, text: str, code: int) -> None:
    result = run(source(tmp_path / "it.py", text), "--to", "torch")

    assert result.exit_code == code
    if code == 2:
        assert result.stdout == ""
        assert result.stderr.startswith("InputError: received ")
        assert len(result.stderr.splitlines()) == 1
    elif code == 1:
        assert "MaxPooling2D(padding(x))" in result.stdout  # kept as it is


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"PK", "whole zip archive"), (b"", "whole zip archive")],
)
def test_an_unusable_model_is_one_line_and_2(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "model.keras").write_bytes(data)
    result = run(tmp_path / "model.keras", "--to", "torch", "--output", tmp_path / "out.py")

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out.py").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("config.json", b"[" * (LARGEST + 1))

    def unpacked(*_: object) -> None:
        raise AssertionError("the config was unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", unpacked)
    result = run(tmp_path / "bomb.keras", "--to", "torch")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "unpacks to more than" in result.stderr


@pytest.mark.parametrize("to", [(), ("--to", "torch")])
def test_a_lambda_is_1_with_or_without_a_target(tmp_path: Path, to: tuple[str, ...]) -> None:
    result = run(archive(tmp_path / "model.keras", LAMBDA, POOL), *to)

    assert result.exit_code == 1
    assert "a program of its own, which is not run" in " ".join((result.stdout + result.stderr).split())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("model.keras", ("--to", "torch", "--in-place")),
        ("head.py", ("--to", "torch", "--in-place", "--output", "other.py")),
        ("head.py", ("--output", "other.py")),
        ("head.py", ("--check",)),
        ("head.py", ("--layout", "NHWC")),
        ("head.py", ("--to", "caffe")),
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    source(tmp_path / "head.py")
    archive(tmp_path / "model.keras", POOL)
    result = run(tmp_path / name, *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    file = archive(tmp_path / "model.keras", POOL)
    before = file.read_bytes()
    result = run(file, "--to", "torch", "--output", tmp_path / "." / "model.keras")

    assert (result.exit_code, file.read_bytes() == before) == (2, True)


# ----------------------------------------------------------------------------------------------------------- the audit


def test_the_audit_says_what_each_framework_has(tmp_path: Path) -> None:
    result = run(archive(tmp_path / "model.keras", SAME))
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]

    assert (result.exit_code, result.stderr) == (0, "")
    assert "spec avg window=3 stride=2 padding=same layout=NHWC" in lines
    assert 'keras keras.layers.AveragePooling2D(3, 2, padding="same")' in lines[3]
    assert lines[2].startswith("torch none is equal: same pads by the input's size")


def test_the_audit_of_source_as_json(tmp_path: Path) -> None:
    result = run(source(tmp_path / "head.py"), "--json")
    first, second = json.loads(result.stdout)["rows"]

    assert (first["where"], second["where"]) == ("line 5", "line 6")
    found = {one["framework"]: one for one in second["frameworks"]}
    assert list(found) == ["torch", "keras", "tensorflow", "jax"]
    assert all(one["equal"] for one in found.values())
    assert found["torch"]["layer"] == "torch.nn.AdaptiveAvgPool2d(1)"
    assert found["jax"]["layer"] == "functools.partial(jax.numpy.mean, axis=(1, 2), keepdims=True)"


def test_the_audit_names_caveats(tmp_path: Path) -> None:
    (row,) = json.loads(run(archive(tmp_path / "model.keras", POOL), "--json").stdout)["rows"]
    tensorflow = row["frameworks"][2]

    assert (tensorflow["framework"], tensorflow["equal"]) == ("tensorflow", True)
    assert "tf.nn.max_pool leaves out NaN" in tensorflow["caveats"]
    ported = run(archive(tmp_path / "model.keras", POOL), "--to", "tensorflow")
    assert ported.exit_code == 0
    assert "1 with a caveat" in ported.stderr
    assert "tf.nn.max_pool leaves out NaN" in ported.stdout


def test_a_file_without_pooling(tmp_path: Path) -> None:
    for options in ((), ("--to", "torch")):
        result = run(source(tmp_path / "it.py", "import keras\n"), *options)
        assert result.exit_code == 0
        assert "no pooling in this file" in result.stdout + result.stderr


# ------------------------------------------------------------------------------------------------------ what it imports


def test_porting_imports_no_framework(tmp_path: Path) -> None:
    """Neither of a model nor of source."""
    archive(tmp_path / "model.keras", POOL, SAME)
    source(tmp_path / "head.py")
    code = (
        "import sys, contextlib, os\n"
        "from poolkit.cli.commands import poolkit\n"
        "for file in ('model.keras', 'head.py'):\n"
        "    with contextlib.redirect_stdout(None), contextlib.suppress(SystemExit):\n"
        f"        poolkit(['port', os.path.join({str(tmp_path)!r}, file), '--to', 'torch', '--output', os.devnull])\n"
        "print(*sorted({'keras', 'torch', 'tensorflow', 'jax', 'onnx', 'flax'} & set(sys.modules)))"
    )
    code = code.replace("os.devnull", f"{str(tmp_path / 'out.py')!r}")

    assert python(code) == "\n"


TOLD = """import tensorflow as tf
from keras import layers
from .ops import max_pool2d
a = layers.MaxPooling2D(2, dtype="float16")(x)
b = layers.MaxPooling2D(4, dtype="float16", data_format=order)(x)
c = layers.MaxPooling2D(3, data_format=order)(x)
d = layers.MaxPooling2D(5)(x)
e = max_pool2d(x, 2)
"""


def test_the_report_says_once_for_each_kind_what_there_is_to_do(tmp_path: Path) -> None:
    path = tmp_path / "told.py"
    path.write_text(TOLD)
    short = run(path, "--to", "torch").stderr
    groups = [line for line in short.splitlines() if line.endswith(":")]
    assert groups == ["1 could not:", "2 will differ:", "2 check these:"]
    assert "2x  line 4, 5: dtype" in short
    assert short.count("cast before it") == 1  # beside what is said of one of them besides

    long = run(path, "--to", "torch", "--verbose").stderr
    assert long.count("cast") > short.count("cast")
    told = json.loads(run(path, "--to", "torch", "--json").stdout)
    assert [[kind["count"] for kind in told["groups"][name]] for name in GROUPS] == [[1], [2], [2]]
    assert told["groups"]["will differ"][0]["where"] == ["line 4", "line 5"]
    assert [row["group"] for row in told["rows"]] == ["will differ", "will differ", "check these", "", "could not"]


def test_what_a_caveat_says_besides_is_there_to_be_checked(tmp_path: Path) -> None:
    text = "def f(x, layers):\n    return layers.MaxPooling2D(3, 2, padding='same')(x)\n"
    told = json.loads(run(source(tmp_path / "f.py", text), "--to", "torch", "--json").stdout)

    groups = {group: [one["note"] for one in found] for group, found in told["groups"].items()}
    assert [len(notes) for notes in groups.values()] == [0, 1, 1]
    assert "comes from elsewhere" in groups["will differ"][0]
    assert "same pads by the input's size" in groups["check these"][0]
