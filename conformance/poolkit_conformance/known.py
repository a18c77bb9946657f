"""A row of what is known to fail."""

from __future__ import annotations

import fnmatch
from typing import Literal, NamedTuple

BY_KEY = ("*_by_key_*", *(f"fractional_max_{each}_k2_to_4" for each in ("mask", "bool")))  # drawn by shifts of integers


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


def exports(
    backend: str, modes: str, cases: tuple[str, ...], exception: type[BaseException], reason: str
) -> tuple[KnownFailure, ...]:
    """Rows of what a format, its converter or its runtime does not have."""
    return tuple(KnownFailure(backend, case, f"exported:{modes}", "upstream", exception, reason) for case in cases)
