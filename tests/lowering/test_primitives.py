"""The further primitives of every backend against NumPy: direct, recorded, compiled, differentiated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import poolkit as pk
from poolkit.lowering.derived import Derived
from poolkit.programs.program import record
from poolkit.running import registry
from poolkit_conformance import runner
from poolkit_conformance.case import Case
from tests.helpers.primitives import PRIMITIVES, Primitive, cells
from tests.helpers.support import environment

BACKENDS = ("numpy", "torch", "tensorflow", "keras", "jax")
COMPILERS = [("torch", "eager"), ("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit")]
ALL = [(name, dtype) for name, primitive in PRIMITIVES.items() for dtype in primitive.dtypes]
SMOOTH = [(name, dtype) for name, dtype in ALL if PRIMITIVES[name].smooth and dtype != "int32"]
ROUNDING = {"float32": 4e-6, "float64": 1e-14, "int32": 0.0}
HERE = keras.backend.backend()

Function = Callable[[Any], Any]
everything = pytest.mark.parametrize(("name", "dtype"), ALL)
every_backend = pytest.mark.parametrize("backend", BACKENDS)


def harness(backend: str, dtype: str) -> Any:
    if backend == "keras" and HERE == "jax" and dtype == "float64":
        pytest.skip("Keras's JAX engine has no float64")
    return runner.harness(backend)


def context(bench: Any, dtype: str) -> Any:
    return bench.context(Case("", pk.MaxPool(2, layout="NCL"), dtype=dtype))


def direct(backend: str, dtype: str, primitive: Primitive) -> Function:
    ops = registry.adapter(backend).ops
    return lambda x: primitive.asked(ops(3, dtype), x)


def holds(bench: Any, function: Function, primitive: Primitive, dtype: str) -> None:
    """Values, shape and dtype are NumPy's."""
    x = cells(dtype, primitive)
    found, expected = bench.to_numpy(function(bench.from_numpy(x))), primitive.said(x)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=ROUNDING[dtype], atol=ROUNDING[dtype])


@every_backend
@everything
def test_direct(backend: str, name: str, dtype: str) -> None:
    bench = harness(backend, dtype)
    with context(bench, dtype):
        holds(bench, direct(backend, dtype, PRIMITIVES[name]), PRIMITIVES[name], dtype)


@every_backend
@everything
def test_recorded_printed_and_run(backend: str, name: str, dtype: str) -> None:
    bench, primitive = harness(backend, dtype), PRIMITIVES[name]
    with context(bench, dtype):
        program = record(primitive.asked, registry.adapter(backend).ops(3, dtype), name, backend, "fold")
        alone: dict[str, Any] = {}
        exec(compile(program.source, name, "exec"), alone)
        holds(bench, alone["pool"], primitive, dtype)


@pytest.mark.parametrize(("backend", "compiler"), COMPILERS)
@everything
def test_compiled(backend: str, compiler: str, name: str, dtype: str) -> None:
    bench = harness(backend, dtype)
    with context(bench, dtype):
        holds(bench, bench.compiled(direct(backend, dtype, PRIMITIVES[name]), compiler), PRIMITIVES[name], dtype)


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "keras", "jax"])
@everything
def test_unknown_sizes(backend: str, name: str, dtype: str) -> None:
    bench, primitive = harness(backend, dtype), PRIMITIVES[name]
    if name in ("reshape", "rank_6", "rows") and backend in ("jax", "torch", "keras"):
        pytest.skip("these ask for sizes that are numbers")
    with context(bench, dtype):
        function = bench.dynamic(direct(backend, dtype, primitive), bench.from_numpy(cells(dtype, primitive)))
        holds(bench, function, primitive, dtype)


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "keras", "jax"])
@pytest.mark.parametrize(("name", "dtype"), SMOOTH)
def test_gradient(backend: str, name: str, dtype: str) -> None:
    """Against differences of NumPy's own numbers, taken in float64."""
    bench, primitive = harness(backend, dtype), PRIMITIVES[name]
    x = cells(dtype, primitive)
    weights = np.random.default_rng(3).standard_normal(primitive.said(x).shape).astype(dtype)
    with context(bench, dtype):
        pulled = bench.vjp(direct(backend, dtype, primitive), bench.from_numpy(x), bench.from_numpy(weights))
        found = bench.to_numpy(pulled)
    assert found.dtype == x.dtype
    np.testing.assert_allclose(found, _differences(primitive, x, weights), rtol=1e-4, atol=1e-4)


def _differences(primitive: Primitive, x: Any, weights: Any) -> Any:
    wide, step = x.astype("float64"), 1e-5
    found = np.zeros_like(wide)
    for place in np.ndindex(*x.shape):
        moved = np.zeros_like(wide)
        moved[place] = step
        change = primitive.said(wide + moved) - primitive.said(wide - moved)
        found[place] = (change * weights).sum() / (2 * step)
    return found


DERIVED = [name for name in vars(Derived) if not name.startswith("_") and name not in ("imports", "along", "of_rank")]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@everything
def test_what_a_base_says_by_other_primitives(backend: str, name: str, dtype: str) -> None:
    """An adapter of somebody else has none of these."""
    bench, adapter = harness(backend, dtype), registry.adapter(backend)
    bare: Any = type("Bare", (adapter.ops,), {name: getattr(Derived, name) for name in DERIVED})
    holds(bench, lambda x: PRIMITIVES[name].asked(bare(3, dtype), x), PRIMITIVES[name], dtype)


@pytest.mark.parametrize("engine", sorted({"tensorflow", "jax", "torch"} - {HERE}))
def test_another_engine_of_keras(engine: str) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "keras and not engine"]
    words += ["-W", "ignore:__array__ implementation:DeprecationWarning"]  # Keras calls np.array on PyTorch's tensors
    changed = environment(KERAS_BACKEND=engine)
    done = subprocess.run(words, env=changed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout
