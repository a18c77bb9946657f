"""Every route of the JAX adapter against the fold: values, gradients, ties, NaN, half types; and precision."""

from __future__ import annotations

import math
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit_jax import ADAPTER

# Route, kind, layout, shape, what is asked. Shapes of 2**14 cells and more are "large", where other routes are right.
CASES: tuple[tuple[str, str, str, tuple[int, ...], dict[str, Any]], ...] = (
    ("mean", "avg", "NCHW", (2, 256, 7, 7), {"output_size": 1}),
    ("mean", "sum", "NHWC", (2, 7, 7, 256), {"output_size": 1}),
    ("mean", "avg", "NCHW", (1, 2, 129, 131), {"output_size": 1}),
    ("mean", "avg", "NHWC", (4, 9, 7, 128), {"output_size": (None, 1)}),
    ("split", "avg", "NCHW", (2, 4, 60, 60), {"output_size": 2}),
    ("split", "avg", "NHWC", (2, 60, 60, 4), {"output_size": 6}),
    ("split", "sum", "NHWC", (2, 64, 64, 4), {"output_size": 1}),
    ("split", "avg", "NCHW", (1, 2, 7, 9), {"window": 2}),
    ("split", "avg", "NCHW", (1, 2, 8, 9), {"window": (4, 3), "divisor_override": 2.5}),
    ("split", "sum", "NHWC", (1, 9, 8, 2), {"output_size": (3, None)}),
    ("split", "avg", "CHW", (3, 6, 4), {"output_size": (3, 1)}),
    ("convolution", "avg", "NCHW", (2, 3, 8, 9), {"window": 3, "stride": 2, "padding": "same"}),
    ("runs", "avg", "NCHW", (2, 3, 9, 8), {"window": 3, "stride": 2, "padding": "same"}),
    ("runs", "avg", "NHWC", (1, 24, 25, 2), {"window": (21, 18), "stride": (1, 2), "padding": "same_lower"}),
    ("runs", "avg", "NCHW", (1, 2, 29, 32), {"window": (13, 11), "stride": (3, 2), "ceil_mode": True, "padding": 2}),
    ("runs", "avg", "NHWC", (2, 40, 9, 1), {"window": (11, 3), "stride": 1, "dilation": (3, 2), "padding": "causal"}),
    ("runs", "avg", "NDHWC", (1, 12, 7, 8, 2), {"window": (11, 3, 2), "stride": 1, "divisor_override": 2.5}),
    ("runs", "sum", "NLC", (2, 80, 3), {"window": 62, "stride": 5}),
    ("first", "max", "NCHW", (2, 3, 5, 7), {"output_size": 1}),
    ("first", "min", "NHWC", (2, 5, 7, 3), {"output_size": 1}),
    ("first", "max", "NHWC", (1, 18, 20, 2), {"output_size": 1}),
    ("first", "min", "NCL", (2, 3, 9), {"output_size": 1}),
    ("first", "max", "NTHWC", (2, 2, 3, 4, 5), {"output_size": 1, "axes": "TH"}),
    ("max_window", "max", "NCHW", (2, 3, 9, 8), {"window": 3, "stride": 2}),
    ("max_window", "max", "NHWC", (2, 9, 8, 3), {"window": 3, "stride": 2, "padding": ((0, 1), (0, 0))}),
    ("max_window", "max", "NCHW", (2, 3, 9, 8), {"window": 2, "ceil_mode": True}),
    ("max_window", "min", "NCL", (2, 3, 9), {"window": 2, "stride": 1, "padding": "same"}),
    ("max_window", "max", "NCHW", (2, 3, 9, 8), {"window": 3, "stride": 2, "padding": 1}),
    ("max_window", "max", "NHWC", (2, 9, 8, 3), {"output_size": (3, 1)}),
    ("max_window", "min", "NTHWC", (2, 2, 3, 4, 5), {"output_size": 1, "axes": "TH"}),
    ("few_calls", "avg", "NCHW", (1, 2, 7, 9), {"output_size": 1}),
    ("few_calls", "sum", "NHWC", (1, 60, 60, 2), {"output_size": (2, 3)}),
    ("few_calls", "avg", "NHWC", (1, 60, 60, 2), {"output_size": (2, None), "divisor_override": 7}),
    ("sum_window", "avg", "NCHW", (1, 2, 60, 60), {"output_size": 6}),
    ("sum_window", "avg", "NHWC", (2, 9, 8, 3), {"window": 3, "stride": 2, "padding": "same"}),
    ("sum_window", "sum", "NCHW", (2, 3, 9, 8), {"window": 2, "stride": 1, "padding": "same_lower"}),
    ("sum_window", "avg", "NCHW", (2, 3, 9, 8), {"window": 3, "stride": 2, "padding": 1, "count_include_pad": True}),
    ("sum_window", "avg", "NCHW", (2, 3, 9, 8), {"window": (2, 3), "stride": (2, 1), "ceil_mode": True}),
)
NAMES = [f"{case[0]}-{case[1]}-{case[2]}-{'-'.join(map(str, case[4].values()))}".replace(" ", "") for case in CASES]


