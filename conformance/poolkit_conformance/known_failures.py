"""What is known to fail, and whose fault it is. Strict: what is repaired fails the run until its row is deleted."""

from __future__ import annotations

import fnmatch
from typing import Literal, NamedTuple


class KnownFailure(NamedTuple):
    """One row. `cases` and `mode` are patterns as of a shell."""

    backend: str
    cases: str
    mode: str
    fault: Literal["todo", "upstream", "never"]  # ours; the framework's; nobody's, it can't be had
    exception: type[BaseException]
    reason: str

    def covers(self, backend: str, case: str, mode: str) -> bool:
        names = ((backend, self.backend), (case, self.cases), (mode, self.mode))
        return all(fnmatch.fnmatchcase(name, pattern) for name, pattern in names)


# The goal is that it stays empty.
KNOWN_FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        "torch",
        "max_empty_channels",
        "standalone_any_size",
        "upstream",
        RuntimeError,
        "max_pool2d refuses a map without channels, which what is printed for every size cannot look for",
    ),
)


def known_failure(backend: str, case: str, mode: str) -> KnownFailure | None:
    """The row for a test, or None."""
    return next((row for row in KNOWN_FAILURES if row.covers(backend, case, mode)), None)


def idle(backend: str, tests: list[tuple[str, str]]) -> list[KnownFailure]:
    """Rows of a backend that match none of its tests (case, mode)."""
    rows = [row for row in KNOWN_FAILURES if fnmatch.fnmatchcase(backend, row.backend)]
    return [row for row in rows if not any(row.covers(backend, case, mode) for case, mode in tests)]
