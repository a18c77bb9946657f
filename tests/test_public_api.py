"""What `import poolkit as pk` offers: exactly the names that it lists, and the calls of the design's first page."""

from __future__ import annotations

import types

import numpy as np

import poolkit as pk


def test_all_is_what_is_public() -> None:
    assert all(hasattr(pk, name) for name in pk.__all__)  # and with that all is loaded that waits until it is asked for
    public = {
        name
        for name, value in vars(pk).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert public == set(pk.__all__) <= set(dir(pk))
    assert sorted(pk.__all__) == pk.__all__


def test_the_same_call_in_four_ways() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3))
    gap = pk.GlobalAvgPool(layout="NHWC", keepdims=True)
    assert gap == pk.PoolSpec("avg", output_size=1, layout="NHWC", keepdims=True)
    expected = x.mean((1, 2), keepdims=True)
    for y in (gap(x), pk.pool(x, gap), gap.layer("numpy")(x), pk.layer(gap, "numpy")(x)):
        np.testing.assert_allclose(y, expected, rtol=1e-14)


def test_a_spec_stands_for_itself_in_text() -> None:
    stem = pk.MaxPool(3, 2, "same", layout="NCHW")
    assert eval(repr(stem), {"PoolSpec": pk.PoolSpec}) == stem
    assert pk.PoolSpec.parse(str(stem)) == stem
    assert pk.PoolSpec.from_dict(stem.to_dict()) == stem
