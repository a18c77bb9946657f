"""Routes that are for who asks by name alone: where they are, and that nobody else gets them."""

from __future__ import annotations

import numpy as np
import pytest

import poolkit as pk
from poolkit.running.routes import routes_for

SHAPE = (2, 3, 9, 8)
AVG, MAX = pk.AvgPool(3, 2, "same", layout="NCHW"), pk.MaxPool(3, 2, "same", layout="NCHW")


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_a_convolution_stands_behind_the_fold(backend: str) -> None:
    for spec in (AVG, AVG.replace(kind="sum"), pk.AvgPool(2, layout="NHWC")):
        names = [route.name for route in pk.routes(spec, backend, SHAPE)]
        assert names.index("convolution") > names.index("fold")


@pytest.mark.parametrize("spec", [pk.AvgPool(12, layout="NCHW"), pk.AdaptiveAvgPool(5, layout="NCHW"), MAX], ids=str)
def test_no_convolution_of_large_windows_or_uneven_bins_or_for_a_maximum(spec: pk.PoolSpec) -> None:
    with pytest.raises(pk.BackendError, match=r'no route "convolution".*its routes are'):
        pk.lower(spec, "torch", (1, 1, 13, 13), route="convolution")


def test_a_maximum_by_relus_is_not_even_listed() -> None:
    x = np.zeros(SHAPE, "float32")

    assert "relu" not in [route.name for route in routes_for(x, MAX)]
    assert "maximum(" not in pk.lower(MAX, "numpy", SHAPE, route="relu").source


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32", "int64"])
def test_dtypes_whose_differences_are_lost_have_no_relu(dtype: str) -> None:
    with pytest.raises(pk.BackendError, match='no route "relu"'):
        pk.lower(MAX, "numpy", SHAPE, dtype=dtype, route="relu")


def test_indices_masks_and_unknown_sizes_have_no_relu() -> None:
    for spec, shape, tensors in (
        (MAX.replace(indices=True), SHAPE, {}),
        (MAX, None, {}),
        (MAX, SHAPE, {"mask": "NHW"}),
    ):
        with pytest.raises(pk.BackendError, match='no route "relu"'):
            pk.lower(spec, "torch", shape, route="relu", tensors=tensors)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16"])
def test_small_integers_are_exact_at_both_ends(dtype: str) -> None:
    ends = [0, 1] if dtype == "bool" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    x = np.random.default_rng(0).choice(np.array(ends, dtype), (1, 1, 33))
    for kind in ("max", "min"):
        spec = pk.PoolSpec(kind, window=3, stride=1, layout="NCL")
        np.testing.assert_array_equal(spec.layer("numpy", route="relu")(x), spec(x))
