"""Pools of arrays that a mesh of eight devices shares: the numbers of one device, and how many exchanges they take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tests.helpers.support import ROOT

# Along a sharded height JAX's own reductions and windows, or one gathering of the map. XLA makes 16 exchanges of the
# padded fold, and of slices 60 or wrong numbers.
BY_HEIGHT = {
    "mean": {"all-reduce": 1},
    "mean of real cells": {"all-reduce": 1},
    "maximum": {"all-reduce": 1},
    "side by side": {},
    "maximum, same": {"collective-permute": 1},
    "half in common": {"all-gather": 1},
    "average, same": {"collective-permute": 4},
    "softmax": {"all-gather": 1},
    "bins": {"all-gather": 1},
}


@pytest.fixture(scope="module")
def rows() -> list[Any]:
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    command = [sys.executable, "-m", "tests.helpers.jax_mesh"]
    return json.loads(subprocess.check_output(command, env={**os.environ, **flags}, cwd=ROOT, text=True))  # type: ignore[no-any-return]


def test_sharded_pools_have_the_numbers_of_one_device(rows: list[Any]) -> None:
    assert len([row for row in rows if row[0] != "own"]) == 4 * len(BY_HEIGHT)
    assert [row[:3] for row in rows if not row[3]] == []


def test_batch_and_channel_shards_exchange_nothing(rows: list[Any]) -> None:
    assert [row for row in rows if row[1] == "NC" and row[4]] == []


def test_height_shards_exchange_edges_or_once(rows: list[Any]) -> None:
    found: dict[str, Any] = {
        name: Counter(collectives) for axes, by, name, _, collectives in rows if (axes, by) == ("Auto", "H")
    }
    assert found == BY_HEIGHT


def test_windows_exchange_at_most_twice_what_those_of_jax_do(rows: list[Any]) -> None:
    """Of an average the other half are counts of cells, one for each place of a single map."""
    found = {(row[0], row[2]): len(row[4]) for row in rows if row[:2] in (["own", "Auto"], ["Auto", "H"])}
    own = {name: count for (axes, name), count in found.items() if axes == "own"}

    assert own == {"side by side": 0, "maximum, same": 1, "average, same": 2}
    assert [name for name, count in own.items() if found["Auto", name] > 2 * count] == []


def test_the_gradient_of_an_average_that_divides_gathers_nothing(rows: list[Any]) -> None:
    (collectives,) = [row[4] for row in rows if row[:3] == ["Explicit", "H", "side by side"]]

    assert set(collectives) <= {"collective-permute"}
    assert len(collectives) <= 6
