"""The tool that examples/keras_to_torch.py is: whole networks of Keras in PyTorch, and what it says of bad files."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import torch
from keras import layers as kl

from examples.keras_to_torch import network
from poolkit.errors import InputError
from tests.helpers import networks
from tests.helpers.support import ROOT, environment

pytestmark = [
    # Keras's own, when it saves the variables of TensorFlow.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]

Config = dict[str, Any]

TOLERANCE = 1e-5  # of the largest logit


@pytest.mark.parametrize("name", networks.BY_HAND)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_networks_built_by_hand_have_the_logits_of_keras(tmp_path: Path, name: str, ending: str) -> None:
    model = networks.trained(networks.BY_HAND[name])
    assert networks.difference(model, tmp_path / f"model.{ending}") < TOLERANCE


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV3Small"])
def test_some_networks_of_keras_applications_have_its_logits(tmp_path: Path, name: str) -> None:
    model = networks.trained(lambda: networks.application(name))
    assert networks.difference(model, tmp_path / "model.keras") < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", networks.applications())
def test_all_networks_of_keras_applications_have_its_logits(tmp_path: Path, name: str) -> None:
    keras.utils.clear_session()
    model = networks.trained(lambda: networks.application(name))
    assert networks.difference(model, tmp_path / "model.keras") < TOLERANCE


def test_there_are_forty_of_them() -> None:
    assert len(networks.applications()) == 40


# ------------------------------------------------------------------------------------------------ what it is made of


def small() -> keras.Model:
    image = keras.Input((9, 8, 3))
    x = kl.Conv2D(4, 3, strides=2, padding="same", name="conv")(image)
    x = kl.BatchNormalization(name="half")(x)  # a method of every module
    x = kl.AveragePooling2D(3, 1, "same", name="pool")(x)
    return keras.Model(image, kl.Dense(2, name="head")(kl.GlobalAveragePooling2D(name="mean")(x)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    networks.trained(small).save(tmp_path / "small.keras")
    return tmp_path / "small.keras"


def test_parameters_have_the_names_of_layers(saved: Path) -> None:
    net = network(saved)
    state = net.state_dict()

    assert {name.split(".")[0] for name in state} == {"conv", "half_", "head"}
    assert tuple(state["conv.weight"].shape) == (4, 3, 3, 3)
    assert str(net.get_submodule("pool")).startswith("AvgPool2d(kernel_size=3, stride=1")
    assert not net.training
    other = network(saved)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(state)
    x = torch.randn(1, 3, 9, 8)
    torch.testing.assert_close(other(x), net(x), rtol=0, atol=0)


def test_it_can_be_trained_and_exported(saved: Path) -> None:
    net, x = network(saved), torch.randn(2, 3, 9, 8)
    net(x).sum().backward()
    assert all(one.grad is not None for one in net.parameters())
    torch.testing.assert_close(torch.export.export(net, (x,)).module()(x), net(x))


def test_the_command_writes_a_state_dict_and_keras_is_not_imported(saved: Path, tmp_path: Path) -> None:
    code = "import sys; from examples import keras_to_torch as tool; tool.main(); print('keras' in sys.modules)"
    command = [sys.executable, "-c", code, str(saved), "--output", str(tmp_path / "weights.pt")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["130 parameters in 6 layers", "False"]
    net = network(saved)
    net.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))


def test_a_json_takes_the_weights_of_another_file(saved: Path, tmp_path: Path) -> None:
    model = networks.trained(small)
    (tmp_path / "model.json").write_text(model.to_json())
    model.save_weights(tmp_path / "new.weights.h5")
    x = torch.randn(1, 3, 9, 8)

    torch.testing.assert_close(network(tmp_path / "model.json", tmp_path / "new.weights.h5")(x), network(saved)(x))


def test_hdf5_of_keras_2_has_calls_and_weights_in_another_form(tmp_path: Path) -> None:
    def layer(kind: str, name: str, *before: str, **config: Any) -> Config:
        calls = [[[one, 0, 0, {}] for one in before]] if before else []
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls}

    conv = {"kernel_size": [1, 1], "strides": [1, 1], "dilation_rate": [1, 1], "padding": "valid", "use_bias": False}
    inner = [
        layer("InputLayer", "in", batch_input_shape=[None, None, None, 2]),
        layer("Conv2D", "inside", "in", filters=2, **conv),
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["inside", 0, 0]]}
    layers = [
        layer("InputLayer", "image", batch_input_shape=[None, 4, 4, 2]),
        layer("Model", "model", "image", layers=inner, **ends),
        layer("Add", "add", "image", "model"),
        layer("MaxPooling2D", "pool", "add", pool_size=[2, 2], strides=[2, 2], padding="valid"),
    ]
    ends = {"input_layers": [["image", 0, 0]], "output_layers": [["pool", 0, 0]]}
    kernel = np.random.default_rng(0).normal(size=(1, 1, 2, 2)).astype("float32")
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": {"layers": layers, **ends}})
        group = file.create_group("model_weights/model")
        group.attrs["weight_names"] = [b"inside/kernel:0"]
        group["inside/kernel:0"] = kernel

    x = torch.randn(1, 2, 4, 4)
    expected = x + torch.einsum("nchw,cd->ndhw", x, torch.from_numpy(kernel[0, 0]))
    torch.testing.assert_close(network(tmp_path / "old.h5")(x), torch.nn.functional.max_pool2d(expected, 2))


# --------------------------------------------------------------------------------------------------------- bad input


def changed(path: Path, change: Callable[[Config, dict[str, Config]], Any]) -> Path:
    """The archive with another config: `change` is given the model's, and that of each layer by name."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"])
    change(config, {layer["config"]["name"]: layer for layer in config["config"]["layers"]})
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def call(layer: Config, name: str) -> None:
    layer["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = name


BAD: dict[str, tuple[Callable[[Config, dict[str, Config]], Any], str]] = {
    "a circle": (lambda model, layers: call(layers["conv"], "pool"), "layers .*pool.* go round in a circle"),
    "a missing input": (lambda model, layers: call(layers["half"], "gone"), "half takes what gone gives"),
    "a missing output": (
        lambda model, layers: model["config"].update(output_layers=["gone", 0, 0]),
        "takes the output of gone",
    ),
    "an unknown class": (
        lambda model, layers: layers["conv"].update(class_name="Conv9D"),
        r"'conv' \(Conv9D\), and the",
    ),
    "somebody's class": (lambda model, layers: layers["pool"].update(module="theirs"), r"'pool' \(theirs.AveragePool"),
    "a registered class": (
        lambda model, layers: layers["pool"].update(registered_name="theirs>Pool"),
        r"'pool' \(.*AveragePooling2D\), and the table",
    ),
    "a model of somebody's class": (lambda model, layers: model.update(module="theirs"), "model of the class"),
    "a program": (
        lambda model, layers: layers["pool"].update(class_name="Lambda", config={"name": "pool", "function": "4wAA"}),
        r"'pool' \(Lambda\), and the table has no such layer",
    ),
    "filters that do not fit": (
        lambda model, layers: layers["conv"]["config"].update(filters=5),
        r"'conv' \(Conv2D\), and its config asks for a weight of shape \(5, 3, 3, 3\), and the file holds one of \(4, ",
    ),
    "an input that does not fit": (
        lambda model, layers: layers["conv"]["inbound_nodes"][0]["args"][0]["config"].update(shape=[None, 9, 8, 2]),
        r"asks for a weight of shape \(4, 2, 3, 3\)",
    ),
    "a bias that is not there": (
        lambda model, layers: layers["head"]["config"].update(use_bias=False),
        r"'head' \(Dense\), and the file holds 2 arrays for it, and its config asks for \['kernel'\]",
    ),
    "a field that is missing": (lambda model, layers: layers["conv"]["config"].pop("strides"), "'conv'.*'strides'"),
    "a field of another kind": (lambda model, layers: layers["conv"]["config"].update(kernel_size={}), "'conv'"),
    "an unknown activation": (
        lambda model, layers: layers["conv"]["config"].update(activation={"config": "theirs"}),
        "'conv'.* has no activation 'theirs'",
    ),
    "channels first": (
        lambda model, layers: layers["conv"]["config"].update(data_format="channels_first"),
        "'conv'.* it is channels first",
    ),
    "an axis in the middle": (lambda model, layers: layers["half"]["config"].update(axis=1), "'half'.* has axis 1"),
    "a call with more": (
        lambda model, layers: layers["head"]["inbound_nodes"][0]["kwargs"].update(theirs=[1]),
        r"'head'.* more than tensors and numbers \(theirs\)",
    ),
    "a call with a keyword of 0": (
        lambda model, layers: layers["head"]["inbound_nodes"][0]["kwargs"].update(theirs=0),
        r"'head'.* more than tensors and numbers \(theirs\)",
    ),
    "a pool that cannot be": (lambda model, layers: layers["pool"]["config"].update(pool_size=[0, 0]), "window"),
    "two layers of one name": (lambda model, layers: model["config"]["layers"].append(layers["pool"]), "called pool"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_file_is_said_of_its_layer(saved: Path, name: str) -> None:
    change, message = BAD[name]
    with pytest.raises(InputError, match=message):
        network(changed(saved, change))


def test_an_input_that_does_not_fit_is_said_of_its_layer(saved: Path) -> None:
    with pytest.raises(InputError, match=r"'conv' \(Conv2D\).*expected input"):
        network(saved)(torch.zeros(1, 2, 9, 8))


def test_somebodys_class_can_be_added_to_the_table(saved: Path) -> None:
    path = changed(saved, lambda model, layers: layers["pool"].update(module="theirs", class_name="Blur"))
    net = network(path, more={"theirs.Blur": lambda layer: torch.nn.AvgPool2d(layer.config["pool_size"][0])})

    assert net(torch.zeros(1, 3, 9, 8)).shape == (1, 2)


def weights(path: Path, change: Callable[[h5py.Group], Any]) -> Path:
    """A model in HDF5 whose group of the layer conv is changed."""
    networks.trained(small).save(path)
    with h5py.File(path, "r+") as file:
        change(file["model_weights/conv"])
    return path


def huge(group: h5py.Group) -> None:
    del group["conv/bias"]
    group.create_dataset("conv/bias", (2**40,), "f4", chunks=(2**10,))


def linked(group: h5py.Group) -> None:
    del group["conv/bias"]
    group["conv/bias"] = h5py.ExternalLink("/etc/passwd", "/bias")


def outside(group: h5py.Group) -> None:
    del group["conv/bias"]
    group.create_dataset("conv/bias", (4,), "f4", external=[("/etc/passwd", 0, 16)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (huge, "they are not in it"),
        (
            lambda group: group.attrs.__setitem__("weight_names", ["conv/kernel"] * 1000),
            "with those of the layers before",
        ),
        (linked, "is a link"),
        (outside, "they are not in it"),
        (lambda group: group.__delitem__("conv/bias"), "lacks the weights conv/bias"),
        (lambda group: group.attrs.__delitem__("weight_names"), "holds 0 arrays"),
    ],
)
def test_weights_that_are_not_in_the_file_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(weights(tmp_path / "model.h5", change))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", None])
def test_other_files_are_refused_and_nothing_is_written(saved: Path, tmp_path: Path, data: bytes | None) -> None:
    path = changed(saved, BAD["filters that do not fit"][0]) if data is None else tmp_path / "model.keras"
    path.write_bytes(path.read_bytes() if data is None else data)
    out = tmp_path / "out.pt"
    command = [sys.executable, str(ROOT / "examples/keras_to_torch.py"), str(path), "--output", str(out)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)

    assert (done.returncode, out.exists()) == (2, False)
    assert done.stderr.startswith("received ")
