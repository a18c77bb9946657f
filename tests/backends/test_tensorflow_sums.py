"""The precision of TensorFlow's routes for sums, each where it is offered."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.running import dispatch
from poolkit.running.dispatch import pool_through
from poolkit_tensorflow import ADAPTER
from tests.helpers.tensorflow_routes import ALL, MODES, routes

IN_ROWS = ((64, 64, 11, 11), (64, 64, 60, 60), (64, 64, 256, 1), (8, 8, 256, 256), (16, 8, 250, 248))


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


LONG = [
    *((name, shape) for name in ("rows",) for shape in IN_ROWS),
    *((name, (64, 60, 60, 16)) for name in ("avg_pools", "avg_pools_wide")),
    *((name, (8, 210, 210, 8)) for name in ("avg_pools", "avg_pools_wide")),
    ("avg_pools", (8, 256, 256, 4)),
    *(("pairs", (2, n, n, 8)) for n in (13, 19, 65, 257)),
    *((name, (8, n, n, 64)) for name in ("stages_unhalved", "stages_taped") for n in (112, 210)),
]


@pytest.mark.parametrize(
    ("route", "shape", "mode"), [(*case, mode) for case in LONG for mode in sorted(MODES.get(case[0], ALL))]
)
def test_sums_of_constants_in_their_modes_stay_within_four_eps(route: str, shape: tuple[int, ...], mode: str) -> None:
    """Routes that are for some modes only."""
    layout = "NCHW" if shape in IN_ROWS else "NHWC"
    one = tuple(1 if letter in "HW" else n for letter, n in zip(layout, shape, strict=True))
    constants = (100 * np.random.default_rng(0).random(one)).astype("float32")
    x, spec = tf.constant(np.broadcast_to(constants, shape)), pk.PoolSpec("avg", output_size=1, layout=layout)
    with tf.GradientTape() if mode == "tape" else contextlib.nullcontext():
        run = tf.function(pool_through) if mode == "graph" else pool_through
        values = run(x, spec, route)
    error = np.abs(values.numpy().astype("float64") - constants) / constants
    assert error.max() <= 4 * np.finfo("float32").eps


@pytest.mark.parametrize("k", [26, 31, 35, 44, 63, 64])
def test_long_windows_of_constants_stay_within_four_eps(k: int) -> None:
    """Of 9 cells and 7 in a row, 63 are up to 4.2 eps off."""
    spec, constants = pk.AvgPool(k, 1, "same", layout="NHWC"), 1 + np.random.default_rng(0).random(50, "float32")
    x = tf.constant(np.broadcast_to(constants, (1, k + 5, k + 5, 50)))
    run = tf.function(lambda t: pool_through(t, spec, "avg_pools_sliding"))
    error = np.abs(run(x).numpy().astype("float64") / constants - 1)

    assert error.max() <= 4 * np.finfo("float32").eps


@pytest.mark.parametrize(
    ("window", "route", "n"), [(5, "fold", 40), (5, "fold", None), (31, "fold", 40), (31, "avg_pools_sliding", 40)]
)
def test_windows_have_a_gradient_without_strided_slices(window: int, route: str, n: int | None) -> None:
    """That of one takes 5 times as long. What XLA compiles has them, and what is printed."""
    spec = pk.AvgPool(window, 1, "same", layout="NHWC")

    def made(size: int | None, route: str, jit: bool = False) -> set[str]:
        def run(x: tf.Tensor) -> tf.Tensor:
            return tf.gradients(pool_through(x, spec, route), x)[0]

        traced = tf.function(run, jit_compile=jit).get_concrete_function(tf.TensorSpec((1, size, size, 3)))
        return {node.type for node in traced.graph.get_operations()}

    assert {"SplitV", "StridedSliceGrad"} & made(n, route) == {"SplitV"}
    assert "SplitV" not in made(40, "fold", jit=True)
    assert "Split" not in pk.lower(spec, "tensorflow", (1, 40, 40, 3), route="fold").source


def test_second_gradients_in_xla_of_a_function_that_was_traced_outside_of_it() -> None:
    x = tf.constant(np.random.default_rng(0).random((1, 10, 10, 2), "float32"))
    spec = pk.AdaptiveAvgPool(3, layout="NHWC")
    inner = tf.function(lambda t: pool_through(t, spec, "fold"))
    inner(x)

    def second(t: tf.Tensor) -> tf.Tensor:
        first = tf.gradients(inner(t) ** 3, t)[0]
        return tf.gradients(first**2, t)[0]

    np.testing.assert_allclose(tf.function(second, jit_compile=True)(x), tf.function(second)(x), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_accumulate_in_float32(dtype: str) -> None:
    x = tf.cast(tf.fill([1, 64, 64, 2], 100.0), dtype)
    for name in routes(spec := pk.GlobalAvgPool(layout="NHWC", keepdims=False), (1, 64, 64, 2), dtype):
        assert pool_through(x, spec, name).numpy().astype("float32").tolist() == [[100.0, 100.0]]


@pytest.mark.parametrize("printed", [False, True], ids=["pool", "printed"])
@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (4, 8, 112, 112)), ("NHWC", (1, 1000, 1000, 2))])
def test_sums_under_xla_stay_within_four_eps(layout: str, shape: tuple[int, ...], printed: bool) -> None:
    """By the route that is taken, and by the program that is printed: in rows and unhalved, 84 and 40 eps off."""
    spec = pk.GlobalAvgPool(layout=layout, keepdims=True)
    pool = pk.lower(spec, "tensorflow", shape=shape).function if printed else lambda x: pk.pool(x, spec)
    for value in np.random.default_rng(0).uniform(1, 2, 3).astype("float32"):
        error = np.abs(tf.function(pool, jit_compile=True)(tf.fill(shape, value)).numpy().astype("float64") / value - 1)
        assert error.max() <= 4 * np.finfo("float32").eps


def test_a_program_that_is_printed_goes_by_no_sum_that_xla_would_merge() -> None:
    for layout, shape in (("NCHW", (4, 8, 60, 60)), ("NHWC", (4, 60, 60, 8))):
        names = routes(pk.GlobalAvgPool(layout=layout, keepdims=True), shape)
        assert "stages" in names
        assert not {"stages_unhalved", "rows"} & set(names)


def test_what_xla_compiles_afterwards_is_not_within_four_eps() -> None:
    """The miss that docs/semantics.md (6) names. Where this fails there is none, and the document is to be mended."""
    spec = pk.GlobalAvgPool(layout="NCHW", keepdims=True)
    traced = tf.function(lambda x: pk.pool(x, spec)).get_concrete_function(tf.TensorSpec((4, 8, 60, 60)))
    x = tf.fill((4, 8, 60, 60), 1.7)
    error = np.abs(tf.function(lambda x: traced(x), jit_compile=True)(x) / 1.7 - 1).max() / np.finfo("float32").eps
    assert 4 < error < 100


def test_real_cells_are_counted_in_one_call() -> None:
    """Ones are added up exactly in any order; what 512 tokens hold takes three stages."""
    spec = pk.GlobalAvgPool(layout="NLC", keepdims=False)
    source = pk.lower(spec, "tensorflow", (2, 512, 8), tensors={"mask": "NL"}).source

    assert (source.count("AvgPool("), source.count("reduce_sum(")) == (3, 1)


def test_an_eager_masked_average_asks_one_call_whether_it_is_finite() -> None:
    x = tf.constant(np.array([[[1.0, 2.0], [np.nan, 4.0], [np.inf, 6.0]]], "float32"))
    spec = pk.GlobalAvgPool(layout="NLC", keepdims=False)
    ops = ADAPTER.ops(3, "float32")

    assert [bool(ops.between(t, -np.inf, np.inf)) for t in (x, x[..., 1:])] == [False, True]
    assert pk.pool(x, spec, mask=tf.constant([[True, False, False]])).numpy().tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(("length", "rows"), [(512, "[-1, 4, 8, 16,"), (847, "[-1, 11, 11, 7,")])
def test_eager_masked_averages_are_products_of_short_rows(length: int, rows: str) -> None:
    """Equal cells are rounded alike each time; of 847 in rows of 14 they would be more than 4 eps off."""
    spec = pk.GlobalAvgPool(layout="NLC", keepdims=False)
    constants = np.random.default_rng(0).uniform(1, 2, 768).astype("float32")
    mask = np.arange(length) < [[length], [length // 2]]
    x = np.where(mask[..., None], constants, np.float32(np.nan))
    dispatch.forget()
    found = pk.pool(tf.constant(x), spec, mask=tf.constant(mask)).numpy()
    (program,) = dispatch._PROGRAMS["tensorflow"].values()  # pyright: ignore[reportPrivateUsage]

    assert program.route.startswith("product in stages")
    assert rows in program.source
    assert np.isfinite(x[0]).all()
    assert (np.abs(found - constants.astype("float64")) <= 4 * np.finfo("float32").eps * constants).all()
