"""The array API standard, a backend outside of the table: found by its entry point, which a checkout has not."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import pytest

from poolkit_conformance import PoolConformance

ENTRY = importlib.metadata.EntryPoint("array_api", "poolkit_array_api.adapter:ADAPTER", "poolkit.backends")


@pytest.fixture(autouse=True)
def entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_points(**asked: Any) -> list[Any]:
        assert asked == {"group": "poolkit.backends"}
        return [ENTRY]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


class TestArrayApi(PoolConformance):
    backend = "array_api"
