"""Pooling of JAX, Flax, Haiku and Equinox read and written, against the libraries' own numbers."""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import flax.linen as nn
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

import poolkit as pk
from poolkit import NotExactError, PoolSpec
from poolkit.dialects.calls import Expression
from poolkit.dialects.reading import call_of, fields_of, spoken_in
from poolkit.dialects.table import dialect
from tests.helpers.portable import assert_reads, assert_refused

RNG = np.random.default_rng(0)
X = {
    shape: RNG.standard_normal(shape).astype("float32")  # poolkit pools them with NumPy, which compiles nothing
    for shape in [(3, 9), (2, 9, 3), (3, 7, 8), (2, 7, 6, 3), (2, 3, 7, 8), (2, 5, 6, 7), (1, 5, 7, 6, 2)]
}
L, HWC, CHW, DHWC = (2, 9, 3), (2, 7, 6, 3), (3, 7, 8), (1, 5, 7, 6, 2)
NCHW, CL, CDHW = (2, 3, 7, 8), (3, 9), (2, 5, 6, 7)

# The shape of x, and a line of source.
SOURCES: list[tuple[tuple[int, ...], str]] = [
    *((HWC, f"jnp.{name}(x, axis=(1, 2))") for name in ("mean", "max", "amax", "min", "amin", "sum")),
    *((NCHW, f"jnp.{name}(x, (-2, -1), keepdims=True)") for name in ("mean", "max", "min", "sum")),
    (HWC, "x.mean(axis=(1, 2), keepdims=True)"),
    (DHWC, "jnp.max(x, axis=(-4, -3, -2))"),
    (HWC, 'lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 2, 1), (1, 2, 1, 1), "SAME")'),
    (NCHW, 'lax.reduce_window(x, jnp.inf, jax.lax.min, (1, 1, 3, 3), (1, 1, 2, 2), "SAME_LOWER")'),
    (NCHW, 'lax.reduce_window(x, 0.0, lax.add, (1, 1, 3, 3), padding="VALID")'),
    (L, "lax.reduce_window(x, -jnp.inf, jnp.maximum, (1, 3, 1), None, ((0, 0), (2, 1), (0, 0)))"),
    (CHW, "lax.reduce_window(x, jnp.finfo(x.dtype).min, lax.max, (1, 3, 3), (1, 2, 2))"),
    (HWC, "lax.reduce_window(x, jnp.array(0.0, x.dtype), jnp.add, (1, 2, 2, 1), window_dilation=(1, 2, 3, 1))"),
    (HWC, 'lax.reduce_window(x, float("-inf"), lax.max, (1, 3, 2, 1), (1, 2, 1, 1), "SAME", None, (1, 2, 1, 1))'),
    (
        DHWC,
        "lax.reduce_window(operand=x, init_value=np.inf, computation=jnp.minimum, window_dimensions=[1, 2, 2, 2, 1])",
    ),
    (HWC, "lax.reduce(x, -jnp.inf, lax.max, (1, 2))"),
    *((NCHW, f"jax.lax.reduce_{name}(x, axes=(2, 3))") for name in ("max", "min", "sum")),
    (HWC, "nn.max_pool(x, (3, 3), strides=(2, 2), padding='SAME')"),
    (HWC, "nn.max_pool(x, window_shape=(3, 2))"),
    (L, "nn.max_pool(x, (3,), (2,), ((1, 2),))"),
    (HWC, "nn.avg_pool(x, (3, 3), strides=(2, 2), padding='SAME')"),
    (HWC, "nn.avg_pool(x, (3, 3), strides=(2, 2), padding='SAME', count_include_pad=False)"),
    (DHWC, "nn.avg_pool(x, (2, 3, 2), (2, 2, 2), [(1, 0), (0, 0), (1, 1)])"),
    (L, "nn.pooling.min_pool(x, (3,), padding='SAME')"),
    (HWC, "nn.pooling.pool(x, 0.0, lax.add, (2, 2), (2, 1), 'SAME')"),
    (HWC, "nnx.min_pool(x, (2, 3), strides=(2, 3))"),
    (HWC, "nnx.avg_pool(x, (2, 2))"),
    (HWC, "hk.max_pool(x, (3, 3, 1), (2, 2, 1), 'SAME')"),
    (HWC, "hk.max_pool(x, window_shape=(1, 3, 2, 1), strides=1, padding='VALID')"),
    (L, "hk.avg_pool(x, (3, 1), (2, 1), 'SAME')"),
    (HWC, "hk.avg_pool(x, (3, 3, 1), (2, 2, 1), 'SAME')"),
    (NCHW, "hk.avg_pool(x, (1, 1, 3, 3), (1, 1, 2, 2), 'VALID')"),
    (NCHW, "hk.max_pool(x, (1, 3, 3), (1, 2, 2), 'SAME', channel_axis=1)"),
    (CL, "eqx.nn.MaxPool1d(3, 2, 1)(x)"),
    (CHW, "eqx.nn.MaxPool2d(3)(x)"),
    (CHW, "eqx.nn.MaxPool2d(kernel_size=(3, 2), stride=(2, 1), padding=((1, 0), (0, 1)))(x)"),
    (CDHW, "eqx.nn.MaxPool3d(2, 2)(x)"),
    (CL, "eqx.nn.AvgPool1d(3, 2, 1)(x)"),
    (CHW, "eqx.nn.AvgPool2d(3, stride=2, padding=(1, 0))(x)"),
    (CDHW, "eqx.nn.AvgPool3d((1, 2, 3), 2, (0, 1, 1))(x)"),
    (CHW, "eqx.nn.MaxPool2d(3, 2, use_ceil=True)(x)"),
    (CHW, "eqx.nn.AvgPool2d(3, 2, ((1, 0), (0, 1)), use_ceil=True)(x)"),
    *((shape, f"eqx.nn.AdaptiveAvgPool{n}d(1)(x)") for n, shape in ((1, CL), (2, CHW), (3, CDHW))),
    *((shape, f"eqx.nn.AdaptiveMaxPool{n}d(1)(x)") for n, shape in ((1, CL), (2, CHW), (3, CDHW))),
    (CHW, "eqx.nn.Pool(0, jax.lax.add, num_spatial_dims=2, kernel_size=2, stride=2)(x)"),
    (CHW, "eqx.nn.AdaptivePool((1, 1), num_spatial_dims=2, operation=jnp.min)(x)"),
    (NCHW, "jax.vmap(eqx.nn.MaxPool2d(3, 2))(x)"),
    (NCHW, "eqx.filter_vmap(eqx.nn.AvgPool2d(2))(x)"),
]

