"""Every route of TensorFlow, by name, against the fold: values, ties, NaN, infinities, gradients, long sums."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.adapter import Site
from poolkit.dispatch import pool_through
from poolkit.listing import routes_for
from poolkit.lower import routes_of
from poolkit.plan import plan_of
from poolkit.program import record
from poolkit_tensorflow import ADAPTER, routes_sum

MAP, FIRST = (2, 8, 12, 3), (2, 3, 8, 12)
IN_ROWS = ((64, 64, 11, 11), (64, 64, 60, 60), (64, 64, 256, 1), (8, 8, 256, 256))

# route, spec, shape of the input
CASES = [
    ("reduce_mean", pk.PoolSpec("avg", output_size=1, layout="NHWC"), (2, 7, 8, 3)),
    ("reduce_mean", pk.PoolSpec("sum", output_size=1, layout="NCHW", keepdims=False), (2, 3, 7, 8)),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (2, 3, 20, 30)),
    ("rows", pk.PoolSpec("sum", output_size=1, layout="CHW", keepdims=False), (3, 20, 30)),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="NCL"), (2, 3, 300)),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="NCDHW"), (2, 3, 5, 6, 7)),
    ("rows_in_graph", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (2, 3, 20, 30)),
    ("rows_in_graph", pk.PoolSpec("sum", output_size=1, layout="CHW", keepdims=False), (3, 20, 30)),
    ("rows_in_graph", pk.PoolSpec("avg", output_size=1, layout="HW", keepdims=False), (20, 30)),
    ("means", pk.PoolSpec("avg", output_size=1, layout="NCHW", keepdims=False), (2, 3, 20, 30)),
    ("means", pk.PoolSpec("avg", output_size=1, layout="NCL"), (2, 3, 300)),
    ("means", pk.PoolSpec("avg", output_size=1, layout="NCDHW"), (2, 3, 5, 6, 7)),
    ("stages_large", pk.PoolSpec("avg", output_size=(2, None), layout="HWC"), (30, 5, 3)),
    ("stages_taped", pk.PoolSpec("sum", output_size=(2, 3), layout="NHWC"), (2, 28, 9, 3)),
    ("stages_taped", pk.PoolSpec("avg", output_size=1, layout="NHWC", keepdims=False), (2, 30, 20, 3)),
    ("stages_unhalved", pk.PoolSpec("avg", output_size=1, layout="NTHWC", axes="TH"), (2, 20, 30, 3, 4)),
    ("stages_unhalved", pk.PoolSpec("sum", output_size=(2, 3), layout="NCHW"), (2, 3, 28, 9)),
    ("stages", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (2, 3, 20, 30)),
    ("stages", pk.PoolSpec("sum", output_size=1, layout="CHW", keepdims=False), (3, 20, 30)),
    ("stages", pk.PoolSpec("avg", output_size=1, layout="NTHWC", axes="TH", keepdims=False), (2, 20, 30, 3, 4)),
    ("stages", pk.PoolSpec("avg", output_size=(2, None), layout="HWC"), (30, 5, 3)),
    ("stages", pk.PoolSpec("sum", output_size=(2, 3), layout="NHWC"), (2, 28, 9, 3)),
    ("avg_pool", pk.PoolSpec("avg", window=3, stride=1, padding="same", layout="NHWC"), MAP),
    ("avg_pool", pk.PoolSpec("avg", window=3, stride=1, padding=1, layout="NCHW"), FIRST),
    ("avg_pool", pk.PoolSpec("sum", window=2, layout="NLC"), (2, 9, 3)),
    ("avg_pool", pk.PoolSpec("avg", window=2, layout="NDHWC"), (2, 4, 6, 4, 3)),
    ("avg_pool", pk.PoolSpec("avg", output_size=(4, 3), layout="NHWC"), MAP),
    ("avg_pools", pk.PoolSpec("avg", output_size=(2, 3), layout="NHWC"), (2, 40, 30, 3)),
    ("avg_pools", pk.PoolSpec("sum", output_size=2, layout="NHWC"), (2, 14, 60, 3)),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), MAP),
    ("max_pool", pk.PoolSpec("min", window=3, stride=1, padding=1, layout="NCHW"), FIRST),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, layout="NLC"), (2, 9, 3)),
    ("avg_pool_padded", pk.PoolSpec("avg", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("avg_pool_padded", pk.PoolSpec("avg", window=3, padding=((2, 0), (1, 1)), layout="NCHW"), FIRST),
    (
        "avg_pool_padded",
        pk.PoolSpec("avg", window=2, stride=3, padding=1, ceil_mode=True, count_include_pad=True, layout="NHWC"),
        MAP,
    ),
    ("avg_pool_padded", pk.PoolSpec("sum", window=2, padding="causal", layout="NLC"), (2, 9, 3)),
    ("avg_pool_padded", pk.PoolSpec("avg", window=2, padding=1, layout="NDHWC"), (2, 4, 6, 4, 3)),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool", pk.PoolSpec("min", window=4, stride=3, padding=((2, 1), (0, 2)), layout="NCHW"), FIRST),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, padding="causal", layout="NLC"), (2, 9, 3)),
    ("max_pool", pk.PoolSpec("min", window=2, layout="NCDHW"), (2, 3, 4, 6, 4)),
    ("max_pool_explicit", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool_explicit", pk.PoolSpec("min", window=4, stride=3, padding=((2, 1), (0, 2)), layout="NCHW"), FIRST),
    ("max_pool_explicit", pk.PoolSpec("max", window=3, stride=2, padding="causal", layout="NLC"), (2, 9, 3)),
    ("max_pool_branched", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool_branched", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), MAP),
    ("max_pool_branched", pk.PoolSpec("min", window=5, stride=1, padding=2, layout="NCHW"), FIRST),
    ("max_pool_branched", pk.PoolSpec("max", window=2, layout="NHWC"), MAP),
    (
        "max_pool_branched",
        pk.PoolSpec("min", window=(3, 2), stride=(1, 2), padding=((0, 2), (0, 1)), layout="NCHW"),
        FIRST,
    ),
    ("max_pool_branched", pk.PoolSpec("max", output_size=(2, None), layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=5, stride=1, padding="same", layout="NCHW"), FIRST),
    ("compiled", pk.PoolSpec("min", window=(4, 2), stride=(3, 2), padding=((2, 1), (1, 0)), layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=2, stride=3, ceil_mode=True, layout="CHW"), (3, 8, 12)),
    ("compiled", pk.PoolSpec("max", output_size=(4, 3), layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=2, layout="NDHWC"), (2, 4, 6, 4, 3)),
]


# Where a route is offered, if not everywhere: eager calls, those that a tape records, functions that are traced.
MODES = {
    "avg_pools": {"eager", "tape"},
    "compiled": {"graph"},
    "max_pool": {"eager", "tape"},
    "max_pool_branched": {"graph"},
    "max_pool_explicit": {"eager"},
    "means": {"eager"},
    "rows": {"eager", "tape"},
    "rows_in_graph": {"graph"},
    "stages_large": {"eager"},
    "stages_taped": {"tape"},
    "stages_unhalved": {"eager", "graph"},
}


def routes(spec: pk.PoolSpec, shape: tuple[int, ...], dtype: str = "float32", **site: Any) -> list[str]:
    plan = plan_of(spec, len(shape), dtype, lambda at: (shape[at], True), ADAPTER.widen)
    return [route.name for route in routes_of(ADAPTER, plan, Site(**site))]


def inputs(kind: str, shape: tuple[int, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """Whole numbers, so that there are ties and sums are exact; and for a selection what is not finite."""
    rng = np.random.default_rng(1)
    made = {"ties": rng.integers(-3, 4, shape).astype("float32")}
    if kind in ("max", "min"):
        nan, low = made["ties"].copy(), made["ties"].copy()
        nan[rng.random(shape) < 0.05] = np.nan
        low[rng.random(shape) < 0.6] = -np.inf
        low.reshape(-1)[: low.size // 2] = -np.inf
        made |= {"nan": nan, "low": low, "high": -low}
    return made


def offered(x: Any, spec: pk.PoolSpec) -> list[str]:
    return [route.name for route in routes_for(x, spec)]


def pooled(x: Any, spec: pk.PoolSpec, route: str) -> tuple[Any, Any]:
    """The values, and the gradient of their sum with weights 1 to 7; no values where the route is not offered."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        if route not in offered(x, spec):
            return None, None
        y = pool_through(x, spec, route)
    weights = tf.reshape(tf.cast(tf.range(tf.size(y)) % 7 + 1, y.dtype), tf.shape(y))
    return y, tape.gradient(y, x, weights)


