"""A backend from outside of the table: found by its entry point, in a checkout and in what the wheel says."""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
import types
from typing import Any

import array_api_strict as xp
import numpy as np
import pytest

import poolkit as pk
from poolkit.running import registry
from poolkit_array_api.adapter import ADAPTER
from tests.helpers.primitives import PRIMITIVES, cells
from tests.helpers.support import ROOT

SPEC = pk.MaxPool(2, layout="NCL")


@pytest.fixture
def entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point as pyproject.toml has it; a checkout that is not installed has none."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][registry.GROUP]
    entries = [importlib.metadata.EntryPoint(name, value, registry.GROUP) for name, value in declared.items()]

    def entry_points(**asked: Any) -> list[Any]:
        assert asked == {"group": registry.GROUP}
        return entries

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


class Plain:
    """As Dask's arrays: it says neither its namespace nor a device."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype, self.ndim = array, array.shape, array.dtype, array.ndim

    def __getitem__(self, places: Any) -> Any:
        return self.array[places]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array


@pytest.mark.usefixtures("entry_point")
def test_an_array_that_says_no_namespace_has_that_of_array_api_compat(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.arange(12.0).reshape(1, 2, 6)
    monkeypatch.setitem(sys.modules, "array_api_compat", None)  # not installed
    with pytest.raises(pk.InputError, match=r"received a .*Plain, and pooling takes"):
        registry.find(Plain(x))

    compat = types.SimpleNamespace(array_namespace=lambda x: np)
    monkeypatch.setitem(sys.modules, "array_api_compat", compat)
    monkeypatch.setattr(registry, "BY_TYPE", {})
    for spec in (SPEC, pk.AvgPool(3, 1, "same", layout="NCL")):
        np.testing.assert_allclose(pk.pool(Plain(x), spec), pk.pool(x, spec))


@pytest.mark.usefixtures("entry_point")
def test_it_is_found_by_name_and_by_tensor() -> None:
    assert registry.adapter("array_api") is ADAPTER
    assert registry.find(xp.ones((1, 1, 4))) is ADAPTER
    assert pk.backends()[-1] == "array_api"
    found = pk.pool(xp.asarray([[[1.0, 3.0, 2.0, 4.0]]]), SPEC)
    assert isinstance(found, type(xp.ones(1)))
    assert np.asarray(found._array).tolist() == [[[3.0, 4.0]]]
    program = pk.lower(SPEC, "array_api", shape=(1, 1, 4))
    assert "import array_api_strict as xp" in str(program)
    with pytest.raises(pk.InputError, match="keras, jax, array_api; convert it first"):
        registry.find("no tensor")


@pytest.mark.parametrize(("name", "dtype"), [(name, dtype) for name, p in PRIMITIVES.items() for dtype in p.dtypes])
def test_primitives(name: str, dtype: str) -> None:
    primitive = PRIMITIVES[name]
    x = cells(dtype, primitive)
    found, expected = primitive.asked(ADAPTER.ops(3, dtype), xp.asarray(x, copy=True))._array, primitive.said(x)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=4e-6 if dtype == "float32" else 1e-14)
