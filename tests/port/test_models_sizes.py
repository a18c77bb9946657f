"""What a model file knows of sizes, and what stands around its pools: paddings, reshapes, programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl

from poolkit import InputError
from poolkit.port.files import port_file
from poolkit.port.report import Ported
from tests.helpers.networks import pspnet
from tests.helpers.portmodels import POOL, config, layer, made, rows_of, run

Config = dict[str, Any]


def json_of(path: Path, model: keras.Model) -> Path:
    """The model's config, whose saving needs no weights."""
    path.write_text(model.to_json())
    return path


def ported(path: Path, outputs: Any, image: Any, to: str = "torch", **options: Any) -> Ported:
    return port_file(json_of(path / "model.json", keras.Model(image, outputs)), to, **options)


# ------------------------------------------------------------------------------------------------------------- sizes


def test_a_pyramid_has_the_windows_of_its_map_and_a_word_on_its_size(tmp_path: Path) -> None:
    rows = port_file(json_of(tmp_path / "model.json", pspnet()), "torch").rows

    assert [row.after for row in rows[1:]] == [f"nn.AvgPool2d({n})" for n in (60, 30, 20, 10)]
    for row, bins in zip(rows[1:], (1, 2, 3, 6), strict=True):
        assert row.shape == (None, 60, 60, 16)
        told = (
            f"windows are those of maps of 60x60, of which it makes {bins}x{bins}; a map of another size needs others"
        )
        assert told in row.note


@pytest.mark.parametrize(
    ("pool", "size", "told"),
    [
        (kl.AveragePooling2D(7), (7, 7), "maps of 7x7, of which it makes 1x1"),
        (kl.MaxPooling2D((4, 8)), (16, 16), "maps of 16x16, of which it makes 4x2"),
        (kl.MaxPooling2D(2), (16, 16), ""),
        (kl.AveragePooling2D(4), (64, 64), ""),
        (kl.AveragePooling2D(4), (17, 16), ""),
        (kl.AveragePooling2D(4, 2), (16, 16), ""),
        (kl.AveragePooling2D(4), (None, None), ""),
        (kl.AveragePooling2D(4, padding="same"), (16, 16), ""),
        (kl.GlobalAveragePooling2D(), (16, 16), ""),
    ],
)
def test_windows_that_go_by_a_size_are_told_from_others(tmp_path: Path, pool: Any, size: Any, told: str) -> None:
    image = keras.Input((*size, 3))
    [row] = ported(tmp_path, pool(image), image).rows

    assert (told in row.note) if told else ("windows are those" not in row.note)


def without_shapes(found: Any) -> Any:
    """A config as Keras 1 and 2 wrote it, where the inputs alone have a shape."""
    if isinstance(found, list):
        return [without_shapes(one) for one in found]
    told = ("build_config", "build_input_shape", "shape")
    return {k: without_shapes(v) for k, v in found.items() if k not in told} if isinstance(found, dict) else found


def through_every_layer() -> keras.Model:
    """A model with a pool behind each kind of layer whose shape follows from its config."""
    image = keras.Input((33, 30, 3))
    x = kl.ReLU()(kl.BatchNormalization()(kl.Conv2D(8, 3, 2, "same")(image)))
    y = kl.SeparableConv2D(8, (3, 5), dilation_rate=2)(kl.DepthwiseConv2D(3, depth_multiplier=2)(x))
    y = kl.Cropping2D((1, 2))(kl.UpSampling2D((2, 3))(kl.ZeroPadding2D(((1, 0), (2, 3)))(y)))
    z = kl.Concatenate()([kl.Resizing(9, 8)(y), kl.Resizing(9, 8)(x)])
    z = kl.Reshape((9, -1, 4))(kl.Dense(8)(kl.Add()([z, kl.Multiply()([z, kl.GlobalMaxPooling2D(keepdims=True)(z)])])))
    steps = kl.Conv1D(6, 3, padding="causal")(
        kl.ZeroPadding1D((1, 2))(kl.Reshape((20, 3))(kl.Dense(60)(kl.Flatten()(z))))
    )
    return keras.Model(image, [kl.MaxPooling2D(2)(one) for one in (x, y, z)] + [kl.AveragePooling1D(2)(steps)])


def test_sizes_that_the_file_leaves_out_follow_from_its_layers(tmp_path: Path) -> None:
    model = through_every_layer()
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(without_shapes(json.loads(model.to_json()))))
    found = {row.where: row.shape for row in port_file(bare, "torch").rows}

    assert found == {row.where: row.shape for row in port_file(json_of(tmp_path / "model.json", model), "torch").rows}
    assert [len(shape or ()) for shape in found.values()] == [4, 4, 4, 4, 3]


