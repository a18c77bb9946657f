"""Models that Keras has saved: what is read from them, and the modules that they become."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl

from poolkit import PoolSpec
from poolkit.port.files import port_file
from poolkit.port.report import Row
from tests.helpers.portmodels import POOL, archive, config, layer, made, rows_of
from tests.helpers.support import environment, python

Array = np.ndarray[Any, Any]

pytestmark = [
    # Keras's own, when it saves the variables of TensorFlow.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    # Keras's own, of a maximum behind a mask.
    pytest.mark.filterwarnings("ignore:Layer 'max' .* was passed an input with a mask:UserWarning"),
]


def moved(array: Array, *, last: bool) -> Array:
    """Channels between their two places."""
    if array.ndim < 3:
        return array
    return np.moveaxis(array, 1, -1) if last else np.moveaxis(array, -1, 1)


# -------------------------------------------------------------------------------------------------- models of Keras


def functional() -> keras.Model:
    """Windows, adaptive bins and global pools, some in a nested model, after a padding, and in a Sequential."""
    inner = keras.Input((14, 13, 4))
    padded = kl.ZeroPadding2D(1, name="pad")(inner)
    block = keras.Model(inner, kl.MaxPooling2D(3, 2, name="pool")(padded), name="block")
    image = keras.Input((16, 15, 3))
    x = block(kl.Conv2D(4, 3, name="conv")(image))
    outputs = [
        kl.AveragePooling2D(3, 2, padding="same", name="same")(x),
        kl.MaxPool2D((2, 3), name="oblong")(x),
        kl.AdaptiveAveragePooling2D((2, 3), name="bins")(x),
        kl.GlobalAveragePooling2D(keepdims=True, name="kept")(x),
        kl.GlobalMaxPooling2D(name="flat")(x),
        keras.Sequential([kl.ReLU(), kl.AveragePooling2D(2, name="pool")], name="tail")(x),
        kl.GlobalAveragePooling1D(name="line")(kl.Reshape((-1, 4))(x)),
        keras.ops.mean(x, axis=(1, 2), keepdims=True),
        keras.ops.max(x, axis=-1),
    ]
    return keras.Model(image, outputs)


def at(model: Any, path: str) -> Any:
    """A layer by the names of the models around it and its own."""
    for name in path.split("/"):
        inside = model.layers if isinstance(model, keras.Sequential) else model.operations
        (model,) = [one for one in inside if one.name == name]
    return model


def padded(x: Array, row: Row) -> Array:
    """What the pool itself is given where its port pads."""
    return np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))) if row.padding is not None else x


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Path]:
    keras.utils.clear_session()  # so that the names of operations do not count those of other tests
    path = tmp_path_factory.mktemp("models") / "network.keras"
    model = functional()
    model.save(path)
    return model, path


NAMES = ["block/pool", "same", "oblong", "bins", "kept", "flat", "tail/pool", "line", "mean"]


def test_every_pooling_layer_of_a_model_is_found_and_ported(saved: tuple[keras.Model, Path]) -> None:
    model, path = saved
    ported = port_file(path, "torch")

    assert list(made(ported)) == NAMES
    for name, port in made(ported).items():
        own = at(model, name)
        shape = (2, *own.input.shape[1:])
        x = np.random.default_rng(0).standard_normal(shape).astype("float32")
        expected = np.asarray(own(padded(x, rows_of(ported)[name])))
        result = moved(port(torch.from_numpy(moved(x, last=False).copy())).numpy(), last=True)
        np.testing.assert_allclose(result, expected, rtol=0, atol=5e-7, err_msg=name)
        assert rows_of(ported)[name].shape == own.input.shape


@pytest.mark.parametrize("backend", ["keras", "tensorflow", "jax"])
def test_other_targets_give_the_same_numbers(saved: tuple[keras.Model, Path], backend: str) -> None:
    model, path = saved
    ported = port_file(path, backend)
    for name, port in made(ported).items():
        own = at(model, name)
        x = np.random.default_rng(0).standard_normal((2, *own.input.shape[1:])).astype("float32")
        given = torch.from_numpy(x) if backend == "torch" else keras.ops.convert_to_tensor(x)
        result = np.asarray(port(np.asarray(given) if backend == "jax" else given))
        expected = np.asarray(own(padded(x, rows_of(ported)[name])))
        np.testing.assert_allclose(result, expected, rtol=0, atol=5e-7, err_msg=name)


def test_the_report_says_what_each_layer_becomes(saved: tuple[keras.Model, Path]) -> None:
    rows = rows_of(port_file(saved[1], "torch"))

    assert (rows["kept"].after, rows["kept"].status) == ("nn.AdaptiveAvgPool2d(1)", "exact")
    assert rows["kept"].spec == PoolSpec("avg", output_size=1, layout="NHWC")
    assert rows["same"].after.startswith(
        'pk.layer(pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NCHW")'
    )
    assert "pads by the input's size" in rows["same"].note
    assert rows["block/pool"].after == "nn.Sequential(nn.ConstantPad2d(1, 0.0), nn.MaxPool2d(3, 2))"
    assert rows["block/pool"].note == "it pads with zeros as pad before it does: leave that out"
    assert (rows["max"].status, rows["max"].after) == ("left", "")
    assert "conv" not in rows


def test_channels_first_stays_first_for_pytorch_and_moves_for_keras(tmp_path: Path) -> None:
    image = keras.Input((3, 8, 9))
    model = keras.Model(image, kl.MaxPooling2D((2, 3), data_format="channels_first", name="pool")(image))
    model.save(tmp_path / "first.keras")

    rows = {to: port_file(tmp_path / "first.keras", to).rows[0] for to in ("torch", "keras")}
    assert (rows["torch"].after, rows["keras"].after) == (
        "nn.MaxPool2d((2, 3))",
        "keras.layers.MaxPooling2D((2, 3))",
    )
    assert rows["torch"].spec == PoolSpec("max", window=(2, 3), layout="NCHW")
    asked = port_file(tmp_path / "first.keras", "torch", "NHWC").rows[0]
    assert asked.after == 'pk.layer(pk.PoolSpec("max", window=(2, 3), layout="NHWC"), "torch")'
    assert port_file(tmp_path / "first.keras", "torch", "channels_last").rows[0].after == asked.after


def test_a_sequential_knows_the_shape_behind_layers_that_keep_it(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 9, 2)),
            kl.ReLU(),
            kl.MaxPooling2D(2, name="first"),
            kl.Dropout(0.5),
            kl.AvgPool2D(2, name="second"),
        ]
    )
    model.save(tmp_path / "sequential.keras")
    rows = rows_of(port_file(tmp_path / "sequential.keras", "torch"))

    assert {name: row.shape for name, row in rows.items()} == {"first": (None, 8, 9, 2), "second": (None, 4, 4, 2)}


def test_layers_behind_that_go_by_the_order_of_axes_are_named(tmp_path: Path) -> None:
    image = keras.Input((8, 8, 4))
    squeezed = kl.Reshape((1, 1, 4), name="unsqueeze")(kl.GlobalAveragePooling2D(name="squeeze")(image))
    windows = kl.Flatten(name="vector")(kl.MaxPooling2D(2, name="windows")(image))
    single = kl.Flatten()(kl.GlobalAveragePooling2D(keepdims=True, name="single")(image))
    keras.Model(image, [squeezed, windows, single]).save(tmp_path / "model.keras")
    rows = rows_of(port_file(tmp_path / "model.keras", "torch"))

    assert {name: row.note for name, row in rows.items()} == {
        "squeeze": "it does what Reshape unsqueeze behind it does, too: leave that out",
        "windows": "Flatten vector behind it counts axes in the order NHWC; write it for NCHW",
        "single": "",
    }
    assert all("counts axes" not in row.note for row in port_file(tmp_path / "model.keras", "jax").rows)


class Subclass(keras.Model):
    """A functional model in a class of the user's own."""


