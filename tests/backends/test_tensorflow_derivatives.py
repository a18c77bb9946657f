"""Derivatives in TensorFlow where its own pools have wrong ones or none, and what a tape decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit_tensorflow.routes_facts import Traced
from tests.helpers.tensorflow_routes import FIRST, MAP, inputs, offered, routes, second_gradient


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("padding", ["valid", "same", 1])
def test_the_second_gradient_of_windows_of_minus_infinity(padding: Any, dtype: str, jit: bool) -> None:
    """TensorFlow's own finds no cell there that equals the result, the lowest number, and gives 0."""
    spec = pk.PoolSpec("max", window=3, stride=2, padding=padding, layout="NHWC")
    x = tf.constant(inputs("max", MAP)["low"], dtype)
    weights = tf.random.stateless_uniform(spec.output_shape(MAP), (0, 1), dtype=dtype)
    outer = tf.random.stateless_uniform(MAP, (2, 3), dtype=dtype)

    def second(pool: Any) -> Any:
        return second_gradient(pool, x, weights, outer)

    np.testing.assert_allclose(
        tf.function(second, jit_compile=jit)(spec), second(lambda x: pool_through(x, spec, "fold")), rtol=1e-6
    )


def test_forward_mode_through_windows_of_minus_infinity() -> None:
    x, direction = tf.constant(inputs("max", MAP)["low"]), tf.random.stateless_uniform(MAP, (4, 5))
    spec = pk.MaxPool(2, layout="NHWC")

    def tangent(route: str | None) -> Any:
        with tf.autodiff.ForwardAccumulator(x, direction) as forward:
            y = pk.pool(x, spec) if route is None else pool_through(x, spec, route)
        return forward.jvp(y)

    np.testing.assert_array_equal(tf.function(tangent)(None), tangent("fold"))


@pytest.mark.parametrize("kind", ["softmax", "logsumexp"])
def test_forward_mode_of_cells_without_weight(kind: str) -> None:
    """It takes the derivative of a product by its constant, too, which for a masked cell is -inf."""
    spec = pk.PoolSpec(kind, output_size=1, layout="NCL", beta=10.0)
    x, mask = tf.constant([[[1.0, 9.0, 2.0]]]), tf.constant([[True, False, True]])
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as forward:
        y = pk.pool(x, spec, mask=mask)
    # Of a softmax, weights times 1 + beta * (cell - average), which are added up: 1e-6 of beta times the largest cell.
    np.testing.assert_allclose(forward.jvp(y), [[[1.0]]], atol=1e-6 * 10 * 2)


def test_xla_s_second_gradient_takes_the_right_one_of_close_numbers() -> None:
    """That of MaxPool compares the upper halves of float32 numbers."""
    spec, shape = pk.MaxPool(3, 2, layout="NHWC"), (2, 31, 31, 16)
    x = tf.random.stateless_normal(shape, (0, 1))
    weights, outer = tf.ones(spec.output_shape(shape)), tf.random.stateless_uniform(shape, (2, 3))

    def second(pool: Any) -> Any:
        return second_gradient(pool, x, weights, outer)

    np.testing.assert_array_equal(
        tf.function(second, jit_compile=True)(spec), second(lambda x: pool_through(x, spec, "fold"))
    )


def test_a_tape_decides_whether_a_derivative_may_be_taken() -> None:
    """MaxPool's own explicit padding has no second gradient."""
    spec, x = pk.MaxPool(3, 2, 1, layout="NHWC"), tf.ones(MAP)
    explicit = ["max_pool_explicit" in offered(x, spec)]
    with tf.GradientTape() as tape:
        explicit.append("max_pool_explicit" in offered(x, spec))
        with tape.stop_recording():
            explicit.append("max_pool_explicit" in offered(x, spec))
    with tf.autodiff.ForwardAccumulator(x, x):
        explicit.append("max_pool_explicit" in offered(x, spec))
    assert explicit == [True, False, True, False]
    assert "max_pool_explicit" not in routes(spec, MAP)  # nor in a program that is printed


def test_a_call_before_a_tape_does_not_decide_for_one_under_it() -> None:
    spec, x = pk.MaxPool(3, 2, 1, layout="NHWC"), tf.constant(inputs("max", MAP)["ties"])
    weights = tf.ones(spec.output_shape(MAP))
    pk.pool(x, spec)
    outer = tf.random.stateless_uniform(MAP, (2, 3))
    np.testing.assert_allclose(
        second_gradient(lambda x: pk.pool(x, spec), x, weights, outer),
        second_gradient(lambda x: pool_through(x, spec, "fold"), x, weights, outer),
        rtol=1e-6,
    )