MODULES = {"jax": jax, "jnp": jnp, "lax": lax, "np": np, "nn": nn, "nnx": nnx, "hk": hk, "eqx": eqx}


@pytest.mark.parametrize(("shape", "source"), SOURCES)
def test_lines_of_source(shape: tuple[int, ...], source: str) -> None:
    found = eval(source, {**MODULES, "x": jnp.asarray(X[shape])})

    assert_reads(source, np.asarray(found), X[shape])


def test_every_word_is_among_them() -> None:
    read = {spoken_in(call_of(source))[1] for _, source in SOURCES}

    # Haiku's modules are tested below, for they live in a transform; a median is refused.
    assert dialect("jax").words.keys() - read == {"haiku.MaxPool", "haiku.AvgPool", "jax.numpy.median"}


PARTIALS: list[tuple[tuple[int, ...], Any]] = [
    (HWC, functools.partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))),
    (HWC, functools.partial(nn.avg_pool, window_shape=(3, 3), padding="SAME", count_include_pad=False)),
    (L, functools.partial(nnx.min_pool, window_shape=(2,))),
    (HWC, functools.partial(hk.avg_pool, window_shape=(2, 2, 1), strides=(1, 1, 1), padding="SAME")),
    (HWC, functools.partial(jnp.mean, axis=(1, 2), keepdims=True)),
    (HWC, functools.partial(jnp.amax, axis=(1, 2))),
    (HWC, functools.partial(lax.reduce_sum, axes=(1, 2))),
    (
        HWC,
        functools.partial(
            lax.reduce_window,
            init_value=-jnp.inf,
            computation=lax.max,
            window_dimensions=(1, 2, 2, 1),
            window_strides=(1, 2, 2, 1),
            padding="SAME",
        ),
    ),
    (
        NCHW,
        functools.partial(
            lax.reduce_window,
            init_value=np.float32(0),
            computation=jnp.add,
            window_dimensions=(1, 1, 2, 2),
            window_strides=None,
            padding="VALID",
        ),
    ),
]


@pytest.mark.parametrize(("shape", "function"), PARTIALS)
def test_partials(shape: tuple[int, ...], function: Any) -> None:
    np.testing.assert_allclose(
        pk.pool(X[shape], pk.read(function)), function(jnp.asarray(X[shape])), rtol=1e-6, atol=1e-6
    )


