"""How two calls are compared: in turns, so that whatever else the machine does hits both alike.

A turn times one call, then the other, the order changing from turn to turn; what is reported is the median over the
turns of what each turn gives (a ratio, or a difference). A median of ratios of neighbours in time is steadier than a
ratio of medians, because a machine's clock drifts.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

Call = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """Seconds per call, and how many times faster the second call is: above 1 it wins."""

    native: float
    poolkit: float
    ratio: float


def compare(native: Call, poolkit: Call, *, turns: int, seconds: float) -> Comparison:
    """Time two calls side by side, each for about `seconds` a turn."""
    rows = list(interleaved((native, poolkit), turns=turns, seconds=seconds))
    return Comparison(
        native=statistics.median(row[0] for row in rows),
        poolkit=statistics.median(row[1] for row in rows),
        ratio=statistics.median(row[0] / row[1] for row in rows),
    )


def overheads(bare: Call, others: Sequence[Call], *, turns: int, seconds: float) -> list[float]:
    """Seconds that each of the other calls takes more than the bare one, by the shortest turn of each.

    What else a machine does makes a call of microseconds several times as long, and never shorter.
    """
    least = [min(took) for took in zip(*interleaved((bare, *others), turns=turns, seconds=seconds), strict=True)]
    return [other - least[0] for other in least[1:]]


def interleaved(
    calls: Sequence[Call], *, turns: int, seconds: float, clock: Clock = perf_counter
) -> Iterator[list[float]]:
    """For each turn the seconds that one run of each call took.

    `time.process_time` as the clock counts this process alone: on a machine that is busy with others, and with one
    thread, it is the one to ask.
    """
    repeats = [repeats_within(call, seconds) for call in calls]
    with garbage_collection_paused():
        for turn in range(turns):
            took = [0.0] * len(calls)
            order = range(len(calls))
            for i in order if turn % 2 == 0 else reversed(order):
                took[i] = timed(calls[i], repeats[i], clock)
            yield took


def timed(call: Call, repeats: int, clock: Clock = perf_counter) -> float:
    started = clock()
    for _ in range(repeats):
        call()
    return (clock() - started) / repeats


def repeats_within(call: Call, seconds: float) -> int:
    """How often a call runs in that time, once it is warm: compiled, cached, its memory at hand."""
    for _ in range(3):
        call()
    return max(1, round(seconds / min(timed(call, 1) for _ in range(3))))


@contextmanager
def garbage_collection_paused() -> Generator[None]:
    """Without the collector, which would charge one call for another's garbage."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
