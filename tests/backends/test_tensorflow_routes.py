"""Every route of TensorFlow, by name, against the fold: values, ties, NaN, infinities, gradients, long sums."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.lowering.plan import plan_of
from poolkit.programs.program import record
from poolkit.running.dispatch import pool_through
from poolkit_tensorflow import ADAPTER, routes_fold, routes_sum
from tests.helpers.tensorflow_routes import ALL, FIRST, LONG_WINDOWS, MAP, MODES, inputs, offered, routes

CASES = [
    *LONG_WINDOWS,
    ("reduce_mean", pk.PoolSpec("avg", output_size=1, layout="NHWC"), (2, 7, 8, 3)),
    ("reduce_mean", pk.PoolSpec("sum", output_size=1, layout="NCHW", keepdims=False), (2, 3, 7, 8)),
    ("convolution", pk.AvgPool(3, 2, "same", layout="NHWC"), (2, 8, 9, 3)),
    ("channelwise", pk.BlurPool(3, 2, layout="NHWC"), MAP),
    ("channelwise", pk.BlurPool(3, 1, layout="NCHW"), FIRST),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (2, 3, 20, 30)),
    ("rows", pk.PoolSpec("sum", output_size=1, layout="CHW", keepdims=False), (3, 20, 30)),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="NCL"), (2, 3, 300)),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="NCDHW"), (2, 3, 5, 6, 7)),
    ("rows", pk.PoolSpec("avg", output_size=1, layout="HW", keepdims=False), (20, 30)),
    ("rows_taped", pk.PoolSpec("avg", output_size=1, layout="NCHW"), (2, 3, 20, 30)),
    ("stages_taped", pk.PoolSpec("sum", output_size=(2, 3), layout="NHWC"), (2, 28, 9, 3)),
    ("stages_taped", pk.PoolSpec("avg", output_size=1, layout="NHWC", keepdims=False), (2, 30, 20, 3)),
    ("stages_unhalved", pk.PoolSpec("avg", output_size=1, layout="NTHWC", axes="TH"), (2, 20, 30, 3, 4)),
    ("stages_unhalved", pk.PoolSpec("sum", output_size=(2, 3), layout="NCHW"), (2, 3, 28, 9)),
    ("pairs", pk.PoolSpec("avg", output_size=1, layout="NHWC"), (2, 13, 17, 3)),
    ("pairs", pk.PoolSpec("sum", output_size=(None, 1), layout="NCHW"), (2, 3, 5, 19)),
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
    ("avg_pools_wide", pk.PoolSpec("sum", output_size=2, layout="NHWC"), (2, 14, 60, 3)),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), MAP),
    ("max_pool", pk.PoolSpec("min", window=3, stride=1, padding=1, layout="NCHW"), FIRST),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, layout="NLC"), (2, 9, 3)),
    ("avg_pool_padded", pk.PoolSpec("avg", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("avg_pool_padded", pk.PoolSpec("avg", window=3, padding=((2, 0), (1, 1)), layout="NCHW"), FIRST),
    ("avg_pool_padded", pk.AvgPool(2, 3, 1, ceil_mode=True, count_include_pad=True, layout="NHWC"), MAP),
    ("avg_pool_padded", pk.PoolSpec("sum", window=2, padding="causal", layout="NLC"), (2, 9, 3)),
    ("avg_pool_padded", pk.PoolSpec("avg", window=2, padding=1, layout="NDHWC"), (2, 4, 6, 4, 3)),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool", pk.PoolSpec("min", window=4, stride=3, padding=((2, 1), (0, 2)), layout="NCHW"), FIRST),
    ("max_pool", pk.PoolSpec("max", window=3, stride=2, padding="causal", layout="NLC"), (2, 9, 3)),
    ("max_pool", pk.PoolSpec("min", window=2, layout="NCDHW"), (2, 3, 4, 6, 4)),
    ("max_pool_explicit", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool_explicit", pk.PoolSpec("min", window=4, stride=3, padding=((2, 1), (0, 2)), layout="NCHW"), FIRST),
    ("max_pool_explicit", pk.PoolSpec("max", window=3, stride=2, padding="causal", layout="NLC"), (2, 9, 3)),
    ("max_pool_marked", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool_marked", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW"), FIRST),
    ("max_pool_marked", pk.PoolSpec("min", window=4, stride=3, padding=((2, 1), (0, 2)), layout="NCHW"), FIRST),
    ("max_pool_marked", pk.PoolSpec("min", window=3, stride=2, padding="same_lower", layout="NLC"), (2, 9, 3)),
    ("max_pool_marked", pk.PoolSpec("max", output_size=(2, None), layout="NHWC"), MAP),
    ("max_pool_branched", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("max_pool_branched", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), MAP),
    ("max_pool_branched", pk.PoolSpec("min", window=5, stride=1, padding=2, layout="NCHW"), FIRST),
    ("max_pool_branched", pk.MinPool((3, 2), (1, 2), ((0, 2), (0, 1)), layout="NCHW"), FIRST),
    ("max_pool_branched", pk.PoolSpec("max", output_size=(2, None), layout="NHWC"), MAP),
    ("max_pool_branched", pk.MinPool((2, 3, 2), (1, 2, 1), "same", layout="NCDHW"), (2, 3, 4, 6, 4)),
    ("compiled_taped", pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NHWC"), MAP),
    ("compiled_taped", pk.PoolSpec("min", window=2, layout="NCDHW"), (2, 3, 4, 6, 4)),
    ("compiled", pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=5, stride=1, padding="same", layout="NCHW"), FIRST),
    ("compiled", pk.PoolSpec("min", window=(4, 2), stride=(3, 2), padding=((2, 1), (1, 0)), layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=2, stride=3, ceil_mode=True, layout="CHW"), (3, 8, 12)),
    ("compiled", pk.PoolSpec("max", output_size=(4, 3), layout="NHWC"), MAP),
    ("compiled", pk.PoolSpec("max", window=2, layout="NDHWC"), (2, 4, 6, 4, 3)),
    *[
        (route, spec, shape)
        for route in ("fold_in_graph", "fold_compiled")
        for spec, shape in (
            (pk.PoolSpec("avg", output_size=5, layout="NHWC"), MAP),
            (pk.PoolSpec("max", output_size=(5, 1), layout="NCHW"), FIRST),
            (pk.PoolSpec("min", output_size=5, layout="NLC"), (2, 37, 3)),
            (pk.PoolSpec("sum", window=6, stride=1, padding="same", layout="NHWC"), MAP),
            (pk.PoolSpec("avg", window=6, stride=1, layout="NCHW"), FIRST),  # of whose calls none is tf's
        )
    ],
    ("max_pool_branched", pk.GlobalMaxPool(layout="NHWC", keepdims=True), MAP),
    *[
        (route, pk.PoolSpec(kind, output_size=1, layout=layout), shape)
        for route in ("reduce", "first", "first_taped")
        for kind, layout, shape in (
            ("max", "NHWC", MAP),
            ("min", "NCHW", FIRST),
            ("max", "NCHW", (2, 3, 5, 6)),
            ("max", "NLC", (2, 9, 3)),
            ("max", "NDHWC", (2, 4, 6, 4, 3)),
        )
    ],
]


def pooled(x: Any, spec: pk.PoolSpec, route: str) -> tuple[Any, Any]:
    """The values, and the gradient of their sum with weights 1 to 7."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pool_through(x, spec, route)
    weights = tf.reshape(tf.cast(tf.range(tf.size(y)) % 7 + 1, y.dtype), tf.shape(y))
    return y, tape.gradient(y, x, weights)


