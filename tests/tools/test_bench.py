"""`poolkit bench`: every route of every backend, timed."""

from __future__ import annotations

import json

import keras
import pytest
from click.testing import CliRunner

import poolkit as pk
from poolkit.cli.commands import poolkit
from poolkit.tools.bench import bench

SPEC, SHAPE = pk.MaxPool(2, layout="NCHW"), (1, 3, 8, 8)


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "keras", "jax"])
def test_every_route_is_timed(backend: str) -> None:
    rows = bench(SPEC, backend, SHAPE, turns=1, seconds=0.001)

    engine = rows[0].backend  # Keras's tensors are those of its engine
    assert engine == (keras.backend.backend() if backend == "keras" else backend)
    # Of a tensor at hand NumPy, PyTorch and TensorFlow know that no derivative is taken.
    routes = {r.name for r in pk.routes(SPEC, engine, SHAPE, derivative=engine not in ("numpy", "torch", "tensorflow"))}
    # Of a tensor at hand TensorFlow's pool asks whether the map is finite; what is printed has marks instead.
    at_hand = {"max_pool"} if engine == "tensorflow" else set[str]()
    assert {row.route for row in rows} == routes | at_hand


def test_routes_that_are_right_for_a_contiguous_tensor_are_timed() -> None:
    rows = bench(pk.GlobalAvgPool(layout="NCHW", keepdims=True), "numpy", SHAPE, turns=1, seconds=0.001)
    assert rows[0].route == "mean"


def test_the_command_prints_a_table_or_json() -> None:
    command = ["bench", "max window=2 layout=NCHW", "1,3,8,8", "--backend", "torch", "--turns", "1"]

    table = CliRunner().invoke(poolkit, command)
    assert table.exit_code == 0, table.output
    assert "fold" in table.output
    assert "own call / route" in table.output
    rows = json.loads(CliRunner().invoke(poolkit, [*command, "--json"]).output)
    assert {row["backend"] for row in rows} == {"torch"}


def test_a_shape_that_is_none() -> None:
    with pytest.raises(pk.ShapeError, match="ints of at least 0"):
        bench(SPEC, "numpy", (1, -3, 8, 8))


def test_a_shape_that_does_not_fit() -> None:
    done = CliRunner().invoke(poolkit, ["bench", "max window=9 layout=NCHW", "1,3,8,8", "--backend", "numpy"])
    assert done.exit_code == 2
    assert "ShapeError" in done.output