def values_alone(x: Any, spec: pk.PoolSpec, route: str) -> tuple[Any, Any]:
    return (pool_through(x, spec, route) if route in offered(x, spec) else None), None


@pytest.mark.parametrize(
    ("mode", "run"),
    [("eager", values_alone), ("tape", pooled), ("graph", tf.function(pooled))],
    ids=["eager", "tape", "graph"],
)
@pytest.mark.parametrize(("route", "spec", "shape"), CASES, ids=lambda value: str(value))
def test_a_route_gives_what_the_fold_gives(
    route: str, spec: pk.PoolSpec, shape: tuple[int, ...], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = {"eager": values_alone, "tape": pooled, "graph": tf.function(pooled)}[mode]
    monkeypatch.setattr(routes_sum, "MANY", 0)
    monkeypatch.setattr(routes_sum, "LARGE", 0)
    cube = len(spec.layout) == 5 and route == "max_pool"  # whose own gradient gives every one of equal maxima all
    modes = {"eager"} if cube else MODES.get(route, {mode})
    for name, x in inputs(spec.kind, shape).items():
        values, gradient = run(tf.constant(x), spec, route)
        assert (values is not None) == (mode in modes)
        if values is None:
            return
        right, right_gradient = pooled(tf.constant(x), spec, "fold")
        tolerance = 0 if spec.kind in ("max", "min") else 1e-6
        np.testing.assert_allclose(values, right, rtol=tolerance, atol=tolerance, err_msg=name)
        if name != "nan" and gradient is not None:  # the gradient through a window with NaN is not specified
            np.testing.assert_allclose(gradient, right_gradient, rtol=1e-5, atol=1e-5, err_msg=name)


def second_gradient(pool: Any, x: Any, weights: Any, outer: Any) -> Any:
    """What the gradient of the weighted result, weighted once more, has for a gradient with respect to the weights."""
    with tf.GradientTape() as over:
        over.watch(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pool(x)
        gradient = tape.gradient(y, x, weights)
    return over.gradient(gradient, weights, outer)


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


@pytest.mark.parametrize(
    "spec",
    [
        pk.PoolSpec("avg", output_size=2, layout="NCHW"),
        pk.PoolSpec("avg", output_size=1, layout="NCHW", keepdims=True),
        pk.PoolSpec("avg", window=2, stride=1, padding="same", layout="NCHW"),
        pk.PoolSpec("avg", window=3, stride=2, padding=1, layout="NCHW"),
        pk.PoolSpec("max", window=2, layout="NCHW"),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch", [2, None])
def test_channels_that_turn_out_to_be_none(spec: pk.PoolSpec, batch: int | None) -> None:
    @tf.function(input_signature=[tf.TensorSpec([batch, None, 20, 30])])
    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pk.pool(x, spec)
        return y, tape.gradient(y, x)

    for channels in (0, 3):
        shape = (2, channels, 20, 30)
        y, dx = gradient(tf.ones(shape))
        assert (y.shape, dx.shape) == (spec.output_shape(shape), shape)


def test_forward_mode_through_windows_of_minus_infinity() -> None:
    x, direction = tf.constant(inputs("max", MAP)["low"]), tf.random.stateless_uniform(MAP, (4, 5))
    spec = pk.MaxPool(2, layout="NHWC")

    def tangent(route: str | None) -> Any:
        with tf.autodiff.ForwardAccumulator(x, direction) as forward:
            y = pk.pool(x, spec) if route is None else pool_through(x, spec, route)
        return forward.jvp(y)

    np.testing.assert_array_equal(tf.function(tangent)(None), tangent("fold"))


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


def test_a_program_of_a_graph_is_not_taken_by_xla() -> None:
    spec, x = pk.MaxPool(3, 2, layout="NHWC"), tf.ones((1, 9, 9, 2))
    texts = [
        str(tf.function(lambda x: pk.pool(x, spec), jit_compile=jit).get_concrete_function(x).graph.as_graph_def())
        for jit in (False, True)
    ]
    assert ["MaxPool" in text for text in texts] == [True, False]


def test_every_route_has_a_case() -> None:
    assert {route.name for route in ADAPTER.routes} == {case[0] for case in CASES}


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize(
    ("route", "spec", "shape"),
    [
        ("reduce_mean", pk.PoolSpec("avg", output_size=1, layout="NHWC"), (64, 8, 8, 64)),
        ("avg_pool", pk.PoolSpec("avg", window=5, layout="NHWC"), (64, 5, 5, 64)),
        ("stages", pk.PoolSpec("avg", output_size=1, layout="NHWC"), (16, 60, 60, 8)),
        ("stages", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (16, 8, 60, 60)),
        ("stages", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (16, 2, 128, 128)),
        ("stages", pk.PoolSpec("avg", output_size=1, layout="NHWC"), (16, 112, 112, 2)),
    ],
    ids=str,
)
def test_sums_of_constants_stay_within_four_eps(
    route: str, spec: pk.PoolSpec, shape: tuple[int, ...], jit: bool
) -> None:
    """Constants are the worst: each addition of a running sum is rounded the same way."""
    one = tuple(1 if letter in "HW" else n for letter, n in zip(spec.layout, shape, strict=True))
    constants = (100 * np.random.default_rng(0).random(one)).astype("float32")
    run = tf.function(lambda x: pool_through(x, spec, route), jit_compile=jit)
    error = np.abs(run(np.broadcast_to(constants, shape)).numpy().astype("float64") - constants) / constants

    assert error.max() <= 4 * np.finfo("float32").eps


@pytest.mark.parametrize("mode", ["eager", "tape", "graph"])
@pytest.mark.parametrize(
    ("route", "shape"),
    [
        *((name, shape) for name in ("rows", "means", "rows_in_graph") for shape in IN_ROWS),
        ("avg_pools", (64, 60, 60, 64)),
        ("avg_pools", (8, 210, 210, 64)),
        ("avg_pools", (8, 256, 256, 64)),
        *((name, (8, n, n, 64)) for name in ("stages_unhalved", "stages_large", "stages_taped") for n in (112, 210)),
    ],
)
def test_sums_of_constants_in_their_modes_stay_within_four_eps(route: str, shape: tuple[int, ...], mode: str) -> None:
    """Routes that are for some modes only."""
    if mode not in MODES[route]:
        return
    layout = "NCHW" if shape in IN_ROWS else "NHWC"
    one = tuple(1 if letter in "HW" else n for letter, n in zip(layout, shape, strict=True))
    constants = (100 * np.random.default_rng(0).random(one)).astype("float32")
    x, spec = tf.constant(np.broadcast_to(constants, shape)), pk.PoolSpec("avg", output_size=1, layout=layout)
    with tf.GradientTape() if mode == "tape" else contextlib.nullcontext():
        run = tf.function(pool_through) if mode == "graph" else pool_through
        values = run(x, spec, route)
    error = np.abs(values.numpy().astype("float64") - constants) / constants
    assert error.max() <= 4 * np.finfo("float32").eps


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
    assert second_gradient(lambda x: pk.pool(x, spec), x, weights, tf.ones(MAP)).shape == weights.shape


def test_a_branched_maximum_knows_its_batch() -> None:
    shapes = []

    @tf.function
    def run(x: Any) -> Any:
        shapes.append(pool_through(x, pk.MaxPool(2, layout="NHWC"), "max_pool_branched").shape)

    run(tf.ones(MAP))
    assert shapes == [(2, 4, 6, 3)]


def test_a_taped_program_takes_variables_and_other_batches() -> None:
    spec = pk.PoolSpec("avg", output_size=2, layout="NHWC")
    for batch in (2, 3):
        x = tf.Variable(tf.ones((batch, 80, 80, 128)))
        with tf.GradientTape() as tape:
            assert offered(x, spec)[0] == "stages_taped"
            y = pk.pool(x, spec)
        np.testing.assert_allclose(tape.gradient(y, x), np.full(x.shape, 1 / 1600), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_accumulate_in_float32(dtype: str) -> None:
    x = tf.cast(tf.fill([1, 64, 64, 2], 100.0), dtype)
    for name in routes(spec := pk.GlobalAvgPool(layout="NHWC", keepdims=False), (1, 64, 64, 2), dtype):
        assert pool_through(x, spec, name).numpy().astype("float32").tolist() == [[100.0, 100.0]]


def test_a_compiled_program_says_so() -> None:
    plan = plan_of(pk.MaxPool(2, layout="NHWC"), 4, "float32", lambda at: (4, True), ADAPTER.widen)
    route = next(route for route in ADAPTER.routes if route.name == "compiled")
    program = record(lambda o, x: route.lower(o, x, plan)[0], ADAPTER.ops(4, "float32"), "a title", "tensorflow", "")

    assert "@tf.function(jit_compile=True, autograph=False)\ndef pool(x):" in program.source
    assert program(tf.ones([3, 4, 4, 2])).shape == (3, 2, 2, 2)


def test_3d_maxima_and_float64_averages_are_not_left_to_native_calls() -> None:
    cube = pk.PoolSpec("max", window=2, layout="NDHWC")
    assert "max_pool" not in routes(cube, (1, 4, 4, 4, 2))
    assert "max_pool" in routes(cube, (1, 4, 4, 4, 2), derivative=False)
    assert routes(pk.PoolSpec("avg", window=2, layout="NDHWC"), (1, 4, 4, 4, 2), "float64") == ["fold"]
