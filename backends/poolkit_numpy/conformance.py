"""How the conformance suite works with NumPy's arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from poolkit_conformance.case import Case
from poolkit_conformance.harness import Array, Harness, Which


class NumpyHarness(Harness):
    """NumPy has no derivatives, no compiler and no vmap."""

    backend = "numpy"
    modes: ClassVar[Mapping[str, Which]] = dict.fromkeys(
        ("eager", "direct", "noncontiguous", "untouched", "layer", "routes", "standalone", "standalone_any_size"),
        "every",
    )

    @contextlib.contextmanager
    def context(self, case: Case) -> Generator[None]:
        # inf - inf and overflow are RuntimeWarnings in NumPy, which is what its users expect of arithmetic.
        # A selection computes nothing, so it has nothing to warn of; only ml_dtypes does where it compares NaN.
        selects = case.spec.selects and case.dtype != "bfloat16"
        quiet: Literal["warn", "ignore"] = "warn" if selects else "ignore"
        with np.errstate(over=quiet, invalid=quiet):
            yield

    def owns(self, t: Any) -> bool:
        return type(t) is np.ndarray

    def views(self, x: Array) -> Generator[Array]:
        if x.ndim:  # each of these makes a line of a single number
            yield np.asfortranarray(x)
            yield np.ascontiguousarray(np.flip(x))[(slice(None, None, -1),) * x.ndim]
            yield np.repeat(x, 2, x.ndim - 1)[..., ::2]

    def read_only(self, x: Array) -> Array:
        x.setflags(write=False)
        return x

    def shares_memory(self, a: Array, b: Array) -> bool:
        return np.shares_memory(a, b)


HARNESS = NumpyHarness()
