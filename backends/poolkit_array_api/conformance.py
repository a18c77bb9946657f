"""How the conformance suite works with arrays of the array API standard, by its strictest implementation."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from typing import Any, ClassVar

import numpy as np

from poolkit_conformance.case import INTEGERS, Case
from poolkit_conformance.harness import Harness, Which


class ArrayHarness(Harness):
    """No derivatives, no compiler."""

    backend = "array_api"
    dtypes = frozenset(("float32", "float64", "complex64", *INTEGERS))
    modes: ClassVar[Mapping[str, Which]] = dict.fromkeys(("eager", "direct", "untouched", "standalone"), "every")

    @contextlib.contextmanager
    def context(self, case: Case) -> Generator[None]:
        with np.errstate(over="ignore", invalid="ignore"):
            yield

    def shares_memory(self, a: Any, b: Any) -> bool:
        return np.shares_memory(self.to_numpy(a), self.to_numpy(b))


HARNESS = ArrayHarness()