def test_a_functional_model_of_a_class_of_its_own_has_a_caveat(tmp_path: Path) -> None:
    image = keras.Input((8, 8, 4))
    Subclass(image, kl.MaxPooling2D(2, name="pool")(image), name="own").save(tmp_path / "model.keras")
    (row,) = port_file(tmp_path / "model.keras", "torch").rows

    assert (row.after, row.status) == ("nn.MaxPool2d(2)", "caveat")
    assert "Subclass is a class of the model's own" in row.note


def test_the_json_of_a_model_reads_as_its_archive_does(saved: tuple[keras.Model, Path], tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(saved[0].to_json())

    assert port_file(tmp_path / "network.json", "torch").rows == port_file(saved[1], "torch").rows


def test_masked_means_have_a_caveat(tmp_path: Path) -> None:
    words = keras.Input((7,))
    x = kl.Embedding(5, 4, mask_zero=True)(words)
    keras.Model(words, [kl.GlobalAveragePooling1D(name="mean")(x), kl.GlobalMaxPooling1D(name="max")(x)]).save(
        tmp_path / "masked.keras"
    )
    rows = rows_of(port_file(tmp_path / "masked.keras", "torch"))

    assert (rows["mean"].status, rows["max"].status) == ("caveat", "exact")
    assert "masked ones" in rows["mean"].note


def test_reading_an_archive_imports_no_framework(saved: tuple[keras.Model, Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from poolkit.port.files import port_file\n"
        f"rows = port_file(Path({str(saved[1])!r}), 'torch').rows\n"
        "print(len(rows), *sorted({'keras', 'torch', 'tensorflow', 'jax', 'numpy', 'onnx'} & set(sys.modules)))"
    )

    assert python(code) == "10\n"


# --------------------------------------------------------------------------------------------------------- the module


@pytest.mark.parametrize("backend", ["torch", "keras", "tensorflow", "jax"])
def test_the_module_is_formatted_and_its_imports_are_in_order(
    saved: tuple[keras.Model, Path], tmp_path: Path, backend: str
) -> None:
    text = port_file(saved[1], backend).text
    for options in (["format", "--check"], ["format", "--check", "--line-length=120"], ["check", "--select=E,F,I"]):
        command = [sys.executable, "-m", "ruff", *options, "--isolated", "-"]
        done = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("length", [20, 57, 58, 80, 120])
def test_long_names_leave_the_module_formatted(tmp_path: Path, length: int) -> None:
    gap = layer("GlobalAveragePooling2D", "g" * length, data_format="channels_last", keepdims=False)
    path = archive(tmp_path / "model.keras", gap, {**POOL, "config": {**POOL["config"], "name": "m" * length}})
    for backend in ("torch", "keras"):
        command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "-"]
        given = port_file(path, backend).text
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, given


def test_the_module_runs_by_itself(saved: tuple[keras.Model, Path], tmp_path: Path) -> None:
    (tmp_path / "ported.py").write_text(port_file(saved[1], "torch").text)
    done = subprocess.run(
        [sys.executable, "ported.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )

    assert "kept: AdaptiveAvgPool2d(output_size=1)" in done.stdout.splitlines()
    assert "network.keras" in (tmp_path / "ported.py").read_text().splitlines()[0]


def test_native_layers_alone_need_no_poolkit(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(config(POOL)))

    assert "import poolkit" not in port_file(tmp_path / "model.json", "torch").text
    assert made(port_file(tmp_path / "model.json", "torch"))["pool"].kernel_size == 2
