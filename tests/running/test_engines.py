"""Keras's own layers on each of its engines: which are native, and that those give the numbers of the definition."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit import BackendError, NotExactError, PoolkitError, PoolSpec
from poolkit.dialects.calls import found
from poolkit.dialects.writing import native_call
from poolkit.port.target import target_of
from poolkit.running import registry
from poolkit.running.keras_engine import engine
from tests.conftest import Fuzz
from tests.helpers.support import python

SAME = pk.AvgPool(3, 2, "same", layout="NHWC")
BINS = pk.AdaptiveAvgPool(7, layout="NHWC")
DEEP = pk.AvgPool(3, 1, "same", layout="NDHWC")
ONE = pk.AdaptiveMaxPool((2, 1), layout="NHWC")
ODD = pk.AvgPool(3, 1, "same", layout="NHWC")

NOT_NATIVE = [
    ("torch", SAME, "count the cells at the edge twice", 'keras.layers.AveragePooling2D(3, 2, padding="same")'),
    ("torch", DEEP, "fewer cells than the window", 'keras.layers.AveragePooling3D(3, 1, padding="same")'),
    ("jax", BINS, "wrong at many sizes", "keras.layers.AdaptiveAveragePooling2D(7)"),
    ("tensorflow", ONE, "gets one bin", "keras.layers.AdaptiveMaxPooling2D((2, 1))"),
]


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """As where Keras is not loaded, and nothing says which engine it has."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize(("name", "spec", "reason", "nearest"), NOT_NATIVE, ids=str)
def test_what_breaks_on_an_engine_is_not_native_there(
    unloaded: pytest.MonkeyPatch, name: str, spec: PoolSpec, reason: str, nearest: str
) -> None:
    for other in ("tensorflow", "torch", "jax", "numpy"):
        unloaded.setenv("KERAS_BACKEND", other)
        if other == "jax" and spec == ONE:
            continue  # where no bins are right
        if other != name:
            assert str(native_call(spec, "keras")) == nearest
            assert reason in "; ".join(target_of(spec, "keras").notes)  # of every engine
            continue
        with pytest.raises(NotExactError, match=reason) as caught:
            native_call(spec, "keras")
        assert str(caught.value.nearest) == nearest
        target = target_of(spec, "keras")
        assert target.call is None
        assert f"on Keras's {name} engine" in "; ".join(target.notes)


def test_what_is_right_everywhere_is_native_everywhere(unloaded: pytest.MonkeyPatch) -> None:
    for name in ("tensorflow", "torch", "jax"):
        unloaded.setenv("KERAS_BACKEND", name)
        assert str(native_call(ODD, "keras")) == 'keras.layers.AveragePooling2D(3, 1, padding="same")'


