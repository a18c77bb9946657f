"""TensorFlow's pooling of every age read and written, against TensorFlow's own numbers."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit import PoolSpec
from poolkit.dialects.calls import Expression
from poolkit.dialects.reading import call_of, fields_of, spoken_in
from poolkit.dialects.table import dialect
from poolkit.dialects.tensorflow.further import FURTHER
from tests.helpers.portable import assert_reads, assert_refused

RNG = np.random.default_rng(0)
X = {n: tf.constant(RNG.standard_normal(shape).astype("float32")) for n, shape in ((3, (2, 9, 3)), (4, (2, 7, 6, 3)))}
X[5] = tf.constant(RNG.standard_normal((1, 5, 7, 6, 2)).astype("float32"))

# The rank of x, and a line of source.
SOURCES: list[tuple[int, str]] = [
    (3, 'tf.nn.max_pool1d(x, 3, 2, "SAME")'),
    (3, "tf.nn.max_pool1d(x, [3], [1], [[0, 0], [2, 1], [0, 0]])"),
    (3, 'tf.nn.avg_pool1d(x, ksize=[1, 3, 1], strides=[1, 2, 1], padding="VALID")'),
    (3, 'tf.nn.avg_pool1d(x, 3, 2, "SAME", data_format="NWC")'),
    (3, 'tf.compat.v1.nn.max_pool1d(x, 2, 2, "VALID")'),
    (3, 'tf.compat.v1.nn.avg_pool1d(x, 2, 2, "SAME")'),
    (3, 'tf.nn.pool(x, [3], "AVG", padding="SAME")'),
    (4, 'tf.nn.max_pool2d(x, 2, 2, "VALID")'),
    (4, 'tf.nn.max_pool2d(x, (3, 2), (2, 1), "SAME")'),
    (4, "tf.nn.max_pool2d(x, 3, 2, [[0, 0], [1, 2], [0, 1], [0, 0]])"),
    (4, 'tf.nn.avg_pool2d(input=x, ksize=[1, 3, 2, 1], strides=[1, 2, 1, 1], padding="SAME")'),
    (4, 'tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")'),
    (4, 'tf.nn.max_pool(x, 3, 2, "SAME")'),
    (4, 'tf.nn.max_pool(x, [3, 2], 2, "VALID", "NHWC")'),
    (4, 'tf.nn.avg_pool(x, 3, [1, 2, 2, 1], "SAME")'),
    (4, 'tf.compat.v1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")'),
    (4, 'tf.compat.v1.nn.max_pool(value=x, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")'),
    (4, 'tf.compat.v1.nn.avg_pool(value=x, ksize=3, strides=1, padding="SAME")'),
    (4, 'tf.compat.v1.nn.max_pool2d(x, 3, 1, "SAME")'),
    (4, 'tf.compat.v1.nn.avg_pool2d(value=x, ksize=3, strides=1, padding="SAME", data_format="NHWC")'),
    (4, 'tf.nn.pool(x, (3, 2), "MAX")'),
    (4, 'tf.nn.pool(x, [3, 2], "MAX", strides=[2, 2], padding="SAME")'),
    (4, 'tf.nn.pool(x, window_shape=[2, 2], pooling_type="AVG", dilations=[2, 3])'),
    (4, 'tf.compat.v1.nn.pool(x, [2, 2], "MAX", "VALID", [2, 1], [1, 1])'),
    (4, 'tf.compat.v1.nn.pool(x, [2, 2], "AVG", "SAME", strides=[2, 1])'),
    (4, "tf.reduce_mean(x, [1, 2])"),
    (4, "tf.math.reduce_mean(x, axis=(1, 2), keepdims=True)"),
    (4, "tf.reduce_max(x, axis=[-3, -2])"),
    (4, "tf.reduce_min(input_tensor=x, axis=[1, 2], keepdims=True)"),
    (4, "tf.reduce_sum(x, [2, 1])"),
    (4, "tf.compat.v1.reduce_mean(x, reduction_indices=[1, 2], keep_dims=True)"),
    (4, "tf.compat.v1.math.reduce_max(x, [2, 3], keepdims=True)"),
    (5, 'tf.nn.max_pool3d(x, 2, 2, "VALID")'),
    (5, 'tf.nn.avg_pool3d(x, [1, 2, 3, 2, 1], [1, 2, 2, 2, 1], "SAME")'),
    (5, 'tf.nn.max_pool(x, [2, 2, 2], 2, "SAME", data_format="NDHWC")'),
    (5, 'tf.nn.avg_pool(x, [1, 2, 2, 2, 1], 1, "VALID")'),
    (5, 'tf.compat.v1.nn.max_pool3d(x, 3, 2, "SAME")'),
    (5, 'tf.compat.v1.nn.avg_pool3d(x, 3, 2, "SAME")'),
    (5, "tf.reduce_mean(x, axis=[-4, -3, -2])"),
]


@pytest.mark.parametrize(("rank", "source"), SOURCES)
def test_lines_of_source(rank: int, source: str) -> None:
    found = eval(source, {"tf": tf, "x": X[rank]})

    assert_reads(source, found.numpy(), X[rank])


# They are gone from TensorFlow beside Keras 3, or run on some devices only; each pools as the other line does.
ALIKE: list[tuple[str, str, str]] = [
    ("tf.layers.max_pooling2d(x, 3, 2)", 'tf.nn.max_pool2d(x, 3, 2, "VALID")', "NHWC"),
    (
        'tf.layers.max_pooling1d(inputs=x, pool_size=2, strides=2, padding="same")',
        'tf.nn.max_pool1d(x, 2, 2, "SAME")',
        "NLC",
    ),
    ('tf.compat.v1.layers.average_pooling3d(x, 2, 2, "same")', 'tf.nn.avg_pool3d(x, 2, 2, "SAME")', "NDHWC"),
    ("tf.layers.max_pooling3d(x, [2, 2, 2], 2)", 'tf.nn.max_pool3d(x, 2, 2, "VALID")', "NDHWC"),
    ("tf.layers.average_pooling1d(x, 2, 2)", 'tf.nn.avg_pool1d(x, 2, 2, "VALID")', "NLC"),
    ("tf.layers.average_pooling2d(x, (2, 3), 2)", 'tf.nn.avg_pool2d(x, (2, 3), 2, "VALID")', "NHWC"),
    ("tf.layers.MaxPooling2D(3, 2)(x)", 'tf.nn.max_pool2d(x, 3, 2, "VALID")', "NHWC"),
    (
        'tf.layers.max_pooling2d(x, 3, 2, data_format="channels_first")',
        'tf.nn.max_pool2d(x, 3, 2, "VALID", "NCHW")',
        "NCHW",
    ),
    ('tf.nn.max_pool(x, [1, 1, 3, 3], [1, 1, 2, 2], "SAME", "NCHW")', 'tf.nn.max_pool2d(x, 3, 2, "SAME")', "NCHW"),
    ('tf.nn.avg_pool1d(x, 3, 2, "VALID", "NCW")', 'tf.nn.avg_pool1d(x, 3, 2, "VALID")', "NCL"),
    ('tf.nn.avg_pool3d(x, 3, 2, "VALID", data_format="NCDHW")', 'tf.nn.avg_pool3d(x, 3, 2, "VALID")', "NCDHW"),
]


@pytest.mark.parametrize(("source", "other", "layout"), ALIKE)
def test_words_that_do_not_run_here(source: str, other: str, layout: str) -> None:
    assert pk.read(source) == pk.read(other).replace(layout=layout)


def test_every_word_is_among_them() -> None:
    sources = [source for _, source in SOURCES] + [source for source, *_ in ALIKE]
    unread = dialect("tensorflow").words.keys() - {spoken_in(call_of(source))[1] for source in sources}

    # The layers and functions of tf.layers are made in one loop, and those of tf.contrib.layers in another.
    elsewhere = {word.name for word in FURTHER}  # in test_read_tensorflow_further.py
    assert {word for word in unread if ".layers." not in word} == elsewhere
    assert len(dialect("tensorflow").words) == 38 + len(elsewhere)


PARTIALS = [
    (functools.partial(tf.nn.max_pool2d, ksize=3, strides=2, padding="SAME"), 4),
    (functools.partial(tf.nn.max_pool, ksize=3, strides=2, padding="SAME"), 4),
    (functools.partial(tf.nn.avg_pool2d, ksize=[1, 2, 2, 1], strides=1, padding="SAME"), 4),
    (functools.partial(tf.nn.avg_pool, ksize=[2, 2, 2], strides=2, padding="SAME", data_format="NDHWC"), 5),
    (functools.partial(tf.nn.pool, window_shape=(2, 2), pooling_type="MAX", dilations=(2, 2)), 4),
    (functools.partial(tf.compat.v1.nn.pool, window_shape=(2, 2), pooling_type="MAX", padding="SAME"), 4),
    (functools.partial(tf.compat.v1.nn.avg_pool, ksize=3, strides=2, padding="SAME"), 4),
    (functools.partial(tf.reduce_mean, axis=(1, 2), keepdims=True), 4),
    (functools.partial(tf.compat.v1.reduce_max, axis=(1, 2), keep_dims=True), 4),
]


@pytest.mark.parametrize(("function", "rank"), PARTIALS)
def test_partials(function: Any, rank: int) -> None:
    x = X[rank]
    np.testing.assert_allclose(pk.pool(x, pk.read(function)), function(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('tf.nn.max_pool2d(x, [2, 1, 1, 1], 1, "SAME")', "not 1 over batch and channels"),
        ('tf.nn.max_pool2d(x, [1, 1, 1, 3], [1, 1, 1, 3], "VALID")', "not 1 over batch and channels"),
        ('tf.nn.max_pool(x, 2, [1, 2, 2, 2], "VALID")', "not 1 over batch and channels"),
        ("tf.nn.max_pool2d(x, 2, 2, [[0, 0], [1, 1], [1, 1], [0, 1]])", "pads batch or channels"),
        ("tf.nn.max_pool2d(x, 2, 2, [[1, 1], [1, 1]])", "for each axis of NHWC"),
        ('tf.nn.max_pool2d(x, 2, 2, "SAME", data_format="NCHW_VECT_C")', "no order of the axes here"),
        ('tf.nn.max_pool2d(x, 2, 2, "SAME", data_format="NDHWC")', "no order of the axes here"),
        ('tf.nn.max_pool2d(x, 2, 2, "SAME", data_format=order)', "data_format=order is not known here"),
        ("tf.nn.max_pool2d(x, 2, 2, padding)", "padding=padding is not known here"),
        ('tf.nn.max_pool(x, [1, 2, 1], 1, "SAME")', "three sizes"),
        ('tf.nn.pool(x, [2, 2], "MIN")', "none of tf.nn.pool"),
        ('tf.nn.pool(x, [2, 2], "MAX", "SAME", rate=[2, 2])', "and this call has more"),
        ("tf.nn.pool(x, [2, 2], kind)", "pooling_type=kind is not known here"),
        ("tf.reduce_mean(x)", "over every axis"),
        ("tf.reduce_mean(x, axis=-1)", "not the spatial ones"),
        ("tf.reduce_mean(x, axis=[1, 2], keepdims=kept)", "keepdims=kept is not known here"),
        ('tf.nn.max_pool2d(x, size, 2, "SAME")', "window=size is not known without running the program"),
        ('tf.nn.weighted_pool(x, 2, 2, "SAME")', "poolkit knows no pooling called"),
        ('tf.nn.max_pool2d(x, 2, 2, "SAME", stride=2)', "mend the call"),
    ],
)
def test_what_is_refused(source: str, text: str) -> None:
    assert_refused(source, text)


@pytest.mark.parametrize("size", ["(k, k)", "[1, k, k, 1]"])
def test_expressions_are_carried_over(size: str) -> None:
    fields: Any = fields_of(call_of(f'tf.nn.avg_pool2d(x, {size}, s, "SAME")'))

    assert (fields["window"], fields["stride"]) == ((Expression("k"),) * 2, Expression("s"))
    assert fields["layout"] == "NHWC"


def test_an_integer_window_of_unknown_rank() -> None:
    assert pk.read('tf.nn.max_pool(x, 2, 2, "SAME")') == PoolSpec(
        "max", window=2, padding="same", layout="channels_last"
    )
