"""tf.nn's maxima with their places, read and ported; what draws or crops is told apart in words."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.port.python.source import port_source
from tests.helpers.ports import line, row

X = np.random.default_rng(0).permutation(2 * 7 * 8 * 3).reshape(2, 7, 8, 3).astype("float32")
OLD = tf.compat.v1.nn.max_pool_with_argmax

CALLS: list[tuple[str, Any, dict[str, Any]]] = [
    ("2, 2, 'SAME'", tf.nn.max_pool_with_argmax, {"ksize": 2, "strides": 2, "padding": "SAME"}),
    (
        "[1, 3, 2, 1], [1, 2, 1, 1], padding='VALID', include_batch_in_index=True",
        tf.nn.max_pool_with_argmax,
        {"ksize": (3, 2), "strides": (2, 1), "padding": "VALID", "include_batch_in_index": True},
    ),
    (
        "[1, 2, 2, 1], [1, 2, 2, 1], 'SAME', Targmax=tf.int64",
        OLD,
        {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"},
    ),
]


@pytest.mark.parametrize(("arguments", "function", "options"), CALLS, ids=[text for text, _, _ in CALLS])
def test_maxima_and_places_are_tensorflows(arguments: str, function: Any, options: dict[str, Any]) -> None:
    module = "tf.compat.v1.nn" if function is OLD else "tf.nn"
    spec = pk.read(f"{module}.max_pool_with_argmax(x, {arguments})")
    theirs, places = function(tf.constant(X), **options)
    ours, indices = pk.pool(X, spec)

    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(indices, pk.indices_from(places.numpy(), "tensorflow", X.shape, "NHWC"))
    assert pk.read(functools.partial(function, **options)) == spec


def test_a_port_tells_how_places_are_counted() -> None:
    source = "import tensorflow as tf\n\ny, i = tf.nn.max_pool_with_argmax(x, 2, 2, 'VALID')\n"
    found = row(source, "torch")
    assert found.after == "torch.nn.functional.max_pool2d(x, 2, return_indices=True)"
    assert found.status == "caveat"
    assert any('poolkit.indices_from(indices, "tensorflow", shape, layout)' in note for note in found.differs)


REFUSED = [
    ("tf.nn.fractional_max_pool(x, [1.0, 1.4, 1.4, 1.0])", r"write poolkit\.FractionalMaxPool\(overlapping=False"),
    ("tf.compat.v1.nn.fractional_avg_pool(x, [1.0, 1.4, 1.4, 1.0])", "once for all batches and channels"),
    ("tf.image.crop_and_resize(x, boxes, i, (7, 7))", r"boxes are \[batch number, x1, y1, x2, y2\]"),
    ("tf.nn.max_pool_with_argmax(x, 2, 2, 'SAME', 'NCHW')", "write NHWC"),
    ("tf.nn.max_pool_with_argmax(x, 2, 2, [[0, 0], [1, 1], [1, 1], [0, 0]])", "which is text; mend the call"),
    ("tf.nn.max_pool_with_argmax(x, 2, 2, 'FULL')", "write VALID or SAME"),
    ("tf.nn.max_pool_with_argmax(x, 2, 2, p)", "padding=p is not known here"),
]


@pytest.mark.parametrize(("source", "text"), REFUSED)
def test_what_is_refused_says_why_and_what_to_write(source: str, text: str) -> None:
    with pytest.raises(pk.NotExactError, match=text):
        pk.read(source)


@pytest.mark.parametrize("function", [tf.nn.fractional_max_pool, tf.image.crop_and_resize])
def test_functions_in_hand_are_told_apart_too(function: Any) -> None:
    with pytest.raises(pk.NotExactError, match="no spec of a pool says that"):
        pk.read(functools.partial(function))


NO_OWN = [
    (pk.RoiSpec("align", output_size=2, layout="NHWC"), "crop_and_resize takes one sample for each number"),
    (pk.Unpool(pk.MaxPool(2, layout="NHWC"), "smallest"), "none of tf.nn's pools takes indices besides"),
    (pk.MaxPool(2, layout="NHWC", indices=True), "max_pool_with_argmax counts them over channels too"),
]


@pytest.mark.parametrize(("spec", "text"), NO_OWN, ids=str)
def test_tensorflow_has_no_own(spec: pk.Operation, text: str) -> None:
    with pytest.raises(pk.NotExactError, match=text):
        pk.native(spec, "tensorflow")


OWN = [
    'pk.Unpool(pk.MaxPool(2, layout="NCHW"), "smallest")',
    'pk.RoiSpec("align", output_size=2, layout="NCHW", sampling_ratio=2)',
    'pk.FractionalMaxPool(2, output_size=3, layout="NCHW")',
    'pk.StochasticPool(2, layout="NCHW")',
    'pk.Segment("max", 3)',
    "pk.StructPool(3)",
]


@pytest.mark.parametrize("source", OWN)
def test_what_a_port_has_written_is_read_and_moved_again(source: str) -> None:
    spec = pk.read(source)
    assert pk.read(repr(spec)) == spec
    assert pk.read(str(spec) if isinstance(spec, pk.PoolSpec) else repr(spec)) == spec
    again = port_source(f'import poolkit as pk\nlayer = {source}.layer("torch")\n', "keras")
    assert again.complete


def test_an_unpooling_of_an_earlier_port_becomes_torchs_own() -> None:
    source = 'import poolkit as pk\nu = pk.Unpool(pk.MaxPool(2, layout="NHWC"), "smallest").layer("keras")\n'
    assert line(source, "torch") == "u = torch.nn.MaxUnpool2d(2)"