def test_sizes_of_a_sequential_go_on_behind_its_convolutions(tmp_path: Path) -> None:
    layers = [keras.Input((32, 32, 3)), kl.Conv2D(4, 3), kl.MaxPooling2D(2), kl.Conv2D(4, 3, 2), kl.AveragePooling2D(7)]
    rows = port_file(json_of(tmp_path / "model.json", keras.Sequential(layers)), "torch").rows

    assert [row.shape for row in rows] == [(None, 30, 30, 4), (None, 7, 7, 4)]


@pytest.mark.parametrize("size", [10**400, -3, "2", [2, "2"], [2, 2, 2], None, {}])
def test_a_size_that_is_none_leaves_the_shape_open(tmp_path: Path, size: Any) -> None:
    image = layer("InputLayer", "image", batch_shape=[None, 2**30, 8, 3])
    (tmp_path / "model.json").write_text(json.dumps(config(image, layer("UpSampling2D", size=size), POOL)))
    (row,) = port_file(tmp_path / "model.json", "torch").rows

    assert row.shape is None


# --------------------------------------------------------------------------------------------------- zeros before it


@pytest.mark.parametrize("padding", [1, (2, 0), ((1, 2), (0, 3))])
@pytest.mark.parametrize("to", ["torch", "keras"])
def test_zeros_before_a_maximum_go_along(tmp_path: Path, padding: Any, to: str) -> None:
    image = keras.Input((9, 8, 3))
    model = keras.Model(image, kl.MaxPooling2D(3, 2, name="pool")(kl.ZeroPadding2D(padding, name="zeros")(image)))
    x = -np.random.default_rng(0).random((2, 9, 8, 3), "float32") - 1
    port = made(port_file(json_of(tmp_path / "model.json", model), to))["pool"]
    given = torch.from_numpy(x).permute(0, 3, 1, 2) if to == "torch" else keras.ops.convert_to_tensor(x)
    found = np.asarray(keras.ops.convert_to_numpy(port(given))) if to == "keras" else port(given).permute(0, 2, 3, 1)

    expected = np.asarray(keras.ops.convert_to_numpy(model(x)))
    np.testing.assert_array_equal(np.asarray(found), expected)
    assert (expected == 0).any()  # the zeros are larger than all that is there


@pytest.mark.parametrize(("to", "layout"), [("tensorflow", None), ("jax", None), ("torch", "NHWC"), ("keras", "NCHW")])
def test_where_they_cannot_they_are_told(tmp_path: Path, to: str, layout: str | None) -> None:
    image = keras.Input((9, 8, 3))
    outputs = kl.MaxPooling2D(3, 2)(kl.ZeroPadding2D(1, name="zeros")(image))
    [row] = ported(tmp_path, outputs, image, to, layout=layout).rows

    assert row.padding is None
    assert "the zeros of zeros before it take part" in row.note


def test_zeros_around_other_axes_are_told(tmp_path: Path) -> None:
    image = keras.Input((9, 8, 6))
    zeros = kl.ZeroPadding2D(1, name="zeros", data_format="channels_first")
    [row] = ported(tmp_path, kl.MaxPooling2D(3, 2)(zeros(image)), image).rows

    assert (row.after, row.padding) == ("nn.MaxPool2d(3, 2)", None)
    assert "the zeros of zeros before it take part" in row.note


def test_zeros_before_an_average_are_told(tmp_path: Path) -> None:
    image = keras.Input((9, 8, 3))
    [row] = ported(tmp_path, kl.AveragePooling2D(3)(kl.ZeroPadding2D(1, name="zeros")(image)), image).rows

    assert (row.after, row.padding) == ("nn.AvgPool2d(3)", None)
    assert "the zeros of zeros before it take part" in row.note


def test_a_padding_of_another_kind_is_told(tmp_path: Path) -> None:
    zeros = layer("ZeroPadding2D", "zeros", padding=[[1, "a"], {}])
    (tmp_path / "model.json").write_text(json.dumps(config(zeros, POOL)))
    [row] = port_file(tmp_path / "model.json", "torch").rows

    assert (row.after, row.padding) == ("nn.MaxPool2d(2)", None)


# ------------------------------------------------------------------------------------------------- a reshape behind it


@pytest.mark.parametrize("to", ["torch", "keras", "tensorflow", "jax"])
@pytest.mark.parametrize("shape", [(1, 1, 4), (1, 1, -1)])
def test_a_global_pool_folds_with_the_reshape_behind_it(tmp_path: Path, to: str, shape: tuple[int, ...]) -> None:
    image = keras.Input((9, 8, 4))
    squeeze = kl.GlobalAveragePooling2D(name="squeeze")
    outputs = kl.Conv2D(2, 1)(kl.Reshape(shape, name="unsqueeze")(squeeze(image)))
    found = ported(tmp_path, outputs, image, to)
    [row] = found.rows
    x = np.random.default_rng(0).random((2, 9, 8, 4), "float32")
    given = torch.from_numpy(x).permute(0, 3, 1, 2) if to == "torch" else x
    given = keras.ops.convert_to_tensor(x) if to in ("keras", "tensorflow") else given
    kept = made(found)["squeeze"](given)

    assert "it does what Reshape unsqueeze behind it does, too: leave that out" in row.note
    assert "unsqueeze" in found.text
    axes = (2, 3) if to == "torch" else (1, 2)
    np.testing.assert_allclose(np.asarray(kept), np.asarray(given).mean(axes, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: kl.Reshape((2, 2))(x),
        lambda x: [kl.Reshape((1, 1, 4))(x), kl.Dense(2)(x)],
        lambda x: kl.Reshape((4, 1, 1))(x),
        lambda x: kl.Dense(2)(x),
    ],
)
def test_other_uses_leave_the_pool_as_it_is(tmp_path: Path, use: Any) -> None:
    image = keras.Input((9, 8, 4))
    [row] = ported(tmp_path, use(kl.GlobalAveragePooling2D()(image)), image).rows

    assert row.after == "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())"
    assert "leave that out" not in row.note


