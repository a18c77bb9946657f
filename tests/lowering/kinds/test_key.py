"""`pk.Key`, and what random pools draw by it: the same on every backend, compiled or not, for each step anew."""

from __future__ import annotations

import re
from typing import Any

import jax
import numpy as np
import pytest
from torch._dynamo.utils import counters

import poolkit as pk
from poolkit.running import dispatch
from poolkit_conformance import runner

SPEC = pk.StochasticPool(3, 2, "same", layout="NCHW", indices=True)
X = np.random.default_rng(3).exponential(size=(4, 5, 14, 13)).astype("float32")
KEY = pk.Key(3).at(5)
BACKENDS = ["numpy", "torch", "tensorflow", "jax", "keras", "array_api"]
COMPILED = [("torch", "aot_eager"), ("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit")]


@pytest.fixture(scope="module")
def expected() -> Any:
    """By the numbers of another implementation."""
    key = jax.random.fold_in(jax.random.key(3), 5)
    return pk.pool(X, SPEC, samples=np.asarray(jax.random.uniform(key, (4, 5, 7, 7))))


def same(h: Any, found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(h.to_numpy(one), other)


@pytest.mark.parametrize(
    ("seed", "step", "word"),
    [
        (0, 0, 0x6B20015999BA4EFE),
        (2**64 - 1, 2**64 - 1, 0x1CB996FCBB002BE7),
        (0x13198A2E03707344, 0x243F6A8885A308D3, 0xC4923A9C483DF7A0),
    ],
)
def test_a_step_is_threefry_by_the_vectors_of_random123(seed: int, step: int, word: int) -> None:
    assert pk.Key(seed).at(step) == pk.Key(word)
    assert [w % 2**32 for w in pk.Key(seed).at(step).words] == [*divmod(word, 2**32)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_key_draws_the_same_everywhere(backend: str, expected: Any) -> None:
    h = runner.harness(backend)
    same(h, pk.pool(h.from_numpy(X), SPEC, key=KEY), expected)


@pytest.mark.parametrize(("backend", "how"), COMPILED)
def test_a_key_draws_the_same_compiled_and_a_new_one_compiles_nothing(backend: str, how: str, expected: Any) -> None:
    h = runner.harness(backend)
    traces: list[Any] = []

    def drawn(x: Any, key: Any) -> Any:
        if backend != "torch":  # whose compiler makes of this what is done at each call
            traces.append(x)
        return pk.pool(x, SPEC, key=key)

    run = h.compiled(drawn, how)
    same(h, run(h.from_numpy(X), h.from_numpy(np.array(KEY.words, "int32"))), expected)
    before = len(traces), counters["stats"]["unique_graphs"]
    run(h.from_numpy(X), h.from_numpy(np.array(KEY.at(1).words, "int32")))
    assert (len(traces), counters["stats"]["unique_graphs"]) == before


def test_a_new_step_makes_no_new_program(monkeypatch: pytest.MonkeyPatch) -> None:
    first = pk.pool(X, SPEC, key=KEY.at(0))
    monkeypatch.setattr(dispatch, "recorded", None)
    assert not np.array_equal(pk.pool(X, SPEC, key=KEY.at(1))[1], first[1])


def test_jax_takes_its_own_keys_and_a_batch_of_them(expected: Any) -> None:
    h, key = runner.harness("jax"), jax.random.fold_in(jax.random.key(3), 5)
    old = jax.random.fold_in(jax.random.PRNGKey(3), 5)
    for own in (key, old):
        same(h, SPEC.layer("jax")(h.from_numpy(X), key=own), expected)

    def pooled(x: Any, key: Any) -> Any:
        return pk.pool(x, SPEC, key=key)

    several = jax.vmap(pooled)(np.stack([X, X]), jax.numpy.stack([key, key]))
    same(h, [t[1] for t in several], expected)


def test_a_layout_changes_no_draw(expected: Any) -> None:
    found = pk.pool(np.moveaxis(X, 1, -1), SPEC.replace(layout="NHWC"), key=KEY)
    same(runner.harness("numpy"), [np.moveaxis(t, -1, 1) for t in found], expected)


def test_samples_win_and_what_draws_nothing_ignores_a_key() -> None:
    u = np.zeros((4, 5, 7, 7), "float32")
    for one, other in zip(pk.pool(X, SPEC, samples=u, key=KEY), pk.pool(X, SPEC, samples=u), strict=True):
        np.testing.assert_array_equal(one, other)
    deterministic = pk.MaxPool(2, layout="NCHW")
    np.testing.assert_array_equal(pk.pool(X, deterministic, key=KEY), pk.pool(X, deterministic))
    mix = pk.Mix((SPEC.replace(indices=False), pk.AvgPool(3, 2, "same", layout="NCHW")), how="add")
    assert not np.array_equal(pk.pool(X, mix, key=KEY), pk.pool(X, mix))


def test_a_sequence_of_equinox_hands_its_keys_on() -> None:
    eqx = pytest.importorskip("equinox")
    drawing, plain = pk.StochasticPool(2, layout="CHW").layer("jax"), pk.MaxPool(2, layout="CHW").layer("jax")
    x, key = jax.numpy.asarray(X[0]), jax.random.key(1)
    found = eqx.filter_jit(eqx.nn.Sequential([plain, drawing]))(x, key=key)
    np.testing.assert_array_equal(found, drawing(plain(x), key=jax.random.split(key, 2)[1]))


def test_a_model_of_keras_takes_a_key(expected: Any) -> None:
    import keras

    made: Any = getattr(keras, "Input")  # noqa: B009  # untyped
    x, key = made(X.shape[1:]), made(batch_shape=(2,), dtype="int32")
    model: Any = keras.Model([x, key], SPEC.layer("keras")(x, key=key))
    same(runner.harness("keras"), model([X, np.array(KEY.words, "int32")]), expected)


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (3, pk.InputError, "received 3 as the key, and a key is a pk.Key, or its two words as a tensor; write"),
        (np.zeros(3, "int32"), pk.ShapeError, "received a key of shape (3,)"),
        (np.zeros(2), pk.DtypeError, "received a key of dtype float64, and a key is two integers; give pk.Key(0)"),
    ],
)
def test_what_a_key_is_not(key: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        pk.pool(X, SPEC, key=key)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "1", None])
def test_what_a_seed_is_not(seed: Any) -> None:
    for made in (pk.Key, pk.Key(0).at):
        with pytest.raises(pk.SpecError, match=r"of a key is an int from 0 to 2\*\*64 - 1; write"):
            made(seed)


def test_explain_and_lower_take_a_key() -> None:
    said = SPEC.explain((2, 3, 7, 8), {"key": ""})
    assert "key (2,): two integers, from which a number from 0 to below 1 follows for each of the result" in said
    program = pk.lower(SPEC, "numpy", X.shape, tensors={"key": ""})
    same(runner.harness("numpy"), program(X, np.array(KEY.words, "int32")), pk.pool(X, SPEC, key=KEY))
    plain, more = (SPEC.cost((2, 3, 7, 8), t) for t in (None, {"key": ""}))
    assert (more.operations, more.bytes) == (plain.operations, plain.bytes + 8)
