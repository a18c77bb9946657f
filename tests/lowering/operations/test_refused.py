"""What PyTorch's own calls refuse: ids and indices are looked at after it, and not before every call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.running import registry
from poolkit.running.further import checked

ROWS, SEGMENTS = 40, 6
X = np.random.default_rng(0).standard_normal((ROWS, 5)).astype("float32")
IDS = np.random.default_rng(1).integers(0, SEGMENTS, ROWS).astype("int32")


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("kind", ["sum", "avg", "max", "min", "softmax"])
def test_rows_out_of_range_are_dropped_where_calls_refuse_them(kind: str, dtype: str, trained: bool) -> None:
    """PyTorch's raise for them: of such numbers another program drops the rows, and of the next ones none."""
    for out in ([], [-1], [SEGMENTS], [-1, SEGMENTS, 2**31 - 1], [-100], [], [2**62] if dtype == "int64" else []):
        ids = IDS.astype(dtype)
        ids[3 : 3 + len(out)] = out
        for columns in (slice(None), 0, slice(0, 0), slice(0, 4, 2)):  # one axis, no column, not contiguous
            x = torch.from_numpy(X)[:, columns].requires_grad_(trained)
            found = pk.segment(x, torch.from_numpy(ids), SEGMENTS, kind)
            np.testing.assert_allclose(
                found.numpy(force=True), pk.segment(X[:, columns], ids, SEGMENTS, kind), rtol=1e-5, atol=1e-6
            )
            if trained and kind == "sum":
                slopes = torch.autograd.grad(found.sum(), x)[0]
                inside = (ids >= 0) & (ids < SEGMENTS)
                np.testing.assert_array_equal(slopes, inside.reshape(-1, *[1] * (x.ndim - 1)) * np.ones(x.shape))


def test_a_call_that_fails_for_another_reason_is_heard() -> None:
    op, x, ids = pk.Segment("sum", 2, layout="LC"), torch.ones(3, 2), torch.tensor([0, 1, 1])

    def failing(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no memory")

    adapter: Any = registry.find(x)
    tried = checked(adapter, op, failing, {"ids": ids}, refuses=True)
    with pytest.raises(RuntimeError, match="no memory"):
        tried(x, ids)
    assert tried(x, ids - 1).tolist() == [[2, 2], [0, 0]]


@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("far", [144, -2, 2**16, 2**31 - 1, 2**32, -(2**32), 2**63 - 1])
def test_what_narrow_integers_would_take_for_a_place_is_refused(far: int, trained: bool, window: int) -> None:
    """As PyTorch refuses to write there: nobody looks at indices before."""
    spec = pk.MaxPool(window, window - (window == 3), layout="NCHW", indices=True)
    values, indices = spec(torch.from_numpy(np.resize(X, (2, 3, 12, 12))))
    pk.unpool(values.requires_grad_(trained), indices, spec, (12, 12))
    indices[1, 2, 3, 1] = far + (indices[1, 2, 3, 1] if abs(far) in (2**16, 2**32) else 0)
    with pytest.raises(pk.InputError, match="an index is a place below 144"):
        pk.unpool(values, indices, spec, (12, 12))
    indices[1, 2, 3, 1] = -1
    found = pk.unpool(values, indices, spec, (12, 12)).numpy(force=True)
    np.testing.assert_array_equal(found, pk.unpool(values.numpy(force=True), indices.numpy(), spec, (12, 12)))
