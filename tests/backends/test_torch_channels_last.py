"""Which routes PyTorch's maps in the memory format channels_last take under a layout of channels first."""

from __future__ import annotations

import torch

import poolkit as pk
from poolkit.running.routes import routes_for


def test_bins_and_windows_are_read_in_their_order() -> None:
    maps = torch.ones(1, 8, 60, 60).contiguous(memory_format=torch.channels_last)
    for pool, name in (
        (pk.AdaptiveAvgPool(2, layout="NCHW"), "stepwise"),
        (pk.AdaptiveAvgPool(3, layout="NCHW"), "stepwise"),
        (pk.AdaptiveAvgPool(6, layout="NCHW"), "windows"),
        (pk.AdaptiveMaxPool(7, layout="NCHW"), "adaptive"),
        (pk.MaxPool(3, 2, 1, layout="NCHW"), "native"),
        (pk.MaxPool(2, layout="NCHW"), "maximum"),
    ):
        assert routes_for(maps, pool)[0].name == name, str(pool)
    for k, s, name in ((2, 2, "native"), (5, 1, "apart")):
        assert routes_for(maps.requires_grad_(), pk.MaxPool(k, s, layout="NCHW"))[0].name == name


def test_a_whole_map_that_no_cache_holds_is_read_in_its_order() -> None:
    spec = pk.GlobalMaxPool(layout="NHWC", keepdims=False)
    for batch, name in ((1, "maximum"), (8, "adaptive")):
        maps = torch.zeros(batch, 56, 56, 256)
        maps[-1, 3, 4] = 1.0
        assert routes_for(maps, spec)[0].name == name
        torch.testing.assert_close(pk.pool(maps, spec), maps.amax((1, 2)), rtol=0, atol=0)
    assert routes_for(torch.zeros((8, 56, 56, 256), dtype=torch.int32), spec)[0].name == "maximum"