def test_a_taped_program_takes_variables_and_other_batches() -> None:
    spec = pk.PoolSpec("avg", output_size=2, layout="NHWC")
    for batch in (2, 3):
        x = tf.Variable(tf.ones((batch, 80, 80, 128)))
        with tf.GradientTape() as tape:
            assert offered(x, spec)[0] == "stages_taped"
            y = pk.pool(x, spec)
        np.testing.assert_allclose(tape.gradient(y, x), np.full(x.shape, 1 / 1600), rtol=1e-6)


def test_a_taped_program_has_a_second_gradient_and_a_tangent() -> None:
    spec, shape = pk.PoolSpec("avg", output_size=2, layout="NHWC"), (2, 80, 80, 128)
    x, outer = tf.random.stateless_normal(shape, (0, 1)), tf.random.stateless_normal(shape, (2, 3))
    weights = tf.ones(spec.output_shape(shape))
    right = pool_through(outer, spec, "fold")
    np.testing.assert_allclose(second_gradient(lambda x: pk.pool(x, spec), x, weights, outer), right, atol=1e-6)
    with tf.autodiff.ForwardAccumulator(x, outer) as forward:
        y = pk.pool(x, spec)
    np.testing.assert_allclose(forward.jvp(y), right, atol=1e-6)


@pytest.mark.parametrize(
    "spec", [pk.MaxPool(2, layout="NHWC"), pk.GlobalMaxPool(layout="NHWC", keepdims=True)], ids=str
)
def test_maxima_in_a_function_are_vectorized(spec: pk.PoolSpec) -> None:
    """For which the branches of tf.cond have to have one shape, as they have for XLA; with a gradient there is none."""
    x = tf.random.stateless_normal((2, 4, 4, 3), (0, 1))
    np.testing.assert_array_equal(
        tf.vectorized_map(lambda z: pk.pool(z, spec), tf.stack([x, -x])),
        [pool_through(x, spec, "fold"), pool_through(-x, spec, "fold")],
    )
    run = tf.function(lambda z: pk.pool(z, spec))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = run(x)
    np.testing.assert_array_equal(tape.jacobian(y, x), tape.jacobian(y, x, experimental_use_pfor=False))
    right = [pool_through_slopes(each, spec) for each in (x, -x)]
    np.testing.assert_array_equal(tf.vectorized_map(lambda z: slopes_of(z, spec), tf.stack([x, -x])), right)


@pytest.mark.parametrize(("kind", "far"), [("softmax", 100.0), ("gem", 1e20)])
def test_kinds_by_sums_in_a_function(kind: str, far: float) -> None:
    """A branch holds the fold, and vectorized_map, which takes no gradient through a branch, has the fold alone."""
    spec, x = pk.PoolSpec(kind, window=3, stride=2, layout="NHWC"), tf.random.stateless_normal((2, 1, 7, 7, 3), (0, 1))

    def slopes(x: Any) -> Any:
        return slopes_of(x, spec)

    run = tf.function(slopes)
    for size in (1.0, far):
        right = [pool_through_slopes(each * size, spec) for each in x]
        np.testing.assert_allclose([run(each * size) for each in x], right, rtol=1e-4, atol=1e-4)
        together = tf.vectorized_map(slopes, x * size, fallback_to_while_loop=False)
        np.testing.assert_allclose(together, right, rtol=1e-4, atol=1e-4)
    assert "If" in {op.type.removeprefix("Stateless") for op in run.get_concrete_function(x[0]).graph.get_operations()}


def slopes_of(x: Any, spec: pk.PoolSpec) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pk.pool(x, spec)
    return tape.gradient(y, x)


def pool_through_slopes(x: Any, spec: pk.PoolSpec) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pool_through(x, spec, "fold")
    return tape.gradient(y, x)


@pytest.mark.parametrize(
    ("spec", "shape", "first"),
    [
        (pk.MaxPool(2, layout="NHWC"), MAP, "max_pool_branched"),
        (pk.MaxPool(2, layout="NCHW"), FIRST, "compiled"),
        (pk.MaxPool(2, layout="NDHWC"), (2, 4, 6, 4, 3), "max_pool_branched"),
        (pk.MaxPool(9, 1, "same", layout="NHWC"), (2, 20, 20, 3), "max_pool_branched"),
        (pk.MaxPool(13, 1, "same", layout="NHWC"), (2, 20, 20, 3), "fold_in_graph"),
        (pk.GlobalMaxPool(layout="NHWC", keepdims=True), MAP, "max_pool_branched"),
        (pk.GlobalMaxPool(layout="NCHW", keepdims=True), FIRST, "first"),
    ],
)
def test_what_a_graph_takes_for_maxima(spec: pk.PoolSpec, shape: tuple[int, ...], first: str) -> None:
    """Of channels-last windows side by side oneDNN's gradient takes half the time of what XLA compiles."""
    assert routes(spec, shape, tracing=True, format=Traced(frozenset(), xla=False, loop=False))[0] == first
