"""What is kept of programs that are used no longer: nothing."""

from __future__ import annotations

import gc
import linecache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.running import dispatch, registry

SPEC = pk.MaxPool(2, layout="NCL")
MAKE = {"numpy": np.ones, "torch": torch.ones, "tensorflow": tf.ones, "jax": jnp.ones}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of four."""
    monkeypatch.setattr(dispatch, "_RUNS", {})
    monkeypatch.setattr(dispatch, "_PROGRAMS", {})
    monkeypatch.setattr(dispatch, "MOST", 4)
    monkeypatch.setattr(registry.adapter("jax"), "executables", 4)


def sources() -> int:
    gc.collect()
    return sum(name.startswith("<poolkit ") for name in linecache.cache)


@pytest.mark.parametrize("backend", MAKE)
def test_a_program_that_goes_takes_its_source_along(backend: str) -> None:
    before = sources()
    for n in range(4, 24):
        pk.pool(MAKE[backend]((1, 1, n)), SPEC)
    assert sources() - before == 4
    for _ in range(20):
        pk.lower(SPEC, backend)
    assert sources() - before == 4


def test_a_program_in_use_has_its_source() -> None:
    program = pk.lower(SPEC, "numpy")
    name = program.function.__code__.co_filename  # type: ignore[attr-defined]
    dispatch._PROGRAMS.clear()
    gc.collect()
    assert "".join(linecache.getlines(name)) == program.source


def executables() -> int:
    gc.collect()
    return len(jax.devices()[0].client.live_executables())


@pytest.mark.parametrize("shapes", [[(1, 1, n) for n in range(4, 24)], [(n, 1, 4) for n in range(1, 21)]], ids=str)
def test_what_jax_compiled_goes_with_its_program(
    shapes: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MOST", 100)  # of all backends; of JAX there are to be four
    assert type(registry.adapter("jax")).executables == 256
    inputs = [jnp.ones(shape) for shape in shapes]
    before = executables()
    for x in inputs:
        pk.pool(x, SPEC)
    assert 1 <= executables() - before <= 4
    pk.pool(inputs[-1], SPEC)
    assert 1 <= executables() - before <= 4
