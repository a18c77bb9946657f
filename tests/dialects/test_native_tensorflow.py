"""What pk.native gives for TensorFlow: functions of TensorFlow that are equal, against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import poolkit as pk
from poolkit import NotExactError, PoolSpec
from poolkit.dialects.writing import native_call
from tests.helpers.portable import Array, native_or_refusal, numbers, portable_specs
from tests.helpers.support import python

NATIVE: list[tuple[PoolSpec, str]] = [
    (pk.MaxPool(2, layout="NHWC"), 'tensorflow.nn.max_pool2d, ksize=2, strides=2, padding="VALID"'),
    (pk.MaxPool(3, 2, "same", layout="NHWC"), 'tensorflow.nn.max_pool2d, ksize=3, strides=2, padding="SAME"'),
    (
        pk.MaxPool(3, 2, ((0, 1), (2, 0)), layout="NHWC"),
        "tensorflow.nn.max_pool2d, ksize=3, strides=2, padding=[[0, 0], [0, 1], [2, 0], [0, 0]]",
    ),
    (pk.AvgPool(2, 1, "same", layout="NLC"), 'tensorflow.nn.avg_pool1d, ksize=2, strides=1, padding="SAME"'),
    (pk.AvgPool(3, 1, "same", layout="NLC"), 'tensorflow.nn.avg_pool1d, ksize=3, strides=1, padding="SAME"'),
    (
        pk.AvgPool((1, 2, 2), layout="NDHWC"),
        'tensorflow.nn.avg_pool3d, ksize=(1, 2, 2), strides=(1, 2, 2), padding="VALID"',
    ),
    (
        pk.MaxPool(2, 1, dilation=2, layout="NHWC"),
        'tensorflow.nn.pool, window_shape=(2, 2), pooling_type="MAX", dilations=(2, 2)',
    ),
    (pk.GlobalAvgPool(layout="NCHW", keepdims=False), "tensorflow.reduce_mean, axis=(2, 3)"),
    (pk.GlobalAvgPool(layout="...HWC", keepdims=True), "tensorflow.reduce_mean, axis=(-3, -2), keepdims=True"),
    (PoolSpec("sum", output_size=1, layout="NLC"), "tensorflow.reduce_sum, axis=1, keepdims=True"),
]


@pytest.mark.parametrize(("spec", "source"), NATIVE)
def test_native_calls_in_source(spec: PoolSpec, source: str) -> None:
    call = native_call(spec, "tensorflow")

    assert str(call) == f"functools.partial({source})"
    _assert_equal(call.make(), spec, numbers(spec, 0))


@given(portable_specs(), st.integers(0, 99))
def test_native_calls_are_read_as_their_spec(spec: PoolSpec, seed: int) -> None:
    native_or_refusal(spec, "tensorflow")


@settings(max_examples=60, deadline=None)
@given(portable_specs(layouts=("NHWC", "NLC", "NTWC", "NDHWC")), st.integers(0, 99))
def test_native_calls_give_the_same_numbers_and_gradients(spec: PoolSpec, seed: int) -> None:
    call = native_or_refusal(spec, "tensorflow")
    if call is not None:
        _assert_equal(call.make(), spec, numbers(spec, seed))


def _assert_equal(own: Any, spec: PoolSpec, x: Array) -> None:
    try:
        result, slope = _gradient(lambda x: pk.pool(x, spec), x)
    except pk.ShapeError:  # windows that do not fit are an error in both
        return
    other, tied = _gradient(own, x)
    assert other.shape == result.shape
    np.testing.assert_allclose(other, result, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tied, slope, rtol=1e-5, atol=1e-6)


def _gradient(pool: Any, x: Array) -> tuple[Array, Array]:
    """The result, and the gradient of its elements weighted by their places."""
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = pool(tensor)
        weighted = tf.reduce_sum(y * tf.reshape(tf.range(1, tf.size(y) + 1, dtype=y.dtype), tf.shape(y)))
    return y.numpy(), tape.gradient(weighted, tensor).numpy()


@pytest.mark.parametrize(
    ("spec", "text", "nearest"),
    [
        (
            pk.GlobalMaxPool(layout="NHWC", keepdims=True),
            "shares the gradient",
            "tensorflow.reduce_max, axis=(1, 2), keepdims=True",
        ),
        (
            pk.MaxPool(2, layout="NDHWC"),
            "every one of several equal elements",
            'tensorflow.nn.max_pool3d, ksize=2, strides=2, padding="VALID"',
        ),
        (
            pk.MaxPool(2, layout="NCHW"),
            "on some devices only",
            'tensorflow.nn.max_pool2d, ksize=2, strides=2, padding="VALID"',
        ),
        (
            pk.MaxPool(2, layout="HWC"),
            "one batch and channels last",
            'tensorflow.nn.max_pool2d, ksize=2, strides=2, padding="VALID"',
        ),
        (
            pk.MaxPool(2, 1, 2, layout="NLC"),
            "by less than a window",
            'tensorflow.nn.max_pool1d, ksize=2, strides=1, padding="SAME"',
        ),
        (
            pk.AvgPool(3, 2, 1, layout="NHWC"),
            "by the words VALID and SAME",
            'tensorflow.nn.avg_pool2d, ksize=3, strides=2, padding="SAME"',
        ),
        (
            pk.AvgPool(3, 2, "same", layout="NHWC", count_include_pad=True),
            "real cells",
            'tensorflow.nn.avg_pool2d, ksize=3, strides=2, padding="SAME"',
        ),
        (
            pk.MaxPool(3, 2, "same_lower", layout="NHWC"),
            "padding is same_lower",
            'tensorflow.nn.max_pool2d, ksize=3, strides=2, padding="SAME"',
        ),
        (
            pk.MaxPool(3, 2, layout="NHWC", ceil_mode=True),
            "no ceil mode",
            'tensorflow.nn.max_pool2d, ksize=3, strides=2, padding="VALID"',
        ),
        (
            pk.MaxPool(2, 2, layout="NHWC", dilation=2),
            "with stride 1",
            'tensorflow.nn.pool, window_shape=(2, 2), pooling_type="MAX", dilations=(2, 2)',
        ),
        (
            PoolSpec("max", window=2, layout="NHWC", indices=True),
            "no indices",
            'tensorflow.nn.max_pool2d, ksize=2, strides=2, padding="VALID"',
        ),
        (PoolSpec("min", window=2, layout="NHWC"), "no windows for min", None),
        (PoolSpec("max", window=2, layout="channels_last"), "how many spatial axes", None),
        (PoolSpec("max", window=2, layout="NABDEC"), "one to three spatial axes", None),
        (PoolSpec("avg", output_size=3, layout="NHWC"), "no adaptive pooling", None),
        (PoolSpec("softmax", window=2, layout="NHWC"), "no softmax pooling", None),
    ],
)
def test_what_has_no_native_call(spec: PoolSpec, text: str, nearest: str | None) -> None:
    with pytest.raises(NotExactError, match=text) as caught:
        pk.native(spec, "tensorflow")

    assert (caught.value.nearest and str(caught.value.nearest)) == (nearest and f"functools.partial({nearest})")


def test_ties_that_rule_out_a_native_call() -> None:
    tied = np.array([2, 2, 1, 2], "float32").reshape(1, 1, 4, 1, 1)
    _, slope = _gradient(lambda x: tf.nn.max_pool3d(x, (1, 4, 1), 1, "VALID"), tied)
    _, shared = _gradient(lambda x: tf.reduce_max(x, (1, 2, 3)), tied)

    np.testing.assert_array_equal(slope.ravel(), [1, 1, 0, 1])
    np.testing.assert_allclose(shared.ravel(), [1 / 3, 1 / 3, 0, 1 / 3], rtol=1e-6)


def test_reading_and_writing_import_no_tensorflow() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None; import poolkit as pk; "
        "from poolkit.dialects.writing import native_call; "
        "print(native_call(pk.read('tf.nn.max_pool2d(x, 2, 2, \"SAME\")'), 'tensorflow'))"
    )

    assert python(code).strip() == 'functools.partial(tensorflow.nn.max_pool2d, ksize=2, strides=2, padding="SAME")'
