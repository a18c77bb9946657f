"""Kinds and operations beside what users write by hand: the published composition of calls, or the framework's own.

Maps of 8x64x56x56, channels first on PyTorch and last on JAX, and tokens of (8, 512, 768). The numbers are in (0, 1],
where what is written by hand neither overflows nor underflows.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

import poolkit as pk
from benchmarks.frameworks import FRAMEWORKS, Array, Framework, Function
from benchmarks.grid import nodes_of, turns_of
from benchmarks.operations import Compared, operations

Tensor = Any
Hand = Callable[[Any, Tensor], Tensor]  # of the framework's calls below, and an input

WINDOW = "window=3 stride=2"
KERNEL = np.outer((1, 2, 1), (1, 2, 1)).astype("float32") / 16
TOKENS = "output_size=1 layout=NLC keepdims=false"


class Calls(NamedTuple):
    """What is written by hand needs of a framework: its module, and windows of 3 with stride 2."""

    module: Any
    mean: Callable[[Tensor], Tensor]
    largest: Callable[[Tensor], Tensor]
    median: Callable[[Tensor], Tensor]
    blur: Callable[[Tensor], Tensor]
    fractional: Callable[[Tensor], Tensor]  # windows of 3, 28 along each axis, in the middle
    strips: Callable[[Tensor], Tensor]  # maxima of 2 with stride 1, averaged by 2 with a padding of 1


def torch_calls() -> Calls:
    import torch

    def median(x: Tensor) -> Tensor:
        return x.unfold(2, 3, 2).unfold(3, 3, 2).flatten(-2).median(-1)[0]

    pool = torch.nn.functional

    def blur(x: Tensor) -> Tensor:
        kernel = torch.from_numpy(KERNEL).expand(x.shape[1], 1, 3, 3)
        return pool.conv2d(pool.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=x.shape[1])

    def fractional(x: Tensor) -> Tensor:
        return pool.fractional_max_pool2d(x, 3, 28, _random_samples=torch.full((*x.shape[:2], 2), 0.5))

    def strips(x: Tensor) -> Tensor:
        return pool.avg_pool2d(pool.max_pool2d(x, 2, 1), 2, 2, 1, count_include_pad=False)

    mean, largest = (partial(function, kernel_size=3, stride=2) for function in (pool.avg_pool2d, pool.max_pool2d))
    return Calls(torch, mean, largest, median, blur, fractional, strips)


def jax_calls() -> Calls:
    from jax import lax, numpy

    def windows(x: Tensor, start: float, function: Any) -> Tensor:
        return lax.reduce_window(x, start, function, (1, 3, 3, 1), (1, 2, 2, 1), "VALID")

    def median(x: Tensor) -> Tensor:
        n = x.shape[1] - 2
        cells = [x[:, i : n + i : 2, j : n + j : 2] for i in range(3) for j in range(3)]
        return numpy.median(numpy.stack(cells, -1), -1)

    def blur(x: Tensor) -> Tensor:
        c, numbers = x.shape[-1], ("NHWC", "HWIO", "NHWC")
        kernel = numpy.tile(KERNEL[:, :, None, None], (1, 1, 1, c))
        padded = numpy.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        return lax.conv_general_dilated(
            padded, kernel, (2, 2), "VALID", dimension_numbers=numbers, feature_group_count=c
        )

    def fractional(x: Tensor) -> Tensor:
        step = 53 / 27
        starts = np.array([int((i + 0.5) * step) - int(0.5 * step) for i in range(27)] + [53])
        x = numpy.stack([x[:, starts + j] for j in range(3)]).max(0)
        return numpy.stack([x[:, :, starts + j] for j in range(3)]).max(0)

    def strips(x: Tensor) -> Tensor:
        x = lax.reduce_window(x, -float("inf"), lax.max, (1, 2, 2, 1), (1, 1, 1, 1), "VALID")
        sums = [
            lax.reduce_window(t, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), ((0, 0), (1, 0), (1, 0), (0, 0)))
            for t in (x, numpy.ones_like(x[:1, :, :, :1]))
        ]
        return sums[0] / sums[1]

    largest = partial(windows, start=-float("inf"), function=lax.max)
    return Calls(numpy, lambda x: windows(x, 0.0, lax.add) / 9, largest, median, blur, fractional, strips)


def softmax(c: Calls, x: Tensor) -> Tensor:
    w = c.module.exp(x)
    return c.mean(x * w) / c.mean(w)


def tokens_softmax(c: Calls, x: Tensor) -> Tensor:
    w = c.module.exp(x)
    return (x * w).sum(1) / w.sum(1)


def tokens_gem(c: Calls, x: Tensor) -> Tensor:
    return (c.module.clip(x, 1e-6, None) ** 3).mean(1) ** (1 / 3)


BY_HAND: dict[str, Hand] = {
    f"avg {WINDOW}": lambda c, x: c.mean(x),
    f"sum {WINDOW}": lambda c, x: c.mean(x) * 9,
    f"max {WINDOW}": lambda c, x: c.largest(x),
    f"min {WINDOW}": lambda c, x: -c.largest(-x),
    f"median {WINDOW}": lambda c, x: c.median(x),
    f"softmax {WINDOW}": softmax,
    f"lp {WINDOW}": lambda c, x: (c.mean(x**2) * 9) ** 0.5,
    f"gem {WINDOW}": lambda c, x: c.mean(c.module.clip(x, 1e-6, None) ** 3) ** (1 / 3),
    f"logsumexp {WINDOW}": lambda c, x: c.module.log(c.mean(c.module.exp(x))),
    f"stochastic {WINDOW}": lambda c, x: c.mean(x * x) / c.mean(x),
    f"blur {WINDOW} padding=1": lambda c, x: c.blur(x),
    "fractional_max window=3 output_size=28": lambda c, x: c.fractional(x),
    "s3 window=2 grid=8": lambda c, x: c.strips(x),
    f"avg {TOKENS}": lambda c, x: x.mean(1),
    f"softmax {TOKENS}": tokens_softmax,
    f"lp {TOKENS}": lambda c, x: (x**2).sum(1) ** 0.5,
    f"gem {TOKENS}": tokens_gem,
    f"logsumexp {TOKENS}": lambda c, x: c.module.log(c.module.exp(x).mean(1)),
    f"stochastic {TOKENS}": lambda c, x: (x * x).sum(1) / x.sum(1),
}
CALLS = {"torch": torch_calls, "jax": jax_calls}
OPERATIONS = (*CALLS, "tensorflow")


def case(name: str, backend: str, channels: int | None) -> tuple[pk.PoolSpec, Array]:
    """The spec and its input."""
    if "layout" in name:
        shape: tuple[int, ...] = (8, 512, channels or 768)
    else:
        first = backend == "torch"
        name += " layout=NCHW" if first else " layout=NHWC"
        shape = (8, channels or 64, 56, 56) if first else (8, 56, 56, channels or 64)
    return pk.PoolSpec.parse(name), 1 - np.random.default_rng(0).random(shape, "float32")


def kinds(name: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each kind, forward and with its gradient: how many times as long as poolkit the other took."""
    if name not in OPERATIONS:
        return
    f = FRAMEWORKS[name]()
    for text, x, *functions, further in compared(name, options):
        for mode, train in product(f.asked(options, f.quick[:1]), (False, True)):
            made = [_call(f, function, x, mode, train, further) for function in functions]
            ours, other = (f.numbers(f.finish(call())) for call in made)
            what = f"{name} {text} {mode} gradient={train}"
            np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-5, err_msg=what)
            row: dict[str, Any] = {"backend": name, "spec": text, "mode": mode, "gradient": train}
            row |= nodes_of({who: call.func for who, call in zip(("poolkit", "hand"), made, strict=True)})
            if not options.check:
                turns = list(turns_of([partial(_run, f, call) for call in made], options))
                row["factor"] = statistics.median(theirs / own for own, theirs in turns)
            yield row


def compared(name: str, options: argparse.Namespace) -> Iterator[Compared]:
    """Every kind and operation that is asked for; of TensorFlow operations alone."""
    calls = CALLS[name]() if name in CALLS else None
    for text, hand in BY_HAND.items() if calls else ():
        if any(word in text for word in options.site):
            spec, x = case(text, name, options.channels)
            yield Compared(str(spec), x, partial(pk.pool, spec=spec), partial(hand, calls))
    for other in operations(name, options.channels):
        if any(word in other.name for word in options.site):
            yield other


def _call(
    f: Framework, function: Function, x: Array, mode: str, train: bool, further: tuple[Tensor, ...]
) -> partial[Any]:
    inputs = [f.tensor(x, train=train), *further]
    if train:
        shape = f.numbers(f.finish(function(f.tensor(x), *further))).shape
        inputs.insert(0, f.tensor(np.ones(shape, np.float32)))
    return partial(f.made(function, mode, train=train), *inputs)


def _run(f: Framework, call: Function) -> None:
    f.finish(call())
