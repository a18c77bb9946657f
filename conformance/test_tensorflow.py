from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit_conformance import PoolConformance
from poolkit_conformance.oracle import answer


class TestTensorFlow(PoolConformance):
    backend = "tensorflow"


SPECS = [
    pk.PoolSpec("avg", output_size=6, layout="NHWC"),
    pk.PoolSpec("max", output_size=1, layout="NHWC", keepdims=False),
    pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"),
    pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NCHW"),
]


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_one_function_takes_any_size(spec: pk.PoolSpec, jit: bool) -> None:
    run = tf.function(lambda x: pk.pool(x, spec), input_signature=[tf.TensorSpec([None] * 4)], jit_compile=jit)

    for n in (8, 9, 13):
        x = np.random.default_rng(n).standard_normal((2, n, n + 3, 5)).astype("float32")
        np.testing.assert_allclose(run(x), answer(spec, x).values, atol=1e-6)

    assert run.experimental_get_tracing_count() == 1


def test_a_tensor_of_unknown_rank_takes_it_from_the_layout() -> None:
    spec = SPECS[2]
    run = tf.function(lambda x: pk.pool(x, spec), input_signature=[tf.TensorSpec(None)])
    x = np.random.default_rng(0).standard_normal((2, 9, 8, 3)).astype("float32")

    np.testing.assert_array_equal(run(x), answer(spec, x).values.astype("float32"))
