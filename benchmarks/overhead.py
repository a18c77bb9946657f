"""Microseconds that poolkit adds to a call on PyTorch, for a global average of 1x64x7x7 and a maximum of 1x8x8x8.

`x.mean` is what the program of poolkit calls there too, so that dispatch alone is left. The layer is held against the
layer of torch.nn, since either has the cost of a module. With `--mode compiled` then the first call of layers under
`torch.compile`, each with nothing kept of those before: `factor` is how many times as long poolkit's took.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import process_time
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
    stem, small = pk.MaxPool(3, 2, 1, layout="NCHW").layer("torch"), torch.rand(1, 8, 8, 8)
    calls: list[tuple[str, Function, str, Function, Any]] = [
        ("pk.pool", lambda x: pk.pool(x, spec), "x.mean", lambda x: x.mean((2, 3), keepdim=True), x),
        (
            "pk.pool",
            lambda x: pk.pool(x, spec),
            "adaptive_avg_pool2d",
            lambda x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
            x,
        ),
        ("layer", layer, "AdaptiveAvgPool2d", module, x),
        ("layer", stem, "MaxPool2d", torch.nn.MaxPool2d(3, 2, 1), small),
    ]
    for call, ours, over, bare, x in calls:
        turns, short = 50 * options.turns, options.seconds / 10  # of many short turns one is undisturbed
        own, more = overheads(partial(bare, x), [partial(ours, x)], turns=turns, seconds=short)
        yield {"call": call, "over": over, "us": more * 1e6, "factor": 1 + more / own}
    for name, own_layer, n in FIRST if "compiled" in (options.mode or ()) else []:
        read = pk.read(own_layer(torch))
        yield {"call": f"first, {name}", "over": "compiled", **_first(torch, own_layer, read, n, options)}


FIRST: list[tuple[str, Callable[[Any], Any], int]] = [
    ("max 3 s2", lambda torch: torch.nn.MaxPool2d(3, 2, 1), 224),
    ("avg to 6", lambda torch: torch.nn.AdaptiveAvgPool2d(6), 60),
    ("avg 3 s2", lambda torch: torch.nn.AvgPool2d(3, 2), 60),
]


def _first(torch: Any, own: Callable[[Any], Any], spec: Any, n: int, options: argparse.Namespace) -> dict[str, float]:
    """Of the processor's time, in turns; an earlier call has loaded what the compiler needs."""
    x = torch.rand(1, 8, n, n)
    took: list[list[float]] = []
    for _ in range(1 + max(3, options.turns // 3)):
        took.append([])
        for layer in (own(torch), spec.layer("torch")):
            torch.compiler.reset()
            with torch.compiler.config.patch(force_disable_caches=True):
                start = process_time()
                torch.compile(layer)(x)
                took[-1].append(process_time() - start)
    ours = statistics.median(more - less for less, more in took[1:])
    return {"us": ours * 1e6, "factor": statistics.median(more / less for less, more in took[1:])}


def overheads(bare: Call, others: Sequence[Call], *, turns: int, seconds: float) -> list[float]:
    """Seconds of the bare call, and those that each of the others takes more, by the shortest turn of each.

    What else a machine does makes a call of microseconds several times as long, and never shorter.
    """
    least = [min(took) for took in zip(*interleaved((bare, *others), turns=turns, seconds=seconds), strict=True)]
    return [least[0], *[other - least[0] for other in least[1:]]]