def few_values(shape: tuple[int, ...], *, wild: bool) -> np.ndarray[Any, Any]:
    """Small integers, so that there are ties; `wild` puts NaN and infinities among them."""
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, shape).astype("float32")
    if wild:
        for value in (math.nan, math.inf, -math.inf):
            x[rng.random(shape) < 0.03] = value
    return x


@pytest.mark.parametrize(("route", "kind", "layout", "shape", "asked"), CASES, ids=NAMES)
def test_a_route_is_the_fold(route: str, kind: str, layout: str, shape: tuple[int, ...], asked: dict[str, Any]) -> None:
    spec = pk.PoolSpec(kind, layout=layout, **asked)

    def both(by: str) -> Any:
        @jax.jit
        def run(x: Any, g: Any, wild: Any) -> Any:
            y, back = jax.vjp(lambda x: pool_through(x, spec, by), x)
            return y, back(g), pool_through(wild, spec, by)

        return run

    x = jnp.asarray(few_values(shape, wild=False))
    wild = jnp.asarray(few_values(shape, wild=True))
    g = jnp.asarray(np.random.default_rng(1).standard_normal(spec.output_shape(shape)), "float32")
    exact = kind in ("max", "min")
    for mine, fold in zip(both(route)(x, g, wild), both("fold")(x, g, wild), strict=True):
        np.testing.assert_allclose(mine, fold, rtol=0 if exact else 1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 60, 60), (1, 16, 60, 60)])
@pytest.mark.parametrize("bins", [1, 2, 3, 4])
def test_few_calls_are_close(bins: int, shape: tuple[int, ...]) -> None:
    """Equal cells, of which XLA's own sum of a small array is 115 eps off."""
    x = jnp.full(shape, 1 / 3, "float32")
    y = pk.lower(pk.AdaptiveAvgPool(bins, layout="NCHW"), "jax", shape, route="few_calls")(x)
    assert float(abs(y - x[0, 0, 0, 0]).max() * 3) <= 4 * 2**-23


@pytest.mark.parametrize(("window", "letters"), [(31, "HW"), (63, "HW"), (147, "HW"), (245, "HW"), (49, "THW")])
def test_large_windows_are_close(window: int, letters: str) -> None:
    """Equal cells in 16 channels: in two steps of 7 and 9 along each axis they would be 4.6 eps off."""
    spec = pk.AvgPool(window, 1, layout=f"N{letters}C")
    cells = 1 + np.arange(16) / 16 + np.float32(2**-7)
    x = np.broadcast_to(cells.astype("float32"), (1, *[window + 1] * len(letters), 16))
    y = np.asarray(jax.jit(lambda x: pool_through(x, spec, "runs"))(jnp.asarray(x)), "float64")
    assert float(abs(y / x[(0,) * (1 + len(letters))] - 1).max()) <= 4 * 2**-23