def values_alone(x: Any, spec: pk.PoolSpec, route: str) -> tuple[Any, Any]:
    return pool_through(x, spec, route), None


def modes(route: str, spec: pk.PoolSpec) -> set[str]:
    """In 3-d, MaxPool's own gradient gives every one of equal maxima all."""
    return {"eager"} if route == "max_pool" and len(spec.layout) == 5 else MODES.get(route, ALL)


@pytest.mark.parametrize(
    ("route", "spec", "shape", "mode"),
    [(*case, mode) for case in CASES for mode in sorted(modes(case[0], case[1]))],
    ids=str,
)
def test_a_route_gives_what_the_fold_gives(
    route: str, spec: pk.PoolSpec, shape: tuple[int, ...], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_sum, "MANY", 0)
    monkeypatch.setattr(routes_fold, "MANY", 0)
    run = {"eager": values_alone, "tape": pooled, "graph": tf.function(pooled)}[mode]
    for name, x in inputs(spec.kind, shape).items():
        values, gradient = run(tf.constant(x), spec, route)
        right, right_gradient = pooled(tf.constant(x), spec, "fold")
        tolerance = 0 if spec.kind in ("max", "min") else 1e-6
        np.testing.assert_allclose(values, right, rtol=tolerance, atol=tolerance, err_msg=name)
        # docs/semantics.md (4, 5): not specified
        free = {"nan", "low", "high"} if route == "max_pool_marked" else {"nan"}
        if name not in free and gradient is not None:
            np.testing.assert_allclose(gradient, right_gradient, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("route", "spec", "shape", "mode"),
    [(*case, mode) for case in CASES for mode in sorted(ALL - modes(case[0], case[1]))],
    ids=str,
)
def test_a_route_is_offered_in_no_other_mode(
    route: str, spec: pk.PoolSpec, shape: tuple[int, ...], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_sum, "MANY", 0)
    monkeypatch.setattr(routes_fold, "MANY", 0)
    names: list[str] = []

    @tf.function
    def traced(x: Any) -> None:
        names.extend(offered(x, spec))

    with tf.GradientTape() if mode == "tape" else contextlib.nullcontext():
        traced(tf.ones(shape)) if mode == "graph" else names.extend(offered(tf.ones(shape), spec))
    assert "fold" in names
    assert route not in names


