"""What may end its process runs in one of its own, so that it fails one case and not the whole run."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any


class EndedError(RuntimeError):
    """A runtime has ended its process, which no `except` there sees."""


@functools.cache
def _worker() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def forked(function: Callable[[], Any]) -> Any:
    """What any function gives, called in a copy of this process that it may end."""
    here, there = multiprocessing.Pipe(duplex=False)

    def send() -> None:
        try:
            there.send((function(), None))
        except Exception as error:  # some errors cannot be sent
            there.send((None, f"{type(error).__name__}: {error}"))

    process = multiprocessing.get_context("fork").Process(target=send)
    process.start()
    there.close()
    try:
        found, error = here.recv()
    except EOFError:
        raise EndedError("a function has ended its process") from None
    finally:
        process.join()
    if error is not None:
        raise RuntimeError(error)
    return found


def apart(function: Callable[..., Any], *args: Any) -> Any:
    """What a module's function gives, called in another process, which is kept for the next call."""
    try:
        return _worker().submit(function, *args).result()
    except BrokenProcessPool as error:
        _worker.cache_clear()
        raise EndedError(f"{function.__name__} has ended its process") from error
