"""`poolkit port` without a target: what each framework has for a pooling call, and where its numbers would differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.reading import PARTIAL, spoken_in
from poolkit.dialects.sources import METHODS
from poolkit.dialects.writing import caveats, native_call
from poolkit.errors import NotExactError
from poolkit.port.report import Row
from poolkit.port.target import FRAMEWORKS, usual_layout
from poolkit.spec.operation import Operation


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


def findings(spec: Operation, own: Call | None = None) -> list[Finding]:
    """What each framework has for a spec; in the one whose call `own` is, that is equal to it.

    >>> from poolkit import MaxPool
    >>> [finding.equal for finding in findings(MaxPool(3, 2, "same", layout="NHWC"))].count(False)
    1
    """
    found = [_finding(spec.replace(layout=usual_layout(spec, name)), name) for name in FRAMEWORKS]
    home = _home(own)
    return [_of_its_own(one, str(own)) if one.framework == home and not one.equal else one for one in found]


def _of_its_own(found: Finding, own: str) -> Finding:
    """A call of the framework itself, which is equal to itself; what the layer for its spec does otherwise, it does."""
    return Finding(found.framework, own, caveats=(found.reason,) if found.layer else ())


def _home(own: Call | None) -> str:
    if own is None or own.name == PARTIAL or own.name.startswith(f"{METHODS}."):
        return ""
    try:
        dialect, word = spoken_in(own)
    except NotExactError:
        return ""
    entry = dialect.words.get(word)
    return dialect.name if entry is not None and not entry.gone else ""


def _finding(spec: Operation, framework: str) -> Finding:
    try:
        call = native_call(spec, framework)
    except NotExactError as error:
        return Finding(framework, "" if error.nearest is None else str(error.nearest), error.reason or str(error))
    return Finding(framework, str(call), caveats=tuple(map(str, caveats(spec, framework))))


def audit(row: Row) -> list[Finding]:
    """The findings of a row; none where it does not pool, or has a spec that is not known."""
    return [] if row.spec is None or row.status == "left" else findings(row.spec, row.call)
