"""What every backend of poolkit has to compute, as cases, an oracle, and a suite that holds a backend against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poolkit_conformance.suite import PoolConformance

__all__ = ["PoolConformance"]


def __getattr__(name: str) -> Any:
    # pytest and Hypothesis are needed for the class alone; the command line runs the cases without them.
    if name == "PoolConformance":
        from poolkit_conformance.suite import PoolConformance

        return PoolConformance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