MIXES = [
    (pk.MaxPool(2, 2, "same", layout="NCHW"), pk.MaxPool(3, 2, "same", layout="NCHW")),
    (pk.PoolSpec("avg", output_size=(2, 3), layout="NCHW"), pk.PoolSpec("max", output_size=(2, 3), layout="NCHW")),
    (pk.MaxPool(3, 2, "same", layout="NCHW"), pk.MinPool(3, 2, "same", layout="NCHW")),
]


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("parts", MIXES, ids=["compiled and branched", "stages and compiled", "branched twice"])
def test_a_mix_whose_parts_go_different_ways(parts: tuple[pk.PoolSpec, ...], jit: bool) -> None:
    """One part may be for XLA and another not."""
    mix, x = pk.Mix(parts, how="add", coefficients=(0.5, 0.25)), tf.constant(inputs("max", FIRST)["ties"])

    def by_pool(x: Any) -> Any:
        return pk.pool(x, mix)

    def by_folds(x: Any) -> Any:
        return 0.5 * pool_through(x, parts[0], "fold") + 0.25 * pool_through(x, parts[1], "fold")

    def gradient(x: Any, run: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = run(x)
        return y, tape.gradient(y, x, y)

    found = tf.function(lambda x: gradient(x, by_pool), jit_compile=jit)(x)
    for got, right in zip(found, gradient(x, by_folds), strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-5, atol=1e-6)


def test_a_mix_of_large_maps_under_a_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_sum, "MANY", 0)
    mix, x = pk.Mix(MIXES[1], how="cat"), tf.constant(inputs("max", (2, 5, 8, 12))["nan"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pk.pool(x, mix)
    np.testing.assert_allclose(y, tf.concat([pool_through(x, p, "fold") for p in MIXES[1]], 1), rtol=1e-6)
    assert tape.gradient(y, x).shape == x.shape


def test_a_printed_program_may_be_traced() -> None:
    spec, x = pk.MaxPool(3, 2, "same", layout="NHWC"), tf.constant(inputs("max", MAP)["nan"])
    program = pk.lower(spec, "tensorflow", shape=MAP)
    for run in (program, tf.function(program.function)):
        np.testing.assert_array_equal(run(x), pool_through(x, spec, "fold"))


def test_a_program_of_a_graph_is_not_taken_by_xla() -> None:
    spec, x = pk.MaxPool(3, 2, layout="NHWC"), tf.ones((1, 9, 9, 2))
    texts = [
        str(tf.function(lambda x: pk.pool(x, spec), jit_compile=jit).get_concrete_function(x).graph.as_graph_def())
        for jit in (False, True)
    ]
    assert ["MaxPool" in text for text in texts] == [True, False]


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


def test_a_branched_maximum_knows_its_batch() -> None:
    shapes = []

    @tf.function
    def run(x: Any) -> Any:
        shapes.append(pool_through(x, pk.MaxPool(2, layout="NHWC"), "max_pool_branched").shape)

    run(tf.ones(MAP))
    assert shapes == [(2, 4, 6, 3)]


def test_large_maps_without_a_tape_are_added_up_by_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    x, spec = tf.ones((2, 40, 40, 3)), pk.PoolSpec("avg", output_size=2, layout="NHWC")  # 400 cells a window
    assert offered(x, spec)[:2] == ["avg_pools_wide", "avg_pools"]
    monkeypatch.setattr(routes_sum, "LARGE", 0)
    assert offered(x, spec)[0] == "stages_unhalved"


def test_every_route_has_a_case() -> None:
    assert {route.name for route in ADAPTER.routes} == {case[0] for case in CASES}


def test_xla_compiles_the_selections_alone() -> None:
    plan = plan_of(pk.MaxPool(2, layout="NHWC"), 4, "float32", lambda at: (4, True), ADAPTER.widen)
    route = next(route for route in ADAPTER.routes if route.name == "compiled")
    program = record(lambda o, x: route.lower(o, x, plan)[0], ADAPTER.ops(4, "float32"), "a title", "tensorflow", "")
    assert program.source.splitlines()[-1] == "    return tf.function(f5, jit_compile=True, autograph=False)()"
    assert program(tf.ones([3, 4, 4, 2])).shape == (3, 2, 2, 2)


def test_a_batch_that_is_not_known_is_compiled_too() -> None:
    spec = pk.MaxPool(2, layout="NCHW")

    @tf.function(input_signature=[tf.TensorSpec((None, 3, 8, 12))])
    def run(x: Any) -> Any:
        assert offered(x, spec)[0] == "compiled"
        return pk.pool(x, spec)

    graph = run.get_concrete_function().graph.as_graph_def()
    assert any("XlaMustCompile" in str(f.attr) for f in graph.library.function)


def test_3d_maxima_and_float64_averages_are_not_left_to_native_calls() -> None:
    cube = pk.PoolSpec("max", window=2, layout="NDHWC")
    assert "max_pool" not in routes(cube, (1, 4, 4, 4, 2))
    assert "max_pool" in routes(cube, (1, 4, 4, 4, 2), derivative=False)
    assert routes(pk.PoolSpec("avg", window=2, layout="NDHWC"), (1, 4, 4, 4, 2), "float64") == ["fold", "convolution"]
