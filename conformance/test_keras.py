"""Keras, on the engine of this process; on the other two in processes of their own, for Keras can't change it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from poolkit_conformance import PoolConformance

ENGINES = ("tensorflow", "jax", "torch")
HERE = keras.backend.backend()

# Saved with poolkit by one engine, loaded without it by another.
SAVE = """
import sys, keras, numpy as np, poolkit as pk
from poolkit_conformance.oracle import answer
specs = {
    "adaptive": pk.PoolSpec("avg", output_size=(7, 5), layout="NHWC"),
    "same": pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"),
    "average": pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NHWC"),
    "global": pk.PoolSpec("max", output_size=1, layout="NHWC", keepdims=False),
    "softmax": pk.PoolSpec("softmax", window=2, layout="NHWC"),
}
x = keras.Input((None, None, 3))
keras.Model(x, {name: pk.pool(x, spec) for name, spec in specs.items()}).save(sys.argv[1] + ".keras")
numbers = {}
for n in (7, 12):
    data = np.random.default_rng(n).standard_normal((2, n, n + 1, 3)).astype("float32")
    data[0, 1, 1, 0] = np.nan
    numbers[f"{n}/input"] = data
    numbers |= {f"{n}/{name}": answer(spec, data).values for name, spec in specs.items()}
np.savez(sys.argv[1] + ".npz", **numbers)
"""
LOAD = """
import sys, keras, numpy as np
model = keras.models.load_model(sys.argv[1] + ".keras")
numbers = np.load(sys.argv[1] + ".npz")
for n in (7, 12):
    for name, found in model.predict(numbers[f"{n}/input"], verbose=0).items():
        np.testing.assert_allclose(found, numbers[f"{n}/{name}"], atol=1e-6, err_msg=f"{name} at {n}")
assert not [name for name in sys.modules if name.startswith("poolkit")]
print("loaded")
"""


class TestKeras(PoolConformance):
    backend = "keras"


def python(engine: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(word for word in sys.path if word)
    environment = os.environ | {"KERAS_BACKEND": engine, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine != HERE])
def test_another_engine(engine: str) -> None:
    done = python(engine, "-m", "poolkit_conformance", "keras")

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize(("saved_by", "loaded_by"), [("tensorflow", "jax"), ("jax", "torch"), ("torch", "tensorflow")])
def test_a_saved_model_needs_no_poolkit_and_no_engine_of_its_own(saved_by: str, loaded_by: str, tmp_path: Path) -> None:
    file = str(tmp_path / "model")

    saved = python(saved_by, "-c", SAVE, file)
    assert saved.returncode == 0, saved.stderr[-2000:]
    for engine in (saved_by, loaded_by):
        loaded = python(engine, "-c", LOAD, file)
        assert loaded.stdout.endswith("loaded\n"), loaded.stderr[-2000:]
