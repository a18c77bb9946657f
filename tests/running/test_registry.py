"""Backends that are absent, unknown, or come from somebody else."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.running import registry


def test_an_absent_framework_gives_the_pip_command() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import poolkit as pk\n"
        "try:\n    pk.lower(pk.MaxPool(2, layout='NCHW'), 'torch')\n"
        "except pk.BackendError as error:\n    print(error)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "the backend torch needs a framework that is not installed here" in shown
    assert "run: pip install torch" in shown


def test_an_unknown_backend() -> None:
    with pytest.raises(pk.BackendError, match='received the backend "mxnet", and the known backends are numpy, torch'):
        pk.lower(pk.MaxPool(2, layout="NCHW"), "mxnet")
    with pytest.raises(pk.BackendError, match="known backends"):
        pk.MaxPool(2, layout="NCHW").layer("mxnet")


class Boxed:
    """A tensor type of somebody else's framework."""


class Entry:
    """What an entry point gives."""

    name, module, framework = "boxed", "poolkit_boxed", "module_that_boxed_needs"

    def load(self) -> Any:
        return self

    def serves(self, x: Any) -> Any:
        return self if isinstance(x, Boxed) else None


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_points(*, group: str) -> list[Any]:
        assert group == "poolkit.backends"
        return [Entry()]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


@pytest.mark.usefixtures("third_party")
def test_a_backend_of_a_third_party() -> None:
    """The entry's name, its package and the module of its tensors are three different things."""
    assert isinstance(registry.find(Boxed()), Entry)
    assert isinstance(registry.adapter("boxed"), Entry)
    with pytest.raises(pk.InputError, match="numpy, torch, tensorflow, keras, jax, boxed; convert it first"):
        registry.find("no tensor")
    with pytest.raises(pk.InputError, match="jax, or of what `poolkit backends` lists besides; convert it first"):
        registry.find([1.0])
    assert registry.all_names()[-1] == "boxed"
    assert "boxed" not in pk.backends()
    assert registry.facts()[-1] == registry.Facts("boxed", None, "pip install poolkit_boxed")


def test_all_five_are_installed_here() -> None:
    """Where a framework is missing, its tests would not run: that is a failure of this environment."""
    assert pk.backends()[:5] == ["numpy", "torch", "tensorflow", "keras", "jax"]


def test_a_type_is_resolved_along_its_bases() -> None:
    class Mine(np.ndarray):
        pass

    x = np.zeros((1, 1, 4)).view(Mine)
    assert registry.find(x).name == "numpy"
    assert pk.pool(x, pk.MaxPool(2, layout="NCL")).shape == (1, 1, 2)
