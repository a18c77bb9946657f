"""`poolkit port` without a target: what each framework has for a pooling call, and where its numbers would differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from poolkit.errors import NotExactError
from poolkit.mix import Mix
from poolkit.porting.report import Row
from poolkit.porting.target import usual_layout
from poolkit.spec import PoolSpec
from poolkit.words.writing import caveats, native_call

FRAMEWORKS = ("torch", "keras", "tensorflow", "jax")


@dataclass(frozen=True)
class Finding:
    """A framework's own layer for a spec in its usual layout; `reason` says why it is not equal, "" where it is."""

    framework: str
    layer: str  # the layer that is equal, or the nearest; "" where there is none
    reason: str = ""
    caveats: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return not self.reason

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "framework": self.framework,
            "equal": self.equal,
            "layer": self.layer,
            "reason": self.reason,
            "caveats": list(self.caveats),
        }

    def __str__(self) -> str:
        if not self.equal:
            return f"none is equal: {self.reason}" + (f"; the nearest is {self.layer}" if self.layer else "")
        return self.layer + "".join(f"\n- {caveat}" for caveat in self.caveats)


def findings(spec: PoolSpec | Mix) -> list[Finding]:
    """What each framework has for a spec.

    >>> from poolkit import MaxPool
    >>> [finding.equal for finding in findings(MaxPool(3, 2, "same", layout="NHWC"))].count(False)
    1
    """
    return [_finding(spec.replace(layout=usual_layout(spec, name)), name) for name in FRAMEWORKS]


def _finding(spec: PoolSpec | Mix, framework: str) -> Finding:
    try:
        call = native_call(spec, framework)
    except NotExactError as error:
        return Finding(framework, "" if error.nearest is None else str(error.nearest), error.reason or str(error))
    return Finding(framework, str(call), caveats=tuple(map(str, caveats(spec, framework))))


def audit(row: Row) -> list[Finding]:
    """The findings of a row; none where it does not pool, or has a spec that is not known."""
    return [] if row.spec is None or row.status == "left" else findings(row.spec)
