"""Configs of older versions of Keras, and layers that nobody can port: each has a row that says why."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

from poolkit.port.files import port_file
from tests.helpers.portmodels import POOL, config, layer, made, rows_of

KERAS_2 = {
    "class_name": "Functional",
    "keras_version": "2.4.0",
    "backend": "tensorflow",
    "config": {
        "name": "model",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 32, 32, 3], "name": "input_1"},
                "name": "input_1",
                "inbound_nodes": [],
            },
            {
                "class_name": "ZeroPadding2D",
                "config": {"name": "pool1_pad", "padding": [[1, 1], [1, 1]], "data_format": "channels_last"},
                "name": "pool1_pad",
                "inbound_nodes": [[["input_1", 0, 0, {}]]],
            },
            {
                "class_name": "MaxPooling2D",
                "config": {
                    "name": "pool1_pool",
                    "pool_size": [3, 3],
                    "padding": "valid",
                    "strides": [2, 2],
                    "data_format": "channels_last",
                },
                "name": "pool1_pool",
                "inbound_nodes": [[["pool1_pad", 0, 0, {}]]],
            },
            {
                "class_name": "TFOpLambda",
                "config": {"name": "tf.math.reduce_mean", "function": "math.reduce_mean"},
                "name": "tf.math.reduce_mean",
                "inbound_nodes": [["pool1_pool", 0, 0, {"axis": [1, 2], "keepdims": True}]],
            },
            {
                "class_name": "SpatialPyramid",
                "config": {"name": "pyramid", "bins": [1, 2, 4]},
                "name": "pyramid",
                "inbound_nodes": [[["pool1_pool", 0, 0, {}]]],
            },
        ],
    },
}


def test_keras_2_configs_are_read(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(KERAS_2))
    rows = rows_of(port_file(tmp_path / "old.json", "torch"))

    assert rows["pool1_pool"].after == "nn.Sequential(nn.ConstantPad2d(1, 0.0), nn.MaxPool2d(3, 2))"
    assert rows["pool1_pool"].note == "it pads with zeros as pool1_pad before it does: leave that out"
    assert rows["tf.math.reduce_mean"].after == "nn.AdaptiveAvgPool2d(1)"
    assert rows["pyramid"].status == "failed"
    assert list(rows) == ["pool1_pool", "tf.math.reduce_mean", "pyramid"]


def test_keras_1_sequentials_are_read(tmp_path: Path) -> None:
    pool = {
        "class_name": "MaxPooling2D",
        "config": {"name": "pool", "pool_size": [2, 2], "data_format": "channels_last"},
    }
    (tmp_path / "older.json").write_text(json.dumps({"class_name": "Sequential", "config": {"layers": [pool]}}))

    assert port_file(tmp_path / "older.json", "torch").rows[0].after == "nn.MaxPool2d(2)"


@pytest.mark.parametrize("ending", ["json", "h5"])
def test_sequentials_whose_config_is_a_list_are_read(tmp_path: Path, ending: str) -> None:
    pool = {**POOL, "config": {**POOL["config"], "batch_input_shape": [None, 8, 6, 3]}}
    text, path = json.dumps({"class_name": "Sequential", "config": [pool]}), tmp_path / f"older.{ending}"
    if ending == "json":
        path.write_text(text)
    else:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = text
    (found,) = port_file(path, "torch").rows

    assert (found.where, found.after, found.shape) == ("pool", "nn.MaxPool2d(2)", (None, 8, 6, 3))


UNPORTABLE = {
    "a Lambda": (layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}), "is not run"),
    "another package's layer": (layer("GeMPool", module="their.layers"), "no layer of Keras"),
    "a class of a known name elsewhere": (
        layer("MaxPooling2D", module="their.layers", pool_size=[2, 2]),
        "no layer of",
    ),
    "a pool that Keras has not": (layer("SuperPooling2D"), "no pooling of Keras that poolkit knows"),
    "a class with a list of its own": (layer("Tower", module="their.layers", layers=[64, 32]), "no layer of Keras"),
    "a registered class": ({**layer("Foo", module=None), "registered_name": "Custom>Foo"}, "no layer of Keras"),
    "a wrapped pool": (layer("Bidirectional", "each", layer=layer("GlobalMaxPooling2D", "it")), "Bidirectional"),
    "a size that is a word": (layer("MaxPooling2D", pool_size="two", data_format="channels_last"), "window"),
    "a size of zero": (layer("MaxPooling2D", pool_size=[0, 0], data_format="channels_last"), "window"),
    "a size of nested lists": (layer("MaxPooling2D", pool_size=[[2], {}], data_format="channels_last"), "window"),
    "an unknown padding": (layer("MaxPooling2D", padding="reflect", data_format="channels_last"), "padding"),
    "an unknown argument": (layer("MaxPooling2D", pool_size=2, dilation=2, data_format="channels_last"), "dilation"),
}


@pytest.mark.parametrize("name", UNPORTABLE)
def test_what_cannot_be_ported_has_a_row_that_says_why(tmp_path: Path, name: str) -> None:
    given, reason = UNPORTABLE[name]
    (tmp_path / "model.json").write_text(json.dumps(config(given, POOL)))
    ported = port_file(tmp_path / "model.json", "torch")
    failed, pool = ported.rows

    assert (failed.status, failed.after, ported.complete) == ("failed", "", False)
    assert reason in failed.note
    assert failed.where.split("/")[-1] == "it"
    assert pool.after == "nn.MaxPool2d(2)"
    assert list(made(ported)) == ["pool"]


def test_a_model_of_a_class_of_its_own_is_one_layer_that_cannot_be_ported(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(layer("Net", module=None)))

    assert [row.status for row in port_file(tmp_path / "model.json", "torch").rows] == ["failed"]


HOSTILE = 'it"""\n        }; import os; os.abort()  # \\'


def test_names_from_a_file_never_become_code(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(
        json.dumps(config({**POOL, "config": {**POOL["config"], "name": HOSTILE}}, layer("Lambda", HOSTILE + "2")))
    )

    assert list(made(port_file(path, "torch"))) == [HOSTILE]
