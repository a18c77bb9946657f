"""The most memory that tensors take while poolkit pools, its input among them, against the documented call, on PyTorch.

Counted from the allocations that PyTorch's profiler writes down.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from benchmarks.frameworks import FRAMEWORKS, Function
from benchmarks.grid import cells, verified


def memory(name: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if name != "torch":
        return
    f = FRAMEWORKS[name]()
    for site, layout, batch, mode, train in cells(f, options):
        calls, _ = verified(f, site, layout, batch, mode, train=train)
        held = 4 * math.prod(site.shape(layout, batch))
        ours, own = (held + peak(calls[who]) for who in ("poolkit", "native"))
        row = {"backend": name, "site": site.name, "layout": layout, "batch": batch, "mode": mode, "gradient": train}
        yield row | {"MB": ours / 2**20, "factor": ours / own}


def peak(call: Function) -> int:
    """Bytes; a first call makes what is kept."""
    import torch

    call()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        call()
    found: Any = profile.profiler
    moments = sorted((e.start_ns(), e.nbytes()) for e in found.kineto_results.events() if e.name() == "[memory]")
    return max(accumulate(size for _, size in moments), default=0)