def test_the_engine_is_what_keras_would_choose(unloaded: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert engine() == "tensorflow"
    for text in ("{", "[]", '{"backend": 3}', "[" * 100_000, '{"floatx": "float32"}'):
        (tmp_path / "keras.json").write_text(text)
        assert engine() == "tensorflow"
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert engine() == "jax"
    unloaded.setenv("KERAS_BACKEND", "")
    assert engine() == "jax"
    unloaded.setenv("KERAS_BACKEND", "torch")
    assert engine() == "torch"
    unloaded.delenv("KERAS_HOME")
    unloaded.delenv("KERAS_BACKEND")
    unloaded.setenv("HOME", str(tmp_path))
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text('{"backend": "numpy"}')
    assert engine() == "numpy"
    assert "keras" not in sys.modules


def test_the_engine_is_what_keras_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.setenv("KERAS_BACKEND", "nothing")
    assert engine() == keras.config.backend()


@pytest.mark.parametrize("asked", ["a call", "the adapter"])
def test_an_absent_engine_is_told_with_the_variable(unloaded: pytest.MonkeyPatch, asked: str) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

    unloaded.setattr(importlib, "import_module", missing)
    keras: Any = SimpleNamespace(name="keras", install="pip install keras", load=missing)
    told = "Keras runs on tensorflow here, which is not installed .*; set the variable KERAS_BACKEND to .* torch or jax"
    with pytest.raises(BackendError, match=told):
        found("keras.layers.MaxPooling2D") if asked == "a call" else registry._loaded(keras)


ASKED = """
import poolkit as pk
from poolkit.dialects.calls import found
spec = pk.MaxPool(2, layout="NHWC")
for asked in (
    lambda: pk.layer(spec, "keras"), lambda: pk.native(spec, "keras"), lambda: pk.lower(spec, "keras"),
    lambda: pk.layer(spec, "tensorflow"), lambda: found("keras.layers.MaxPooling2D"), lambda: found("tensorflow.nn"),
):
    try:
        asked()
    except pk.BackendError as error:
        print(error)
"""


def test_an_engine_that_is_none_is_told_with_the_variable() -> None:
    """Keras raises a ValueError for it, also while TensorFlow imports Keras."""
    told = (
        'Keras is to run on "nosuch", and its engines are tensorflow, torch, jax, numpy, openvino; set KERAS_BACKEND '
    )
    lines = python(ASKED, KERAS_BACKEND="nosuch", TF_CPP_MIN_LOG_LEVEL="3").splitlines()
    assert lines == [f"{told}to one"] * 6


# ---------------------------------------------------------------------------------------------------------- the fuzzer

SPATIAL = {1: "L", 2: "HW", 3: "DHW"}


def drawn(rng: random.Random) -> tuple[PoolSpec, tuple[int, ...]]:
    """A spec of which Keras has about half, and a shape, with axes that are shorter than the window too."""
    n = rng.choice([1, 1, 2, 2, 3])
    layout = rng.choice([f"N{SPATIAL[n]}C", f"N{SPATIAL[n]}C", f"NC{SPATIAL[n]}"])

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.randint(low, high) for _ in range(n))

    window = each(1, 5)
    fields: dict[str, Any] = rng.choice(
        [
            {"window": window, "stride": each(1, 4), "padding": rng.choice(["valid", "same"])},
            {"window": window, "stride": each(1, 4), "padding": rng.choice(["valid", "same"])},
            {"window": window, "stride": 1, "padding": tuple(((k - 1) // 2, k // 2) for k in window)},
            {"output_size": each(1, 7)},
            {"output_size": 1, "keepdims": rng.choice([True, False])},
        ]
    )
    shape = tuple({"N": 2, "C": 3}.get(letter) or rng.randint(1, 9) for letter in layout)
    return PoolSpec(rng.choice(["avg", "max"]), layout=layout, **fields), shape


def native_layers(fuzz: Fuzz) -> None:
    """Native layers, run on this process's engine, give the numbers of the definition."""
    import keras

    for rng in fuzz:
        spec, shape = drawn(rng)
        x = np.random.default_rng(rng.randrange(2**32)).integers(-9, 10, shape).astype("float32")
        try:
            made, expected = native_call(spec, "keras"), np.asarray(pk.pool(x, spec))
        except PoolkitError as refused:
            fuzz.count(type(refused).__name__)
            continue
        if "AdaptiveMax" in made.name and shape[spec.layout.index(spec.layout.strip("NC")[-1])] == 1:
            continue  # on TensorFlow it ends the process: a caveat
        result = keras.ops.convert_to_numpy(made.make()(keras.ops.convert_to_tensor(x)))
        np.testing.assert_allclose(result, expected, 1e-5, 1e-5, err_msg=f"{made} of {shape}", strict=True)
        fuzz.count(f"native on {keras.backend.backend()}")


@pytest.mark.parametrize("name", ["tensorflow", "torch", "jax"])
def test_native_layers_give_the_definition_on_every_engine(name: str, fuzz: Fuzz) -> None:
    fuzz.elsewhere("tests.running.test_engines.native_layers", KERAS_BACKEND=name, TF_CPP_MIN_LOG_LEVEL="3")

    assert fuzz.outcomes[f"native on {name}"] > 0
