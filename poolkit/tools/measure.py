"""How calls are compared: in turns, so that whatever else the machine does hits all alike.

A turn times one call, then the others, the order changing from turn to turn; what is reported is the median over the
turns of what each turn gives, as a ratio. A median of ratios of neighbours in time is steadier than a
ratio of medians, because a machine's clock drifts.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

Call = Callable[[], object]
Clock = Callable[[], float]


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
                calls[i]()  # what the call before it left in the caches is not its own
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
