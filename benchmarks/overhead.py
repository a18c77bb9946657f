"""Microseconds that poolkit adds to a call on PyTorch, for a global average of 1x64x7x7.

`x.mean` is what the program of poolkit calls there too, so that dispatch alone is left. The layer is held against the
layer of torch.nn, since either has the cost of a module.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import poolkit as pk
from benchmarks.frameworks import Function
from benchmarks.sites import SMALL
from poolkit.tools.measure import Call, interleaved


def overhead(name: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if name != "torch":
        return
    import torch

    x = torch.rand(SMALL.shape("channels_first", 1))
    spec = SMALL.spec("channels_first")
    layer, module = spec.layer("torch"), torch.nn.AdaptiveAvgPool2d(1)
    calls: dict[str, tuple[Function, dict[str, Function]]] = {
        "pk.pool": (
            lambda x: pk.pool(x, spec),
            {
                "x.mean": lambda x: x.mean((2, 3), keepdim=True),
                "adaptive_avg_pool2d": lambda x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
            },
        ),
        "layer": (layer, {"AdaptiveAvgPool2d": module}),
    }
    for call, (ours, bares) in calls.items():
        for over, bare in bares.items():
            turns, short = 50 * options.turns, options.seconds / 10  # of many short turns one is undisturbed
            [seconds] = overheads(partial(bare, x), [partial(ours, x)], turns=turns, seconds=short)
            yield {"call": call, "over": over, "us": seconds * 1e6}


def overheads(bare: Call, others: Sequence[Call], *, turns: int, seconds: float) -> list[float]:
    """Seconds that each of the other calls takes more than the bare one, by the shortest turn of each.

    What else a machine does makes a call of microseconds several times as long, and never shorter.
    """
    least = [min(took) for took in zip(*interleaved((bare, *others), turns=turns, seconds=seconds), strict=True)]
    return [other - least[0] for other in least[1:]]
