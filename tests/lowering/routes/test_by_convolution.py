"""A blur as a convolution of each channel by itself: where it is the first route, and that it is as the fold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit_conformance import runner

SPECS = [
    pk.BlurPool(3, 2, layout="NCHW"),
    pk.BlurPool(4, 2, layout="NHWC", pad_mode="replicate"),
    pk.BlurPool(5, 1, layout="NHWC", pad_mode="zeros"),
    pk.BlurPool((2, 7), 3, padding=((0, 1), (4, 2)), layout="HWC"),
    pk.BlurPool(3, 2, layout="NCL"),
    pk.PoolSpec("blur", window=3, axes="W", layout="NHWC"),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_the_first_route_is_channelwise_and_gives_what_the_fold_gives(backend: str, spec: Any) -> None:
    h = runner.harness(backend)
    cells = np.random.default_rng(0).standard_normal((2, 9, 8, 10)[-len(spec.layout) :]).astype("float32")
    x = h.from_numpy(cells)

    assert routes_for(x, spec)[0].name == "channelwise"
    found, wanted = (h.to_numpy(pool_through(x, spec, name)) for name in ("channelwise", "fold"))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def test_what_no_framework_convolves_fast_is_folded() -> None:
    torch, tensorflow = (runner.harness(name).from_numpy for name in ("torch", "tensorflow"))
    x, volume = np.ones((1, 2, 8, 8), "float32"), np.ones((1, 1, 4, 4, 4), "float32")
    spec = pk.BlurPool(3, 2, layout="NCHW")

    for taken, asked in (
        (torch(x.astype("float64")), spec),
        (torch(volume), pk.BlurPool(3, 2, layout="NCDHW")),
        (torch(x[:, :, :6]), pk.BlurPool(7, 1, padding=6, layout="NCHW", pad_mode="replicate")),
        (tensorflow(x), spec.replace(stride=(1, 2))),
        (tensorflow(x), spec.replace(dilation=2)),
    ):
        assert routes_for(taken, asked)[0].name == "fold"
