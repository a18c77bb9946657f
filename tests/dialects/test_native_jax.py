"""What pk.native gives for JAX: functions of JAX and Flax that are equal, against the definition."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import poolkit as pk
from poolkit import NotExactError, PoolSpec
from poolkit.dialects.writing import native_call
from tests.helpers.portable import Array, native_or_refusal, numbers, portable_specs
from tests.helpers.support import python

NATIVE: list[tuple[PoolSpec, str]] = [
    (pk.MaxPool(2, layout="NHWC"), "flax.linen.max_pool, window_shape=(2, 2), strides=(2, 2)"),
    (
        pk.MaxPool(3, 2, "same_lower", layout="NHWC"),
        'flax.linen.max_pool, window_shape=(3, 3), strides=(2, 2), padding="SAME_LOWER"',
    ),
    (pk.MaxPool(3, 1, "same", layout="...WC"), "flax.linen.max_pool, window_shape=(3,), padding=((1, 1),)"),
    (
        pk.AvgPool(3, 2, "same", layout="HWC"),
        'flax.linen.avg_pool, window_shape=(3, 3), strides=(2, 2), padding="SAME", count_include_pad=False',
    ),
    (
        pk.AvgPool(3, 2, 1, layout="NLC", count_include_pad=True),
        "flax.linen.avg_pool, window_shape=(3,), strides=(2,), padding=((1, 1),)",
    ),
    (PoolSpec("min", window=2, layout="NHWC"), "flax.nnx.min_pool, window_shape=(2, 2), strides=(2, 2)"),
    (
        pk.MaxPool(2, layout="NCHW"),
        'jax.lax.reduce_window, init_value=float("-inf"), computation=jax.lax.max, '
        "window_dimensions=(1, 1, 2, 2), window_strides=(1, 1, 2, 2)",
    ),
    (
        PoolSpec("sum", window=2, stride=1, padding=1, dilation=2, layout="NLC"),
        "jax.lax.reduce_window, init_value=0.0, computation=jax.lax.add, window_dimensions=(1, 2, 1), "
        "padding=((0, 0), (1, 1), (0, 0)), window_dilation=(1, 2, 1)",
    ),
    (pk.GlobalAvgPool(layout="NCHW", keepdims=False), "jax.numpy.mean, axis=(2, 3)"),
    (PoolSpec("sum", output_size=1, layout="...LC"), "jax.numpy.sum, axis=-2, keepdims=True"),
]


@pytest.mark.parametrize(("spec", "source"), NATIVE)
def test_native_calls_in_source(spec: PoolSpec, source: str) -> None:
    call = native_call(spec, "jax")

    assert str(call) == f"functools.partial({source})"
    _assert_equal(call.make(), spec, numbers(spec, 0))


@given(portable_specs(), st.integers(0, 99))
def test_native_calls_are_read_as_their_spec(spec: PoolSpec, seed: int) -> None:
    native_or_refusal(spec, "jax")


@settings(max_examples=24, deadline=None)
@given(portable_specs(), st.integers(0, 99))
def test_native_calls_give_the_same_numbers_and_gradients(spec: PoolSpec, seed: int) -> None:
    call = native_or_refusal(spec, "jax")
    if call is not None:
        _assert_equal(call.make(), spec, numbers(spec, seed))


def _assert_equal(own: Any, spec: PoolSpec, x: Array) -> None:
    try:
        result, slope = _gradient(lambda x: pk.pool(x, spec), x)
    except pk.ShapeError:  # windows that do not fit are an error here, and empty there
        return
    other, tied = _gradient(own, x)
    assert other.shape == result.shape
    np.testing.assert_allclose(other, result, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tied, slope, rtol=1e-5, atol=1e-6)


def _gradient(pool: Any, x: Array) -> tuple[Array, Array]:
    """The result, and the gradient of its elements weighted by their places."""
    y, back = jax.vjp(pool, jnp.asarray(x))
    (slope,) = back(jnp.arange(1.0, y.size + 1).reshape(y.shape))
    return np.asarray(y), np.asarray(slope)


@pytest.mark.parametrize(
    ("spec", "text", "nearest"),
    [
        (pk.GlobalMaxPool(layout="NCHW", keepdims=False), "shares the gradient", "jax.numpy.max, axis=(2, 3)"),
        (
            pk.MaxPool(2, 1, layout="NHWC", dilation=2),
            "no gradient for maxima",
            "flax.linen.max_pool, window_shape=(2, 2)",
        ),
        (pk.AvgPool(2, 1, layout="NCHW"), "with channels last, as in NHWC", "flax.linen.avg_pool, window_shape=(2, 2)"),
        (pk.AvgPool(2, 1, layout="NHWC", dilation=2), "no dilation", "flax.linen.avg_pool, window_shape=(2, 2)"),
        (
            pk.MaxPool(3, 2, layout="NHWC", ceil_mode=True),
            "no ceil mode",
            "flax.linen.max_pool, window_shape=(3, 3), strides=(2, 2)",
        ),
        (
            PoolSpec("max", window=2, stride=1, layout="NLC", indices=True),
            "no indices",
            "flax.linen.max_pool, window_shape=(2,)",
        ),
        (
            PoolSpec("avg", window=2, stride=1, layout="NLC", divisor_override=3),
            "divide by the window",
            "flax.linen.avg_pool, window_shape=(2,)",
        ),
        (
            pk.MaxPool(2, 1, 2, layout="NLC"),
            "covers padding only",
            "flax.linen.max_pool, window_shape=(2,), padding=((2, 2),)",
        ),
        (pk.MaxPool(2, layout="...NCHW"), "leaves open how many", None),
        (pk.MaxPool(2, layout="channels_last"), "at which positions", None),
        (PoolSpec("avg", output_size=3, layout="NHWC"), "no adaptive pooling", None),
        (PoolSpec("softmax", window=2, layout="NHWC"), "no softmax pooling", None),
    ],
)
def test_what_has_no_native_call(spec: PoolSpec, text: str, nearest: str | None) -> None:
    with pytest.raises(NotExactError, match=text) as caught:
        pk.native(spec, "jax")

    assert (caught.value.nearest and str(caught.value.nearest)) == (nearest and f"functools.partial({nearest})")


def test_what_rules_out_a_native_call() -> None:
    tied = jnp.array([2.0, 2.0, 1.0, 2.0])
    np.testing.assert_allclose(jax.grad(jnp.max)(tied), [1 / 3, 1 / 3, 0, 1 / 3], rtol=1e-6)

    with pytest.raises(NotImplementedError, match="VJP not implemented"):
        jax.grad(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2,), window_dilation=(2,)).sum())(tied)


def test_reading_and_writing_import_no_jax() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('jax', 'flax', 'haiku', 'equinox'))); import poolkit as pk; "
        "from poolkit.dialects.writing import native_call; print(native_call(pk.read('nn.max_pool(x, (2, 2))'), 'jax'))"
    )

    assert python(code).strip() == "functools.partial(flax.linen.max_pool, window_shape=(2, 2))"
