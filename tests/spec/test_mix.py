"""`pk.Mix`: pools of one input, added or side by side, the same on every framework and in every mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.spec.operation import operation_from_dict

Array = np.ndarray[Any, Any]

TENSORS: dict[str, Callable[[Array], Any]] = {
    "numpy": np.asarray,
    "torch": torch.from_numpy,
    "tensorflow": tf.constant,
    "keras": keras.ops.convert_to_tensor,
    "jax": jnp.asarray,
}

HEAD = {"layout": "NHWC", "keepdims": False}
AVERAGE, LARGEST = pk.GlobalAvgPool(**HEAD), pk.GlobalMaxPool(**HEAD)
SUM = pk.Mix((AVERAGE, LARGEST), how="add", coefficients=(0.25, 2))
SIDES = pk.Mix((AVERAGE, LARGEST), how="cat")
WINDOWS = pk.Mix((pk.AvgPool(3, 2, "same", layout="NCHW"), pk.MaxPool(3, 2, "same", layout="NCHW")), how="add")

X = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype("float32")


def numbers(y: Any) -> Array:
    return np.asarray(y.detach() if hasattr(y, "detach") else y)


@pytest.mark.parametrize("backend", TENSORS)
def test_parts_are_weighted_and_added(backend: str) -> None:
    y = pk.pool(TENSORS[backend](X), SUM)

    np.testing.assert_allclose(numbers(y), 0.25 * X.mean((1, 2)) + 2 * X.max((1, 2)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", TENSORS)
def test_parts_stand_side_by_side_along_channels(backend: str) -> None:
    y = numbers(SIDES(TENSORS[backend](X)))

    assert y.shape == SIDES.output_shape(X.shape) == (2, 6)
    np.testing.assert_array_equal(y[:, 3:], X.max((1, 2)))
    np.testing.assert_allclose(y[:, :3], X.mean((1, 2)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", TENSORS)
def test_without_coefficients_every_part_has_the_same_share(backend: str) -> None:
    x = TENSORS[backend](X)

    np.testing.assert_allclose(
        numbers(WINDOWS(x)), (numbers(WINDOWS.parts[0](x)) + numbers(WINDOWS.parts[1](x))) / 2, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
@pytest.mark.parametrize("mix", [SUM, SIDES, WINDOWS])
def test_what_is_printed_is_what_runs(backend: str, mix: pk.Mix) -> None:
    x = TENSORS[backend](X)
    for program in (pk.lower(mix, backend), pk.lower(mix, backend, shape=X.shape)):
        namespace: dict[str, Any] = {}
        exec(program.source, namespace)
        np.testing.assert_allclose(numbers(namespace["pool"](x)), numbers(mix(x)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("backend", TENSORS)
def test_a_layer(backend: str) -> None:
    layer = SIDES.layer(backend)

    np.testing.assert_allclose(numbers(layer(TENSORS[backend](X))), numbers(SIDES(X)), rtol=1e-5, atol=1e-6)


def test_halves_are_rounded_once() -> None:
    # 100/3 + 100/3 of bfloat16: rounding each part first would give 66.5
    x = torch.full((1, 1, 64), 100.0, dtype=torch.bfloat16)
    third = pk.Mix((pk.GlobalAvgPool(layout="NCL", keepdims=False),) * 2, how="add", coefficients=(1 / 3, 1 / 3))

    assert third(x).dtype is torch.bfloat16
    assert third(x).item() == torch.tensor(200 / 3).bfloat16().item()


def test_integers_become_float32_unless_every_number_is_one_of_the_input() -> None:
    x = np.arange(12).reshape(1, 4, 3)
    greatest = pk.GlobalMaxPool(layout="NLC", keepdims=True)

    assert pk.Mix((greatest, greatest), how="cat")(x).dtype == x.dtype
    assert pk.Mix((greatest, greatest), how="add")(x).dtype == np.float32


def test_gradients() -> None:
    x = torch.from_numpy(X).requires_grad_()
    (gradient,) = torch.autograd.grad(SUM(x).sum(), x)
    expected = torch.full_like(x, 0.25 / 30)
    at = x.flatten(1, 2).argmax(1)
    expected.flatten(1, 2).scatter_add_(1, at[:, None], torch.full((2, 1, 3), 2.0))
    torch.testing.assert_close(gradient, expected)

    np.testing.assert_allclose(jax.grad(lambda x: SUM(x).sum())(jnp.asarray(X)), expected, rtol=1e-6)


def test_sizes_may_be_symbols() -> None:
    compiled = torch.compile(lambda x: WINDOWS(x), dynamic=True, fullgraph=True, backend="eager")
    for n in (5, 6, 9):
        x = torch.randn(1, 2, n, n + 1)
        torch.testing.assert_close(compiled(x), WINDOWS(x))

    traced = tf.function(lambda x: WINDOWS(x), input_signature=[tf.TensorSpec([None, None, None, None])])
    np.testing.assert_allclose(traced(X), WINDOWS(X), rtol=1e-6, atol=1e-6)


def test_a_keras_model_holds_it_and_is_saved(tmp_path: Path) -> None:
    inputs = keras.Input((None, None, 3))
    outputs = [SIDES.layer("keras")(inputs), SUM(inputs)]
    model = keras.Model(inputs, outputs)
    assert [tuple(y.shape) for y in outputs] == [(None, 6), (None, 3)]
    model.save(tmp_path / "m.keras")

    for y, mix in zip(keras.saving.load_model(tmp_path / "m.keras")(X), (SIDES, SUM), strict=True):
        np.testing.assert_allclose(numbers(y), mix(X), rtol=1e-5, atol=1e-6)


def test_stochastic_parts_share_their_samples() -> None:
    once = pk.StochasticPool(2, layout="NCHW")
    twice, x = pk.Mix((once, once), how="cat"), np.abs(X)
    samples = np.random.default_rng(1).random(once.output_shape(x.shape), "float32")  # type: ignore[arg-type]
    drawn = pk.pool(x, once, samples=samples)

    np.testing.assert_array_equal(pk.pool(x, twice, samples=samples), np.concatenate([drawn, drawn], 1))
    program = pk.lower(twice, "numpy", x.shape, tensors={"samples": "NCHW"})
    np.testing.assert_array_equal(program(x, samples), np.concatenate([drawn, drawn], 1))


def test_as_text_and_back() -> None:
    assert operation_from_dict(SUM.to_dict()) == SUM
    assert operation_from_dict(SIDES.to_dict()) == SIDES
    assert eval(repr(SUM), {"Mix": pk.Mix, "PoolSpec": pk.PoolSpec}) == SUM
    assert SUM.replace(layout="NCHW").parts[1] == LARGEST.replace(layout="NCHW")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: pk.Mix((AVERAGE,), how="add"), "a mix has two PoolSpecs or more"),
        (lambda: pk.Mix((AVERAGE, LARGEST), how="max"), 'how="max", and pools are mixed by "add" or "cat"'),
        (lambda: pk.Mix((AVERAGE, LARGEST.replace(keepdims=True)), how="add"), "all parts of a mix have one keepdims"),
        (lambda: pk.Mix((AVERAGE, LARGEST.replace(layout="NCHW")), how="add"), "all parts of a mix have one layout"),
        (lambda: pk.Mix((AVERAGE, LARGEST), how="cat", coefficients=(1, 1)), '"cat" weights nothing'),
        (lambda: pk.Mix((AVERAGE, LARGEST), how="add", coefficients=(1,)), "a mix of 2 parts has 2 finite numbers"),
        (lambda: pk.Mix((AVERAGE, LARGEST), how="add", coefficients=(1, float("nan"))), "2 finite numbers"),
        (lambda: pk.Mix((AVERAGE, LARGEST.replace(indices=True)), how="add"), "no position"),
        (lambda: pk.Mix((pk.MaxPool(2, layout="NHW"),) * 2, how="cat"), "name the channels C"),
    ],
)
def test_an_impossible_mix(make: Callable[[], object], text: str) -> None:
    with pytest.raises(pk.SpecError, match=text.replace("(", r"\(")):
        make()


def test_parts_of_different_sizes() -> None:
    mix = pk.Mix((pk.MaxPool(2, layout="NCL"), pk.MaxPool(3, layout="NCL")), how="add")

    with pytest.raises(pk.ShapeError, match=r"give \(1, 1, 3\) and \(1, 1, 2\); they are mixed cell by cell"):
        mix(np.zeros((1, 1, 6)))