def test_the_own_maximum_has_every_derivative() -> None:
    spec = pk.MaxPool(3, 2, 1, layout="NCHW")
    x, u = (jnp.asarray(np.random.default_rng(i).standard_normal((1, 2, 7, 8)), "float32") for i in (0, 1))

    def found(by: str) -> tuple[Any, ...]:
        def f(x: Any) -> Any:
            return (pool_through(x, spec, by) ** 3).sum()

        along = jax.jvp(jax.grad(f), (x,), (u,))[1]
        each = jax.vmap(jax.grad(lambda x: f(x[None])))(x)
        return jax.jvp(f, (x,), (u,))[1], along, jax.vjp(jax.grad(f), x)[1](u)[0], each

    for mine, fold in zip(found("max_window"), found("fold"), strict=True):
        np.testing.assert_allclose(mine, fold, rtol=1e-5, atol=1e-5)


def test_every_route_is_among_the_cases() -> None:
    hit = {(case[0], case[1]) for case in CASES}
    assert {route.name for route in ADAPTER.routes} == {name for name, _ in hit}


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_global_maximum_looks_for_its_place_only_where_a_derivative_is_taken(layout: str) -> None:
    x, spec = jnp.ones((2, 5, 6, 7)), pk.GlobalMaxPool(layout=layout, keepdims=True)
    forward = jax.jit(lambda x: pk.pool(x, spec))
    assert "iota" not in forward.lower(x).as_text()
    assert "iota" in jax.jit(jax.grad(lambda x: forward(x).sum())).lower(x).as_text()


def test_values_alone_are_all_that_is_made_of_sums_without_a_derivative() -> None:
    """With one, the exponentials are kept, and computed again only in the loop for those that are out of range."""
    x, spec = jnp.ones((2, 64, 96)), pk.PoolSpec("softmax", output_size=1, layout="NLC")
    forward, kept = jax.jit(lambda x: pk.pool(x, spec)), re.compile(r"\}\) : \(tensor<i32>\) -> (.*)")  # of a branch
    assert kept.findall(forward.lower(x).as_text()) == ["tensor<2x1x96xf32>"]
    slopes = jax.jit(jax.grad(lambda x: forward(x).sum())).lower(x).as_text()
    assert not kept.findall(slopes)
    assert "stablehlo.while" in slopes


@pytest.mark.parametrize("kind", ["softmax beta=-2", "logsumexp", "lp p=3", "gem", "stochastic"])
@pytest.mark.parametrize("odd", [1.0, 1e30, -300.0, float("inf"), float("nan")])
def test_an_axis_that_is_cut_into_eight_has_its_rest(kind: str, odd: float) -> None:
    """37 cells are eight parts of four, and five that are left, of which one may be out of range."""
    x = np.random.default_rng(0).normal(size=(2, 37, 3)).astype("float32")
    x[1, 36, 2] = odd
    spec = pk.PoolSpec.parse(f"{kind} output_size=1 layout=NLC keepdims=false")
    np.testing.assert_allclose(pk.pool(jnp.asarray(x), spec), pk.pool(x, spec), rtol=1e-5, atol=1e-5)
    slopes = jax.grad(lambda x: pk.pool(x, spec)[0].sum())(jnp.asarray(x))
    changed, step = pk.pool(x[:1].astype("float64"), spec), 1e-6
    for at in (0, 30, 36):
        moved = x[:1].astype("float64")
        moved[0, at, 1] += step
        wanted = (pk.pool(moved, spec) - changed)[0, 1] / step
        assert float(slopes[0, at, 1]) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("spec", "first"),
    [
        (pk.AvgPool(3, 1, layout="NLC"), "fold"),
        (pk.AvgPool(9, 4, layout="NLC"), "fold"),
        (pk.AvgPool(3, 2, 1, layout="NCL"), "fold"),
        (pk.AvgPool(9, 1, layout="NLC"), "runs"),
        (pk.AvgPool(3, 2, "same", layout="NLC"), "runs"),
        (pk.AvgPool(3, 2, "same", layout="NCHW"), "runs"),
    ],
    ids=str,
)
def test_short_lines_without_padding_are_folded(spec: pk.PoolSpec, first: str) -> None:
    """Where that was measured to be faster with a derivative: `_runs_cost` says by how much."""
    offered = [route.name for route in pk.routes(spec, "jax", (20,) * len(spec.layout), derivative=True)]
    assert next(name for name in offered if name in ("fold", "runs")) == first


