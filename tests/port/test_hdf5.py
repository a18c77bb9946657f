"""The config inside an HDF5 file of Keras: read as data, of whatever version wrote it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers as kl

from poolkit import InputError
from poolkit.errors import BackendError
from poolkit.port.files import port_file
from tests.helpers.portmodels import POOL, config, run

# Keras's own, when it saves the variables of TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def hdf5(path: Path, value: Any) -> Path:
    """A file that says this of its model."""
    with h5py.File(path, "w") as file:
        if value is not None:
            file.attrs["model_config"] = value
    return path


@pytest.mark.parametrize("ending", ["h5", "hdf5", "keras"])
def test_what_keras_saves_reads_as_its_json_does(tmp_path: Path, ending: str) -> None:
    image = keras.Input((8, 9, 4))
    model = keras.Model(image, kl.GlobalAveragePooling2D(keepdims=True)(kl.AveragePooling2D(3, 1, "same")(image)))
    (tmp_path / "model.json").write_text(model.to_json())
    model.save(tmp_path / "saved.h5")
    path = (tmp_path / "saved.h5").rename(tmp_path / f"model.{ending}")

    rows = port_file(path, "torch").rows
    assert [row.after for row in rows] == [
        "nn.AvgPool2d(3, 1, padding=1, count_include_pad=False)",
        "nn.AdaptiveAvgPool2d(1)",
    ]
    assert rows == port_file(tmp_path / "model.json", "torch").rows


@pytest.mark.parametrize("kind", [str, str.encode, np.bytes_])
def test_texts_of_every_kind_are_read(tmp_path: Path, kind: Any) -> None:
    path = hdf5(tmp_path / "model.h5", kind(json.dumps(config(POOL))))

    assert [row.after for row in port_file(path, "torch").rows] == ["nn.MaxPool2d(2)"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "has no model_config, as a file of weights alone"),
        (np.zeros(3), "has no model_config"),
        ("not JSON", "model_config of .* is no JSON"),
        ("[1, 2]", "is a JSON list"),
        ('{"a": 1}', "class_name and config"),
        ("[" * 100_000, "nested deeper than 500"),
    ],
)
def test_what_holds_no_model_is_refused(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        port_file(hdf5(tmp_path / "model.h5", value), "torch")


def test_weights_alone_end_with_exit_code_2_and_nothing_written(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((3,)), kl.Dense(2)]).save_weights(tmp_path / "model.weights.h5")

    done = run(tmp_path / "model.weights.h5", "--to", "torch", "--output", tmp_path / "out.py")
    assert (done.exit_code, (tmp_path / "out.py").exists()) == (2, False)
    assert "weights alone" in done.output


@pytest.mark.parametrize("cut", [0, 100, -100])
def test_cut_files_are_refused(tmp_path: Path, cut: int) -> None:
    path = hdf5(tmp_path / "model.h5", json.dumps(config(POOL)))
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(InputError, match="no whole HDF5 file"):
        port_file(path, "torch")


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    """HDF5's own code may end the process that reads; that is another than this one."""
    good = hdf5(tmp_path / "model.h5", json.dumps(config(POOL))).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(8):
        data = bytearray(good)
        for at in rng.integers(8, len(data), 20):
            data[at] = rng.integers(256)
        (tmp_path / "model.h5").write_bytes(bytes(data))
        with contextlib.suppress(InputError):
            port_file(tmp_path / "model.h5", "torch")


def test_without_h5py_its_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BackendError, match="pip install h5py"):
        port_file(hdf5(tmp_path / "model.h5", "{}"), "torch")
