"""Model files: what is read from them, what it becomes, and what is refused."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import torch
from keras import layers as kl
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from poolkit import InputError, PoolSpec
from poolkit.porting import archive
from poolkit.porting.files import port_file
from poolkit.porting.report import Ported, Row
from tests.support import environment, python

Array = np.ndarray[Any, Any]

pytestmark = [
    # Keras's own, when it saves the variables of TensorFlow.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    # Keras's own, of a maximum behind a mask.
    pytest.mark.filterwarnings("ignore:Layer 'max' .* was passed an input with a mask:UserWarning"),
]


def made(ported: Ported) -> dict[str, Any]:
    """The layers of a ported module, which is run as it stands."""
    names: dict[str, Any] = {"__name__": "ported"}
    exec(compile(ported.text, "ported.py", "exec"), names)
    found: dict[str, Any] = names["layers"]()
    return found


def rows_of(ported: Ported) -> dict[str, Row]:
    return {row.where: row for row in ported.rows}


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


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Path]:
    path = tmp_path_factory.mktemp("models") / "network.keras"
    model = functional()
    model.save(path)
    return model, path


NAMES = ["block/pool", "same", "oblong", "bins", "kept", "flat", "tail/pool", "line", "mean"]


def test_every_pooling_layer_of_a_model_is_found_and_ported(saved: tuple[keras.Model, Path]) -> None:
    model, path = saved
    ported = port_file(path, "torch")

    assert list(made(ported)) == NAMES
    for name, layer in made(ported).items():
        own = at(model, name)
        shape = (2, *own.input.shape[1:])
        x = np.random.default_rng(0).standard_normal(shape).astype("float32")
        expected = np.asarray(own(x))
        result = moved(layer(torch.from_numpy(moved(x, last=False).copy())).numpy(), last=True)
        np.testing.assert_allclose(result, expected, rtol=0, atol=5e-7, err_msg=name)
        assert rows_of(ported)[name].shape == own.input.shape


@pytest.mark.parametrize("backend", ["keras", "tensorflow", "jax"])
def test_other_targets_give_the_same_numbers(saved: tuple[keras.Model, Path], backend: str) -> None:
    model, path = saved
    for name, layer in made(port_file(path, backend)).items():
        own = at(model, name)
        x = np.random.default_rng(0).standard_normal((2, *own.input.shape[1:])).astype("float32")
        given = torch.from_numpy(x) if backend == "torch" else keras.ops.convert_to_tensor(x)
        result = np.asarray(layer(np.asarray(given) if backend == "jax" else given))
        np.testing.assert_allclose(result, np.asarray(own(x)), rtol=0, atol=5e-7, err_msg=name)


def test_the_report_says_what_each_layer_becomes(saved: tuple[keras.Model, Path]) -> None:
    rows = rows_of(port_file(saved[1], "torch"))

    assert (rows["kept"].after, rows["kept"].status) == ("nn.AdaptiveAvgPool2d(1)", "exact")
    assert rows["kept"].spec == PoolSpec("avg", output_size=1, layout="NHWC")
    assert rows["same"].after.startswith(
        'pk.layer(pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NCHW")'
    )
    assert "pads by the input's size" in rows["same"].note
    assert "zeros of pad before it take part" in rows["block/pool"].note
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
        "squeeze": "Reshape unsqueeze behind it goes by NHWC; write it for NCHW",
        "windows": "Flatten vector behind it goes by NHWC; write it for NCHW",
        "single": "",
    }
    assert all("behind it" not in row.note for row in port_file(tmp_path / "model.keras", "jax").rows)


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

    assert rows["pool1_pool"].after == "nn.MaxPool2d(3, 2)"
    assert "zeros of pool1_pad" in rows["pool1_pool"].note
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


def test_reading_an_archive_imports_no_framework(saved: tuple[keras.Model, Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from poolkit.porting.files import port_file\n"
        f"rows = port_file(Path({str(saved[1])!r}), 'torch').rows\n"
        "print(len(rows), *sorted({'keras', 'torch', 'tensorflow', 'jax', 'numpy', 'onnx'} & set(sys.modules)))"
    )

    assert python(code) == "10\n"


# ------------------------------------------------------------------------------------------- what nobody can port here


def config(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


def layer(kind: str, name: str = "it", module: str | None = "keras.layers", **fields: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": {"name": name, **fields}, "registered_name": None}


POOL = layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2], padding="valid", data_format="channels_last")

UNPORTABLE = {
    "a Lambda": (layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}), "is not run"),
    "another package's layer": (layer("GeMPool", module="their.layers"), "no layer of Keras"),
    "a class of a known name elsewhere": (
        layer("MaxPooling2D", module="their.layers", pool_size=[2, 2]),
        "no layer of",
    ),
    "a registered class": ({**layer("Foo", module=None), "registered_name": "Custom>Foo"}, "no layer of Keras"),
    "a wrapped pool": (layer("TimeDistributed", "each", layer=layer("GlobalMaxPooling2D", "it")), "TimeDistributed"),
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


# -------------------------------------------------------------------------------------------------- unusable archives


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("_", "."), data)
    return path


GOOD = json.dumps(config(POOL)).encode()


def bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file,
        file.open("config.json", "w") as member,
    ):
        for _ in range(archive.LARGEST // 2**20 + 1):
            member.write(b" " * 2**20)
    assert path.stat().st_size < 50_000


def lying_bomb(path: Path) -> None:
    """A bomb whose headers say that it unpacks to a hundred bytes."""
    bomb(path)
    data = bytearray(path.read_bytes())
    said = struct.pack("<I", archive.LARGEST + 2**20)
    central = data.rindex(b"PK\x01\x02")
    assert data[central + 24 : central + 28] == said
    data[central + 24 : central + 28] = struct.pack("<I", 100)
    path.write_bytes(data)


def truncated(path: Path) -> None:
    packed(path, config_json=GOOD * 50)
    path.write_bytes(path.read_bytes()[:-40])


def damaged(path: Path) -> None:
    """A byte of the packed config is another one."""
    packed(path, config_json=GOOD)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)


def encrypted(path: Path) -> None:
    packed(path, config_json=GOOD)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


def packed_by_lzma(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("config.json", GOOD)


UNUSABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no zip": (lambda path: path.write_bytes(b"no zip at all"), "whole zip archive"),
    "empty": (lambda path: path.write_bytes(b""), "whole zip archive"),
    "truncated": (truncated, "whole zip archive"),
    "damaged": (damaged, "whole zip archive"),
    "a bomb": (bomb, "unpacks to more than"),
    "a bomb that lies": (lying_bomb, "whole zip archive"),
    "encrypted": (encrypted, "encrypted"),
    "packed otherwise": (packed_by_lzma, "packed as Keras packs none"),
    "without a config": (lambda path: packed(path, metadata_json=b"{}"), "no config.json"),
    "no JSON": (lambda path: packed(path, config_json=b"{'a': 1}"), "is no JSON"),
    "no text": (lambda path: packed(path, config_json=b"\xff\xfe\xfa"), "is no JSON"),
    "a list": (lambda path: packed(path, config_json=b"[1, 2]"), "a JSON list"),
    "no model": (lambda path: packed(path, config_json=b'{"a": 1}'), "class_name and config"),
    "nested lists": (lambda path: packed(path, config_json=b"[" * 200_000), "nested too deeply"),
    "a huge number": (lambda path: packed(path, config_json=b'{"a": 1' + b"0" * 9000 + b"}"), "is no JSON"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_archives_are_refused(tmp_path: Path, name: str) -> None:
    make, message = UNUSABLE[name]
    make(tmp_path / "model.keras")

    with pytest.raises(InputError, match=message):
        port_file(tmp_path / "model.keras", "torch")


def test_models_nested_without_end_are_refused(tmp_path: Path) -> None:
    nested: dict[str, Any] = POOL
    for _ in range(150):
        nested = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [nested]}}
    (tmp_path / "deep.json").write_text(json.dumps(nested))
    assert port_file(tmp_path / "deep.json", "torch").rows[0].after == "nn.MaxPool2d(2)"

    head, tail = '{"class_name": "Sequential", "config": {"layers": [', "]}}"
    (tmp_path / "deeper.json").write_text(head * 600 + json.dumps(POOL) + tail * 600)
    with pytest.raises(InputError, match="nested too deeply"):
        port_file(tmp_path / "deeper.json", "torch")


@pytest.mark.parametrize(
    ("name", "message"),
    [("model.h5", "no HDF5"), ("model.pth", "pickle"), ("model.txt", "ending"), ("model.keras", "cannot be read")],
)
def test_other_files_are_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        port_file(tmp_path / name, "torch")


def test_hdf5_under_the_name_of_an_archive_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match="no HDF5"):
        port_file(tmp_path / "model.keras", "torch")


def test_two_layers_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(config(POOL, POOL)))
    with pytest.raises(InputError, match="two of its layers are called pool"):
        port_file(tmp_path / "model.json", "torch")


# ---------------------------------------------------------------------------------------------------------------- ONNX


def node(operator: str, *inputs: str, name: str = "", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, ["x", *inputs], [f"{name or operator}_out"], name=name, **attributes)


def onnx_file(
    path: Path, *nodes: onnx.NodeProto, shape: tuple[int | str, ...] = ("n", 3, 9, 8), axes: Any = ()
) -> Path:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    outputs = [helper.make_tensor_value_info(one.output[0], TensorProto.FLOAT, None) for one in nodes]
    initializers = [helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)] if axes else []
    graph = helper.make_graph(nodes, "graph", [x], outputs, initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def test_onnx_nodes_are_found_and_ported(tmp_path: Path) -> None:
    path = onnx_file(
        tmp_path / "model.onnx",
        node("AveragePool", name="avg", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1),
        node("AveragePool", name="real", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
        node("MaxPool", name="uneven", kernel_shape=[2, 3], pads=[0, 1, 1, 1]),
        node("MaxPool", name="dilated", kernel_shape=[2, 3], dilations=[2, 1]),
        node("GlobalAveragePool"),
        node("GlobalMaxPool", name="top"),
        node("ReduceMean", "axes", name="mean", keepdims=0),
        node("ReduceMax", "elsewhere", name="unknown"),
        node("LpPool", name="norm", kernel_shape=[2, 2]),
        axes=[-1, -2],
    )
    ported = port_file(path, "torch")
    rows = rows_of(ported)

    assert rows["avg"].after == "nn.AvgPool2d(3, 2, padding=1)"
    assert rows["real"].after == "nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False)"
    assert rows["uneven"].after.startswith("pk.layer(")
    assert rows["GlobalAveragePool_out"].after == "nn.AdaptiveAvgPool2d(1)"
    assert rows["mean"].after == "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())"
    assert {name for name, row in rows.items() if row.status == "failed"} == {"unknown", "norm"}
    assert {row.shape for row in ported.rows} == {(None, 3, 9, 8)}
    evaluator = ReferenceEvaluator(
        str(onnx_file(tmp_path / "one.onnx", node("MaxPool", name="uneven", kernel_shape=[2, 3], pads=[0, 1, 1, 1])))
    )
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 8)).astype("float32")
    np.testing.assert_array_equal(made(ported)["uneven"](torch.from_numpy(x)).numpy(), evaluator.run(None, {"x": x})[0])


@pytest.mark.parametrize(
    ("shape", "axes", "layout"),
    [
        (("n", 3, 9, 8), [2, 3], "NCHW"),
        (("n", 9, 8, 3), [1, 2], "NHWC"),
        (("n", 3, 9, 8, 7), [2, 3, 4], "NCDHW"),
        (("n", 3, 9), [2], "NCL"),
        (("n", 3, 9, 8), [1], None),
        (("n", 3, 9, 8), [3], None),
        (("n", 3, 9, 8, 7), [2, 3], None),
        (("n", 3, 9, 8), [0, 1, 2, 3], None),
    ],
)
def test_a_reduction_pools_where_it_takes_all_spatial_axes(
    tmp_path: Path, shape: tuple[int | str, ...], axes: list[int], layout: str | None
) -> None:
    (row,) = port_file(
        onnx_file(tmp_path / "model.onnx", node("ReduceMean", "axes"), shape=shape, axes=axes), None
    ).rows

    assert row.status == ("left" if layout is None else "exact")
    assert (row.spec.layout if row.spec is not None else None) == layout


def test_nodes_in_branches_are_found(tmp_path: Path) -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y"], name="pool", kernel_shape=[2, 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, ())
    branches = {name: helper.make_graph([pool], name, [], [y]) for name in ("then_branch", "else_branch")}
    pool.name = "other"
    branches["else_branch"] = helper.make_graph([pool], "else_branch", [], [y])
    whole = helper.make_graph([helper.make_node("If", ["flag"], ["z"], name="if", **branches)], "g", [x, flag], [])
    onnx.save(helper.make_model(whole), tmp_path / "model.onnx")

    assert sorted(rows_of(port_file(tmp_path / "model.onnx", "torch"))) == ["if/other", "if/pool"]


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.pool = torch.nn.MaxPool2d(3, 2, padding=1)
        self.ceil = torch.nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.ceil(self.pool(self.conv(x))).mean((2, 3))


def test_what_pytorch_exports_comes_back(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter is deprecated; its successor needs another package
        torch.onnx.export(Network(), (torch.zeros(1, 3, 21, 21),), str(tmp_path / "model.onnx"), dynamo=False)
    rows = port_file(tmp_path / "model.onnx", "torch").rows

    assert [(row.after, row.shape) for row in rows] == [
        ("nn.MaxPool2d(3, 2, padding=1)", (1, 4, 19, 19)),
        ("nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)", (1, 4, 10, 10)),
        ("nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())", (1, 4, 6, 6)),
    ]


@pytest.mark.parametrize("data", [b"", b"no model", b"\x08\x07\x12"])
def test_unusable_onnx_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    with pytest.raises(InputError, match="export"):
        port_file(tmp_path / "model.onnx", "torch")


def test_a_cut_onnx_file_is_refused(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx", node("GlobalMaxPool"))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cut one"):
        port_file(path, "torch")


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
