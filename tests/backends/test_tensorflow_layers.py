"""TensorFlow's module and tensors: modules, functions, SavedModels, variables, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit_tensorflow import Pool

STEM = pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC")


def image(seed: int = 0) -> Any:
    return tf.constant(np.random.default_rng(seed).standard_normal((2, 9, 8, 3)).astype("float32"))


def test_a_module_pools_by_its_spec_and_route() -> None:
    np.testing.assert_array_equal(Pool(STEM, name="stem")(image()), pk.pool(image(), STEM))
    np.testing.assert_array_equal(STEM.layer("tensorflow", route="fold")(image()), pk.pool(image(), STEM))
    with pytest.raises(pk.BackendError, match='no route "nowhere"'):
        Pool(STEM, route="nowhere")(image())


@pytest.mark.parametrize("shape", [[None, None, None, 3], [None, 9, 8, 3], [2, 9, 8, 3]], ids=str)
def test_a_saved_model_pools(shape: list[int | None], tmp_path: Path) -> None:
    module = Pool(STEM)
    run = tf.function(module.__call__, input_signature=[tf.TensorSpec(shape)])
    module.run = run
    tf.saved_model.save(module, str(tmp_path), signatures=run)

    np.testing.assert_array_equal(tf.saved_model.load(str(tmp_path)).run(image()), pk.pool(image(), STEM))


def test_a_variable_is_read_and_not_handed_out() -> None:
    x = tf.Variable(image())
    with tf.GradientTape() as tape:
        y = pk.pool(x, STEM)
    assert tape.gradient(y, x).shape == x.shape

    same = pk.pool(x, pk.MaxPool(1, layout="NHWC"))
    x.assign(x + 1.0)
    np.testing.assert_array_equal(same, image())


@pytest.mark.parametrize("shape", [(0, 9, 8, 3), (2, 9, 8, 0)], ids=str)
def test_empty_input_has_an_empty_gradient(shape: tuple[int, ...]) -> None:
    x = tf.zeros(shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pk.pool(x, STEM)
    assert tuple(y.shape) == STEM.output_shape(shape)
    assert tuple(tape.gradient(y, x).shape) == shape


def test_errors_keep_their_type_in_a_function() -> None:
    run = tf.function(lambda x: pk.pool(x, pk.MaxPool(9, layout="NHWC")))
    with pytest.raises(pk.ShapeError, match="does not fit axis W"):
        run(image())


def test_autograph_leaves_pool_as_it_is() -> None:
    assert all(hasattr(function, "autograph_info__") for function in (pk.pool, pk.pool_direct))


def test_ragged_and_sparse_tensors_are_refused() -> None:
    with pytest.raises(pk.InputError, match=r"to_tensor\(\)"):
        pk.pool(tf.ragged.constant([[[1.0]], [[1.0], [2.0]]]), pk.AvgPool(1, layout="NLC"))
    with pytest.raises(pk.InputError, match="to_dense"):
        pk.pool(tf.sparse.from_dense([[[1.0]]]), pk.AvgPool(1, layout="NLC"))
    with pytest.raises(pk.DtypeError, match="complex64"):
        pk.pool(tf.ones([1, 2, 1], "complex64"), pk.AvgPool(1, layout="NLC"))


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("sizes", [None, 300], ids=["unknown", "known"])
def test_float64_sums_stay_within_four_eps(layout: str, sizes: int | None) -> None:
    shape = [1 if letter == "N" else 2 if letter == "C" else 300 for letter in layout]
    spec = pk.GlobalAvgPool(layout=layout, keepdims=False)
    run = tf.function(
        lambda x: pk.pool(x, spec), input_signature=[tf.TensorSpec([sizes and n for n in shape], "float64")]
    )
    error = np.abs(run(tf.fill(shape, tf.constant(77.7, "float64"))).numpy() - 77.7) / 77.7

    assert error.max() <= 4 * np.finfo("float64").eps