def test_check_runs_what_is_folded_and_what_is_padded(tmp_path: Path) -> None:
    image = keras.Input((9, 8, 4))
    x = kl.MaxPooling2D(3, 2)(kl.ZeroPadding2D(1)(image))
    model = keras.Model(image, kl.Reshape((1, 1, 4))(kl.GlobalMaxPooling2D()(x)))
    done = run(
        json_of(tmp_path / "model.json", model), "--to", "torch", "--check", "--json", "--output", tmp_path / "o.py"
    )
    rows = json.loads(done.stdout)["rows"]

    assert [row["check"]["agrees"] for row in rows] == [True, True]


# ------------------------------------------------------------------------------------------------------ what is no pool


@pytest.mark.parametrize(
    ("function", "shape", "status"),
    [
        (lambda x: keras.ops.image.resize(x, (60, 60)), (60, 60, 4), "left"),
        (lambda x: keras.ops.repeat(x, 2, 1), (18, 8, 4), "left"),
        (lambda x: x[:, :3], (3, 8, 4), "failed"),
        (lambda x: x * 2, (9, 8, 4), "failed"),
        (lambda x: keras.ops.concatenate([x[:, :3], x], -1)[:, :3], (3, 8, 8), "failed"),
    ],
)
def test_a_program_is_told_by_its_shapes(tmp_path: Path, function: Any, shape: Any, status: str) -> None:
    image = keras.Input((9, 8, 4))
    program = kl.Lambda(function, output_shape=shape, name="program")(image)
    rows = rows_of(ported(tmp_path, kl.ReLU()(program), image))

    assert rows["program"].status == status
    if status == "left":
        assert "so that it resizes, and does not pool" in rows["program"].note


def test_the_last_layer_of_a_model_is_told_by_the_shape_that_it_says(tmp_path: Path) -> None:
    image = keras.Input((9, 8, 4))
    program = kl.Lambda(lambda x: keras.ops.repeat(x, 2, 1), output_shape=(18, 8, 4), name="program")(image)

    assert rows_of(ported(tmp_path, program, image))["program"].status == "left"


def test_the_summary_says_how_much_of_a_model_is_pools(tmp_path: Path) -> None:
    done = run(json_of(tmp_path / "model.json", pspnet()), "--to", "torch", "--output", tmp_path / "out.py")

    assert done.exit_code == 0
    assert "pools only: 5 of 31 layers" in done.stderr


# ----------------------------------------------------------------------------------------------------------- bad input


def broken(path: Path, name: str) -> Path:
    image = keras.Input((9, 8, 4), name="image")
    x = kl.MaxPooling2D(2, name="first")(image)
    model = json.loads(keras.Model(image, kl.ReLU(name="second")(x)).to_json())
    first = next(one for one in model["config"]["layers"] if one["config"]["name"] == "first")
    first["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = name
    path.write_text(json.dumps(model))
    return path


@pytest.mark.parametrize(
    ("name", "message"), [("second", "layers .* go round in a circle"), ("gone", "first takes what gone gives")]
)
def test_a_graph_that_cannot_be_ends_with_exit_code_2(tmp_path: Path, name: str, message: str) -> None:
    path = broken(tmp_path / "model.json", name)
    with pytest.raises(InputError, match=message):
        port_file(path, "torch")
    done = run(path, "--to", "torch", "--output", tmp_path / "out.py")
    assert (done.exit_code, (tmp_path / "out.py").exists()) == (2, False)


def test_a_circle_of_twenty_thousand_layers_ends(tmp_path: Path) -> None:
    def one(n: int, to: int) -> Config:
        return {"class_name": "ReLU", "name": f"r{n}", "config": {}, "inbound_nodes": [[[f"r{to}", 0, 0, {}]]]}

    layers = [one(n, n - 1 if n else 19_999) for n in range(20_000)]
    (tmp_path / "model.json").write_text(json.dumps({"class_name": "Model", "config": {"layers": layers}}))
    with pytest.raises(InputError, match="go round in a circle"):
        port_file(tmp_path / "model.json", "torch")
