"""The examples run as their readers run them, and print what NumPy in float64, without poolkit, computes as well.

Every run is a process of its own, because a process has one Keras engine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from examples import portable
from poolkit.tools.demo import photograph
from tests.helpers.support import ROOT, environment

Array = Any

NUMBER = r"\d+\.\d+"
OUTPUT = re.compile(rf"output (\(.*\)), loss ({NUMBER}), after one step ({NUMBER})")

# What is printed has six decimals; the step is computed in float32, from a gradient over 50,000 positions.
PRINTED = 2e-5


def run(name: str, *arguments: str, **changes: str) -> str:
    """What an example prints, away from its own folder, as an installed package would be used."""
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", str(ROOT / "examples" / name), *arguments]
    changes = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""} | changes
    done = subprocess.run(command, env=environment(**changes), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ------------------------------------------------------------------------------- the definitions, without poolkit


def max_same(x: Array) -> Array:
    """Window 3, stride 2, `same` of an NHWC map of even size: TensorFlow pads by one cell, at the high end."""
    for axis in (1, 2):
        n = x.shape[axis]
        x = np.stack([x.take(range(i, min(i + 3, n)), axis).max(axis) for i in range(0, n, 2)], axis)
    return x


def averages(x: Array, bins: int) -> Array:
    """The averages of bins x bins parts of an NHWC map; part i of n cells is [floor(i*n/bins), ceil((i+1)*n/bins))."""
    for axis in (1, 2):
        n = x.shape[axis]
        cut = [range(i * n // bins, -(-(i + 1) * n // bins)) for i in range(bins)]
        x = np.stack([x.take(cells, axis).mean(axis) for cells in cut], axis)
    return x


def stretched(x: Array, size: int) -> Array:
    """Bilinear with aligned corners, by numpy.interp along one axis after the other."""
    for axis in (1, 2):
        n = x.shape[axis]
        at = np.linspace(0, n - 1, size)
        x = np.apply_along_axis(lambda line, at=at, n=n: np.interp(at, np.arange(n), line), axis, x)
    return x


def relu(x: Array) -> Array:
    return x * (x > 0)


def expected(size: int) -> dict[str, Array]:
    """The outputs of the portable model for the photograph at this size."""
    w = {name: value.astype("float64") for name, value in portable.make_weights().items()}
    x = stretched(photograph().astype("float64"), size)
    for name in ("stem1", "stem2", "stem3"):
        x = max_same(relu(x @ w[name]))
    x = x / (1 + np.exp(-relu(x.mean((1, 2), keepdims=True) @ w["squeeze"]) @ w["excite"]))
    n = x.shape[1]
    levels = [stretched(relu(averages(x, bins) @ w[f"bins{bins}"]), n) for bins in (1, 2, 3, 6)]
    scene = np.concatenate([x, *levels], -1) @ w["scene"]
    image = np.tile(relu(scene.mean((1, 2), keepdims=True) @ w["image"]), (1, n, n, 1))
    return {
        "logits": x.mean((1, 2)) @ w["head"] + w["bias"],
        "segments": np.concatenate([scene, image], -1) @ w["segments"],
    }


def trained() -> tuple[float, float]:
    """The loss that the short examples print before and after one step, the gradient taken by finite differences."""
    random = np.random.default_rng(0)
    weights = np.concatenate([random.normal(size=(3, 8)).ravel(), random.normal(size=(8, 2)).ravel()])
    photo = photograph().astype("float64")

    def loss(w: Array) -> float:
        output = averages(max_same(relu(photo @ w[:24].reshape(3, 8))), 6).mean((1, 2)) @ w[24:].reshape(8, 2)
        return float(np.mean((output - 1) ** 2))

    steps = 1e-6 * np.eye(len(weights))
    gradient = np.array([(loss(weights + step) - loss(weights - step)) / 2e-6 for step in steps])
    return loss(weights), loss(weights - 0.1 * gradient)


# -------------------------------------------------------------------------------------------------- portable.py


@pytest.mark.parametrize(
    ("engine", "names"),
    [
        ("jax", ("numpy", "torch", "keras", "jax")),
        ("tensorflow", ("tensorflow", "keras")),
        ("torch", ("keras",)),
    ],
    ids=["keras on jax", "keras on tensorflow", "keras on torch"],
)
def test_the_portable_model_has_the_same_output_everywhere(tmp_path: Path, engine: str, names: tuple[str, ...]) -> None:
    text = run("portable.py", *names, "--save", str(tmp_path / "outputs.npz"), KERAS_BACKEND=engine)
    outputs = np.load(tmp_path / "outputs.npz")

    for size in (224, 448):
        for key, wanted in expected(size).items():
            for name in names:
                found = outputs[f"{name} {size} {key}"]
                assert found.shape == wanted.shape
                assert np.abs(found - wanted).max() <= portable.TOLERANCE * np.abs(wanted).max(), (name, size, key)
                assert re.search(rf"^{name} +{size} .*{re.escape(str(wanted.shape))}", text, re.MULTILINE)
    printed = re.search(r"largest difference between two frameworks: (\S+)", text)
    assert printed
    assert float(printed[1]) <= portable.TOLERANCE


def test_the_head_takes_both_sizes_and_the_map_follows_the_image() -> None:
    small, large = expected(224), expected(448)

    assert small["logits"].shape == large["logits"].shape == (1, 10)
    assert (small["segments"].shape, large["segments"].shape) == ((1, 28, 28, 6), (1, 56, 56, 6))


def test_resizing_is_what_pytorch_calls_align_corners() -> None:
    import torch

    x = np.random.default_rng(0).normal(size=(1, 3, 6, 1))
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(np.moveaxis(x, 3, 1)), size=(28, 9), mode="bilinear", align_corners=True
    )

    found = portable.resize(portable.numpy_table(), x, (28, 9))

    np.testing.assert_allclose(found, np.moveaxis(wanted.numpy(), 1, 3), atol=1e-6)


# ------------------------------------------------------------------------------------------- the short examples


@pytest.mark.parametrize(
    ("name", "engine", "models"),
    [
        ("torch_sequential.py", "", 1),
        ("keras_sequential.py", "jax", 1),
        ("keras_sequential.py", "tensorflow", 1),
        ("keras_sequential.py", "torch", 1),
        ("flax_modules.py", "", 2),
        ("equinox_sequential.py", "", 1),
    ],
)
def test_the_same_pools_inside_every_frameworks_modules_train_alike(name: str, engine: str, models: int) -> None:
    found = OUTPUT.findall(run(name, KERAS_BACKEND=engine or os.environ.get("KERAS_BACKEND", "jax")))

    assert len(found) == models
    for shape, before, after in found:
        assert shape == "(1, 2)"
        assert (float(before), float(after)) == pytest.approx(trained(), abs=PRINTED)


SHORT = sorted(path for path in (ROOT / "examples").glob("*_*.py") if path.name != "keras_to_torch.py")


@pytest.mark.parametrize("path", SHORT, ids=lambda path: path.name)
def test_the_short_examples_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 60


def test_every_kind_of_the_page_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (ROOT / "docs/kinds.md").read_text(), re.MULTILINE)
    page = {name for row in rows for name in re.findall(r"\w+", row)}
    source = (ROOT / "examples/kinds.py").read_text()
    drawn = {kind.split()[0] for kind in re.findall(r'^    "([^"]*)",$', source, re.MULTILINE)}

    run("kinds.py", str(tmp_path / "kinds.png"))

    assert drawn == page
    with Image.open(tmp_path / "kinds.png") as made, Image.open(ROOT / "docs/kinds.png") as kept:
        assert made.size == kept.size
        assert np.abs(np.asarray(made, "int32") - np.asarray(kept, "int32")).max() <= 8