def test_native_is_the_framework_s_own_call() -> None:
    native = pk.lower(pk.MaxPool(2, layout="NHWC"), "jax", shape=(1, 8, 8, 3), route="native")
    assert "lax.reduce_window" in native.source
    assert "lax.reduce_window" in pk.lower(pk.MaxPool(3, 2, "same", layout="NHWC"), "jax", route="native").source


@pytest.mark.parametrize("route", ["max_window", "first", "fold"])
def test_a_window_of_minus_infinity_is_a_tie(route: str) -> None:
    asked: dict[str, Any] = {"output_size": 1} if route == "first" else {"window": 4, "padding": ((0, 2),), "stride": 4}
    spec = pk.PoolSpec("max", layout="NCL", **asked)
    g = jnp.zeros((1, 1, 1 if route == "first" else 2)).at[..., -1].set(1)
    found = jax.vjp(lambda x: pool_through(x, spec, route), jnp.full((1, 1, 6), -jnp.inf))[1](g)[0][0, 0]
    assert found.tolist() == ([1, 0, 0, 0, 0, 0] if route == "first" else [0, 0, 0, 0, 1, 0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_add_up_in_float32(dtype: str) -> None:
    for n, asked in ((64, {"output_size": 1}), (64, {"output_size": 4}), (9, {"window": 3})):
        y = pk.pool(jnp.full((1, 8, n, n), 100, dtype), pk.PoolSpec("avg", layout="NCHW", **asked))
        assert y.dtype == dtype
        assert np.all(np.asarray(y, "float32") == 100)


SIZES = (
    (1, 7, 7),
    (1, 31, 31),
    (64, 7, 7),
    (16, 60, 60),
    (2, 224, 224),
    (64, 225, 225),
    (3, 1023, 1021),
    (1, 1024, 1024),
)


@pytest.mark.parametrize("channels_last", [False, True], ids=["NCHW", "NHWC"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_equal_cells_average_to_themselves(size: tuple[int, int, int], channels_last: bool) -> None:
    layout = "NHWC" if channels_last else "NCHW"
    run = jax.jit(lambda x: pk.pool(x, pk.GlobalAvgPool(layout=layout, keepdims=True)))
    rng = np.random.default_rng(0)
    for _ in range(2 if math.prod(size) > 10**5 else 20):
        line = rng.uniform(1, 2, (size[0], 1, 1)).astype("float32")
        x = np.broadcast_to(line, size)[None]
        mine = np.asarray(run(jnp.asarray(np.ascontiguousarray(np.moveaxis(x, 1, -1) if channels_last else x)))).ravel()
        wanted = line.ravel().astype("float64")
        assert np.max(np.abs(mine - wanted) / wanted) <= 4 * 2.0**-23


def test_a_sum_over_leading_axes_beyond_the_bound_of_the_mean() -> None:
    """One of these 256 numbers is 4.1 eps off by jnp.mean."""
    line = np.random.default_rng(3).uniform(1, 2, 256).astype("float32")
    x = jnp.asarray(np.broadcast_to(line, (1, 225, 225, 256)))
    mine = np.asarray(pk.pool(x, pk.GlobalAvgPool(layout="NHWC", keepdims=False)))[0]
    assert np.max(np.abs(mine / line.astype("float64") - 1)) <= 4 * 2.0**-23


def test_one_program_serves_every_batch_and_no_tracer_leaks() -> None:
    spec = pk.AvgPool(3, 1, "same", layout="NHWC")
    with jax.checking_leaks():
        total = jax.jit(jax.grad(jax.checkpoint(lambda x: jnp.sum(pk.pool(x, spec) ** 2))))
        assert total(jnp.ones((2, 5, 5, 1))).shape == (2, 5, 5, 1)
    ones = jnp.ones((1, 5, 5, 1))
    carried = jax.lax.scan(lambda c, x: (pk.pool(c + x, spec), x[0, 0, 0, 0]), ones, jnp.ones((3, 1, 5, 5, 1)))[0]
    np.testing.assert_allclose(carried, 4.0, rtol=1e-6)
    assert jax.vmap(lambda x: pk.pool(x, spec))(jnp.ones((4, 2, 5, 5, 1))).shape == (4, 2, 5, 5, 1)
    assert jax.jacfwd(lambda x: pk.pool(x, spec))(jnp.ones((1, 3, 3, 1))).shape == (1, 3, 3, 1, 1, 3, 3, 1)


def test_sparse_and_symbols_that_do_not_fit() -> None:
    from jax import export
    from jax.experimental import sparse

    with pytest.raises(pk.InputError, match="todense"):
        pk.pool(sparse.BCOO.fromdense(jnp.ones((1, 1, 4))), pk.MaxPool(2, layout="NCL"))
    (n,) = export.symbolic_shape("n")
    line = jax.ShapeDtypeStruct((1, 1, n), "float32")
    with pytest.raises(pk.ShapeError, match="constraint"):
        export.export(jax.jit(lambda x: pk.pool(x, pk.MaxPool(3, 2, layout="NCL", indices=True))))(line)
    # JAX's own window needs no constraint, and has an empty output where no window fits.
    own = export.export(jax.jit(lambda x: pk.pool(x, pk.MaxPool(3, 2, layout="NCL"))))(line)
    assert [own.call(jnp.ones((1, 1, size))).shape[-1] for size in (2, 3, 5)] == [0, 1, 2]


def test_indices_follow_x64_when_it_is_switched_on_later() -> None:
    """A program that was recorded for narrow indices is not taken for wide ones."""
    spec = pk.MaxPool(2, layout="NCL", indices=True)
    assert pk.pool(jnp.zeros((1, 1, 6), "float32"), spec)[1].dtype == "int32"
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        assert pk.pool(jnp.zeros((1, 1, 6), "float32"), spec)[1].dtype == "int64"
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("sizes", [(1, 5, 9, 1), (1, 14, 14, 8), (1, 31, 31, 2), (3, 38, 39, 64), (1, 1024, 1024, 1)])
def test_sums_of_unknown_length_stay_within_four_eps(sizes: tuple[int, ...], layout: str) -> None:
    """Small arrays of equal cells are the worst: XLA on a CPU adds them up one by one, and 31x31 are 115 eps off."""
    from jax import export

    spec = pk.GlobalAvgPool(layout=layout, keepdims=True)
    shape = tuple(sizes["NHWC".index(letter)] for letter in layout)
    symbols = jax.ShapeDtypeStruct(export.symbolic_shape("a, b, c, d"), jnp.float32)
    exported = export.export(jax.jit(lambda x: pk.pool(x, spec)))(symbols)
    printed = pk.lower(spec, "jax")
    for value in np.random.default_rng(0).uniform(1, 2, 5).astype("float32"):
        x = jnp.full(shape, value)
        for run in (exported.call, printed):
            error = np.abs(np.asarray(run(x), "float64") - value) / value
            assert error.max() <= 4 * np.finfo("float32").eps


def test_a_sum_of_unknown_length_takes_an_empty_batch() -> None:
    assert pk.lower(pk.GlobalAvgPool(layout="NHWC", keepdims=False), "jax")(jnp.ones((0, 4, 5, 3))).shape == (0, 3)
