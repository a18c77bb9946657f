"""Which routes `pk.tune` has found fastest on this machine, in a small JSON file that `pool` looks into.

The file is that of the environment variable POOLKIT_TUNED, or poolkit/tuned.json in the user's cache folder. It is read
once in a process. It only says which of the routes that are right goes first, so nothing in it can change a number.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from poolkit.errors import InputError
from poolkit.lowering.lower import chosen, routes_of
from poolkit.spec.messages import shown

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter, Route, Situation
    from poolkit.lowering.plan import AnyPlan

VARIABLE = "POOLKIT_TUNED"
PATIENCE = 5.0  # seconds, after which a lock is that of a process that died
TURNS = 60.0  # seconds for which others may have it in turn; to write a file takes a few ms
LARGE = 2**22  # bytes; a line is about 150

_READ: dict[str, dict[str, str]] = {}  # file -> what it held when this process first asked


def place() -> str:
    """The file of the winners."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get(VARIABLE) or os.path.join(cache, "poolkit", "tuned.json")


def preferred(adapter: Adapter, plan: AnyPlan, situation: Situation, route: str | None, shape: Sequence[Any]) -> Route:
    """The route that is asked for, or the winner where it is right here, or the cheapest."""
    name = None if route is not None or plan.further else winner(adapter, plan, situation, shape)
    if name is not None:
        for found in routes_of(adapter, plan, situation):
            if found.name == name:
                return found
    return chosen(adapter, plan, situation, route)


def winner(adapter: Adapter, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> str | None:
    file = place()
    if file not in _READ:
        _READ[file] = read(file)
    return _READ[file].get(key_of(adapter, plan, situation, shape)) if _READ[file] else None


def key_of(adapter: Adapter, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> str:
    """What a winner is for; with other versions of poolkit or of the framework it is another key."""
    poolkit, framework = (getattr(sys.modules.get(name), "__version__", "") for name in ("poolkit", adapter.name))
    sizes = ",".join([str(n) for n in shape])
    at = [str(of) for of in (situation.device, situation.format) if of is not None]
    what = "; ".join([*at, "gradient" if situation.derivative else "forward"])
    return f"poolkit {poolkit}; {adapter.name} {framework}; {plan.spec}; {plan.dtype}; {sizes}; {what}"


def read(file: str) -> dict[str, str]:
    """The winners of a file; none where there is no file, or one that is no such file or above 4 MB."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return {}  # a pipe waits for somebody who writes, and a device says of itself that it has 0 bytes
        with open(file, "rb") as stream:
            data = stream.read(LARGE + 1)
        if len(data) > LARGE:
            return {}
        import json  # only where there is something to read, since it takes 3 ms of a first pool

        found: object = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return {}
    held = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    return {k: v for k, v in held.items() if isinstance(v, str)}


def keep(winners: Mapping[str, str]) -> None:
    """Add winners to the file, beside those that other processes add at the same time."""
    file = place()
    with _writing(file):
        _write(file, {**read(file), **winners})


def clear() -> int:
    """Forget all winners; how many there were."""
    file = place()
    if not os.path.exists(file):
        return 0
    with _writing(file):
        count = len(read(file))
        with contextlib.suppress(FileNotFoundError):  # two may clear it at the same time
            os.remove(file)
    return count


@contextlib.contextmanager
def _writing(file: str) -> Generator[None]:
    """One process at a time, and what is read from now on is what was written."""
    if os.path.exists(file) and not os.path.isfile(file):
        raise InputError(
            f"received {shown(file)} as the file of tuned routes, which is a folder, a pipe or a device; name a file "
            f"by the environment variable {VARIABLE}"
        )
    try:
        os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
        with _locked(file + ".lock"):
            yield
    except OSError as error:
        raise InputError(
            f"received {shown(file)} as the file of tuned routes, which cannot be written ({error.strerror}); "
            f"name another one by the environment variable {VARIABLE}"
        ) from error
    _READ.pop(file, None)


def _write(file: str, winners: Mapping[str, str]) -> None:
    """Complete or not at all: a reader sees the old file or the new one."""
    import json
    import tempfile

    # Of a name that nobody can have made a link to another file.
    opened, beside = tempfile.mkstemp(prefix=os.path.basename(file), dir=os.path.dirname(file) or ".")
    try:
        with open(opened, "w", encoding="utf-8") as stream:
            json.dump(winners, stream, indent=1, sort_keys=True)
        os.replace(beside, file)
    except BaseException:
        os.remove(beside)
        raise


@contextlib.contextmanager
def _locked(lock: str) -> Generator[None]:
    start = time.monotonic()
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            _wait(lock, time.monotonic() - start)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(lock)


def _wait(lock: str, waited: float) -> None:
    """For another process; a lock that is old, or of a time to come, is removed, and so is a link to nothing."""
    if waited > TURNS:
        raise InputError(
            f"received {shown(lock)}, which other processes have had for {TURNS:g} seconds, and one at a time writes "
            "tuned routes; wait for them, or remove this file where there are none"
        )
    with contextlib.suppress(FileNotFoundError):
        if abs(time.time() - os.lstat(lock).st_mtime) > PATIENCE:
            os.remove(lock)
    time.sleep(0.01)
