"""The grid: every site, layout, batch and mode of a framework, without a gradient and with it.

Before a cell is timed each contender's result is held against that of the documented call.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from time import perf_counter, process_time
from typing import Any

import numpy as np

import poolkit as pk
from benchmarks.frameworks import FRAMEWORKS, Array, Framework, Function, Shipped
from benchmarks.peers import contenders
from benchmarks.sites import GROWTH, SITES, Site
from poolkit.tools.measure import interleaved

Row = dict[str, Any]

EPS = 2.0**-23

CLOCKS = {"wall": perf_counter, "cpu": process_time}


def cells(f: Framework, options: argparse.Namespace) -> Iterator[tuple[Site, str, int, str, bool]]:
    """Site, layout, batch, mode and whether a gradient is taken."""
    for site in SITES:
        if not any(word.lower() in site.name.lower() for word in options.site):
            continue
        site = replace(site, channels=min(site.channels, options.channels or site.channels))
        for layout in options.layout:
            for batch in site.batches[:1] if options.quick else site.batches:
                for mode in f.asked(options, f.quick if options.quick else f.modes):
                    for train in (False, True) if f.gradients else (False,):
                        yield site, layout, batch, mode, train


def grid(name: str, options: argparse.Namespace) -> Iterator[Row]:
    """A row for each cell: seconds of each contender, and their ratios to poolkit's."""
    f = FRAMEWORKS[name]()
    for site, layout, batch, mode, train in cells(f, options):
        row: Row = {"backend": name, "site": site.name, "layout": layout, "batch": batch, "mode": mode}
        calls, wrong = verified(f, site, layout, batch, mode, train=train)
        row |= {"gradient": train, "wrong": wrong, "times": {} if options.check else timed(calls, options)}
        yield row | nodes_of({name: call.args[1] for name, call in calls.items() if isinstance(call, partial)})


def nodes_of(functions: dict[str, Function]) -> Row:
    """How many calls the graph of each has, where there is one; none of a gradient, whose graph is the same."""
    found = {name: function.nodes for name, function in functions.items() if isinstance(function, Shipped)}
    return {"nodes": found} if found else {}


def verified(
    f: Framework, site: Site, layout: str, batch: int, mode: str, *, train: bool
) -> tuple[dict[str, Function], list[str]]:
    """Each contender as a call without arguments, equal to the documented one; and which are left out for not being it.

    That poolkit is equal is certain, or an error; Keras's adaptive layers on JAX give NaN.
    """
    x = f.tensor(distinct(site.shape(layout, batch)), train=train)
    inputs: tuple[Any, ...] = (x, f.tensor(mask(site, layout, batch))) if site.masked else (x,)
    functions = contenders(f, site, layout)
    if mode in f.shipped:  # einops and Keras's layers are exported by other ways of theirs
        functions = {name: functions[name] for name in ("native", "poolkit")}
    if train:
        result = f.numbers(functions["native"](*inputs))
        weights = np.asarray(np.random.default_rng(1).random(result.shape), np.float32)
        inputs = (f.tensor(weights), *inputs)
    made = {name: f.made(function, mode, train=train) for name, function in functions.items()}
    numbers = {name: f.numbers(f.finish(function(*inputs))) for name, function in made.items()}
    what = f"{site.name} {layout} {mode} gradient={train}"
    same(f"poolkit of {f.name}, {what}", numbers["poolkit"], numbers["native"], site)
    wrong = [name for name, found in numbers.items() if _differs(found, numbers["native"], site)]
    calls = {name: partial(_run, f, function, inputs) for name, function in made.items() if name not in wrong}
    return {"copy": lambda: f.finish(f.copy(x)), **calls}, wrong


def _differs(found: Array, expected: Array, site: Site) -> bool:
    try:
        same("", found, expected, site)
    except AssertionError:
        return True
    return False


def _run(f: Framework, function: Function, inputs: tuple[Any, ...]) -> None:
    f.finish(function(*inputs))


def same(what: str, found: Array, expected: Array, site: Site) -> None:
    """Maxima are equal; averages, and what overlapping windows add up, within what a running sum is off."""
    most = 2 * max(4, site.cells / 4) * EPS
    np.testing.assert_allclose(found, expected, rtol=most, atol=most * float(np.abs(expected).max()), err_msg=what)


def distinct(shape: tuple[int, ...]) -> Array:
    """Whole numbers of which no two are equal: frameworks differ in who wins a tie, and TensorFlow's in what is one."""
    return np.random.default_rng(0).permutation(math.prod(shape)).astype(np.float32).reshape(shape)


def mask(site: Site, layout: str, batch: int) -> Array:
    """Sequences of different lengths; a number for all channels."""
    steps = site.size[0]
    lengths = np.linspace(steps // 2, steps, batch, dtype=int)
    real = np.arange(steps) < lengths[:, None]
    return np.expand_dims(real, 1 if layout == "channels_first" else 2)


def timed(calls: dict[str, Function], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """For each contender the median of its time in microseconds, and of how many times as long as poolkit it took."""
    turns = list(turns_of(list(calls.values()), options))
    ours = list(calls).index("poolkit")
    return {
        name: {
            "us": statistics.median(turn[i] for turn in turns) * 1e6,
            "ratio": statistics.median(turn[i] / turn[ours] for turn in turns),
        }
        for i, name in enumerate(calls)
    }


def turns_of(calls: list[Function], options: argparse.Namespace) -> Iterator[list[float]]:
    return interleaved(calls, turns=options.turns, seconds=options.seconds, clock=CLOCKS[options.clock])


def growth(name: str, options: argparse.Namespace) -> Iterator[Row]:
    """What a window of 63 cells with stride 1 costs: over the map that one of 3 is over, and with as many results.

    The latter is a map 3.6 times as large for one of 3, and 1.8 times as large for one of 31.
    """
    f = FRAMEWORKS[name]()
    for layout, mode, train, (what, small, large) in product(
        options.layout, f.quick if options.quick else f.modes, (False, True) if f.gradients else (False,), GROWTH
    ):
        calls = [_growing(f, site, layout, mode, train) for site in (small, large)]
        factor = statistics.median(b / a for a, b in turns_of(calls, options))
        row: Row = {"backend": name, "kind": small.kind, "windows": f"{small.window} to {large.window}", "same": what}
        yield row | {"layout": layout, "mode": mode, "gradient": train, "factor": factor}


def _growing(f: Framework, site: Site, layout: str, mode: str, train: bool) -> Function:
    spec = site.spec(layout)
    shape = site.shape(layout, 1)
    x = f.tensor(distinct(shape), train=train)
    inputs = (f.tensor(np.ones(spec.output_shape(shape), np.float32)), x) if train else (x,)
    return partial(_run, f, f.made(lambda x: pk.pool(x, spec), mode, train=train), inputs)