LAYERS: list[tuple[tuple[int, ...], Any]] = [
    (CL, eqx.nn.MaxPool1d(3, 2, 1)),
    (CHW, eqx.nn.AvgPool2d((3, 2), 2, ((1, 0), (0, 1)))),
    (CHW, eqx.nn.MaxPool2d(3, 2, use_ceil=True)),
    (CHW, eqx.nn.AvgPool2d(3, 2, use_ceil=True)),
    (CDHW, eqx.nn.MaxPool3d(2)),
    (CHW, eqx.nn.AdaptiveAvgPool2d(1)),
    (CHW, eqx.nn.AdaptiveMaxPool2d((1, 1))),
    (CHW, eqx.nn.Pool(jnp.inf, lax.min, 2, 3, padding=1)),
    (CHW, eqx.nn.AdaptivePool(1, 2, jnp.sum)),
]


@pytest.mark.parametrize(("shape", "layer"), LAYERS)
def test_equinox_layers_in_hand(shape: tuple[int, ...], layer: Any) -> None:
    np.testing.assert_allclose(pk.pool(X[shape], pk.read(layer)), layer(jnp.asarray(X[shape])), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: hk.MaxPool((3, 3, 1), (2, 2, 1), "SAME"),
        lambda: hk.AvgPool((1, 3, 3, 1), 1, "SAME"),
        lambda: hk.AvgPool((2, 2, 1), (2, 2, 1), "VALID"),
    ],
)
def test_haiku_modules_in_hand(make: Any) -> None:
    specs: list[Any] = []

    def forward(x: Any) -> Any:
        module = make()
        specs.append(pk.read(module))
        return module(x)

    y = hk.transform(forward).apply({}, None, jnp.asarray(X[HWC]))
    np.testing.assert_allclose(pk.pool(X[HWC], specs[0]), y, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("source", ["hk.MaxPool(3, 2, 'SAME')", "hk.avg_pool(x, 3, 2, 'SAME')"])
def test_haiku_windows_of_one_integer(source: str) -> None:
    assert pk.read(source).layout == "channels_last"
    function = hk.max_pool if "Max" in source else hk.avg_pool
    with pytest.warns(DeprecationWarning, match="under vmap"):
        found = function(jnp.asarray(X[HWC]), 3, 2, "SAME")

    assert_reads(source, np.asarray(found), X[HWC])
    assert pk.read("hk.MaxPool(3, 2, 'SAME', channel_axis=1)").layout == "channels_first"


@pytest.mark.parametrize("n", range(5, 9))
@pytest.mark.parametrize(("window", "stride", "padding"), [(3, 2, 0), (5, 3, (0, 2)), (2, 1, 1), (4, 3, (2, 1))])
def test_equinox_ceil_is_ceil_mode_at_every_size(n: int, window: int, stride: int, padding: Any) -> None:
    x = X[CL][:, :1] + np.arange(n, dtype="float32")
    pads = (padding,) if isinstance(padding, tuple) else padding
    for layer in (eqx.nn.MaxPool1d, eqx.nn.AvgPool1d):
        own = layer(window, stride, pads, use_ceil=True)
        found, ours = own(jnp.asarray(x)), pk.pool(x, pk.read(own))
        assert found.shape == ours.shape
        np.testing.assert_allclose(found, ours, rtol=1e-6)


def test_equinox_ceil_that_raises_has_no_spec() -> None:
    layer = eqx.nn.MaxPool1d(4, 4, 1, use_ceil=True)
    with pytest.raises(RuntimeError, match="Paddings should be less"):
        layer(jnp.asarray(X[CL]))

    with pytest.raises(NotExactError, match=r"for 1 \+ 4 is more than the window 4"):
        pk.read(layer)


def test_equinox_bins_are_not_ours() -> None:
    layer = eqx.nn.AdaptiveAvgPool1d(3)
    x = jnp.arange(5.0)[None]

    np.testing.assert_allclose(layer(x), [[0.5, 2.5, 4]])
    np.testing.assert_allclose(pk.pool(x, PoolSpec("avg", output_size=3, layout="CL")), [[0.5, 2, 3.5]])
    with pytest.raises(NotExactError, match=r"\[0.5, 2.5, 4\] there and \[0.5, 2, 3.5\] here"):
        pk.read(layer)


def test_the_layout_of_a_window_over_positions() -> None:
    source = "lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 3, 1), (1, 1, 2, 1))"

    assert pk.read(source) == PoolSpec("max", window=(1, 3), stride=(1, 2), layout="NHWC")
    assert pk.read(source, layout="NCHW") == PoolSpec("max", window=(3, 1), stride=(2, 1), layout="NCHW")
    assert pk.read(source, layout="channels_first") == PoolSpec(
        "max", window=(3, 1), stride=(2, 1), layout="channels_first"
    )
    assert pk.read(source, layout="...WC") == PoolSpec("max", window=3, stride=2, layout="...WC")
    with pytest.raises(NotExactError, match="over the spatial axes of CHWN"):
        pk.read(source.replace("3, 1)", "3, 3)"), layout="CHWN")


@pytest.mark.parametrize(
    ("source", "layout"),
    [
        ("nn.max_pool(x, (k, k), strides=(s, s))", "NHWC"),
        ("hk.max_pool(x, (1, 1, k, k), (1, 1, s, s), 'SAME')", "NCHW"),
        ("lax.reduce_window(x, -jnp.inf, lax.max, (1, k, k, 1), (1, s, s, 1))", "NHWC"),
        ("eqx.nn.MaxPool2d((k, k), (s, s))", "CHW"),
    ],
)
def test_expressions_are_carried_over(source: str, layout: str) -> None:
    fields: Any = fields_of(call_of(source))

    assert (fields["window"], fields["stride"]) == ((Expression("k"),) * 2, (Expression("s"),) * 2)
    assert fields["layout"] == layout
    assert_refused(source, r"window=\(k, k\) is not known without running the program")


def test_the_layout_of_flax() -> None:
    assert pk.read("nn.max_pool(x, (2, 2))", layout="HWC") == PoolSpec("max", window=2, stride=1, layout="HWC")
    with pytest.raises(NotExactError, match="takes its channels last"):
        pk.read("nn.max_pool(x, (2, 2))", layout="NCHW")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("lax.reduce_window(x, 0.0, lax.max, (1, 2, 2, 1))", "the initial value 0.0 takes part in every window"),
        ("lax.reduce_window(x, -65504.0, lax.max, (1, 2, 2, 1))", "the initial value -65504.0 takes part"),
        ("lax.reduce_window(x, 1.0, lax.add, (1, 2, 2, 1))", "and 0 would not"),
        ("lax.reduce_window(x, -jnp.inf, lax.min, (1, 2, 2, 1))", "takes part in every window, and inf would not"),
        ("lax.reduce_window(x, least, lax.max, (1, 2, 2, 1))", "the initial value least is not known here"),
        ("lax.reduce_window(x, 1.0, lax.mul, (1, 2, 2, 1))", "none of the computations that pool"),
        ("lax.reduce_window(x, 0.0, lambda a, b: a + b, (1, 2, 2, 1))", "none of the computations that pool"),
        ("lax.reduce_window(x, 0.0, lax.add, (2, 2, 2, 2))", "no spec pools over batch or channels"),
        ("lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (2, 2, 2, 1))", "no spec pools over batch or channels"),
        ("lax.reduce_window(x, 0.0, lax.add, (1, 1, 1, 2, 2, 1))", "windows over 6 axes"),
        ("lax.reduce_window(x, 0.0, lax.add, window)", "window_dimensions=window is not known here"),
        ("lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), None, 'VALID', (1, 2, 2, 1))", "base_dilation puts holes"),
        ("nn.max_pool(x, window)", "window_shape=window is not known here"),
        ("nn.max_pool(x, (2, 2), padding=pad)", "padding=pad is not known here"),
        ("nn.pooling.pool(x, 0.0, lax.max, (2, 2), (2, 2), 'SAME')", "takes part in every window"),
        ("hk.max_pool(x, 2, 2, 'SAME', channel_axis=None)", "leaves open which are pooled"),
        ("hk.max_pool(x, (1, 1, 2, 2), 2, 'SAME')", "no spec pools over batch or channels"),
        ("eqx.nn.Pool(0, jax.lax.mul, 2, 3)", "none of the computations that pool"),
        ("eqx.nn.AdaptivePool(1, 2, jnp.median)", "none of mean, max, min and sum"),
        ("eqx.nn.AdaptiveMaxPool2d((1, 3))", "the first n mod o of o bins one longer"),
        ("eqx.nn.Pool(0, self.operation, 2, 3)", "computation=self.operation is not known here"),
        ("eqx.nn.MaxPool2d(k, 2, use_ceil=True)", "depends on the numbers"),
        ("jax.vmap(nn.max_pool)(x)", "vmap is read over a pooling layer"),
        ("jax.vmap(eqx.nn.MaxPool2d(2), in_axes=1)(x)", "vmap is read over a pooling layer"),
        ("jnp.mean(x)", "over every axis"),
        ("jnp.mean(x, axis=-1)", "not the spatial ones"),
        ("jnp.sum(x, axis=(1, 2), where=mask)", "where leaves cells out"),
        ("jnp.median(x, axis=(1, 2))", "averages the two middle cells"),
    ],
)
def test_what_is_refused(source: str, text: str) -> None:
    assert_refused(source, text)
