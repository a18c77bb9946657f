"""What porting says of a file: a row for each pooling call or layer, and for each that it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from poolkit.dialects.calls import Call
from poolkit.errors import shortened
from poolkit.spec.operation import Operation
from poolkit.spec.values import MOST_AXES

# exact: the same numbers at every size; caveat: the same on finite input, or at the sizes that the note tells;
# left: no pooling, or a part of one that another row is about; failed: pooling that could not be ported.
Status = Literal["exact", "caveat", "left", "failed"]
GROUPS = ("could not", "will differ", "check these")  # what a reader has to do with a row, the most first


Notes = tuple[str, ...]  # of one row or target, each of a kind that others may have too


def joined(*notes: str | Notes) -> Notes:
    """Notes one after the other, each once and none empty.

    >>> joined("half", ("ties", ""), "half")
    ('half', 'ties')
    """
    several = [one for note in notes for one in ((note,) if isinstance(note, str) else note)]
    return tuple(dict.fromkeys(filter(None, several)))


@dataclass(frozen=True)
class Row:
    """One call of a file. `before` and `after` are as they are written; `where` is "line 12" or a layer's name.

    None of these texts is longer than a message: of a longer one the beginning and the end are kept.

    `call`, `spec` and `ported` are what `--check` runs: the original as a call, what it pools, and what it became, as a
    call of the framework or, where that is None, of poolkit.
    """

    where: str
    before: str
    status: Status
    after: str = ""
    notes: Notes = ()
    spec: Operation | None = None
    call: Call | None = None
    ported: Call | None = None
    shape: tuple[int | None, ...] | None = None  # of the input, where the file knows it and it is one that is pooled
    padding: Call | None = None  # the port's own layer for zeros before a maximum, which --check leaves out
    differs: Notes = ()  # those of the notes that say where its numbers differ; all of a caveat's where there are none
    ranks: bool = False  # whether the original takes tensors of another rank, too, as a reduction does

    def __post_init__(self) -> None:
        for name in ("where", "before", "after"):  # what a file holds may be of any length
            object.__setattr__(self, name, shortened(getattr(self, name)))
        object.__setattr__(self, "notes", tuple(map(shortened, self.notes)))
        object.__setattr__(self, "differs", tuple(map(shortened, self.differs)))
        if self.shape is not None and len(self.shape) > MOST_AXES:
            object.__setattr__(self, "shape", None)

    @property
    def note(self) -> str:
        """All that is said of a row."""
        return shortened("; ".join(self.notes))

    @property
    def group(self) -> str:
        """Which of the groups a row is in, "" where there is nothing to do: it is ported, or the target's own."""
        if self.status in ("failed", "caveat"):
            return GROUPS[0] if self.status == "failed" else GROUPS[1]
        return GROUPS[2] if self.note and self.after != self.before else ""

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "where": self.where,
            "before": self.before,
            "after": self.after,
            "status": self.status,
            "group": self.group,
            "note": self.note,
            "spec": None if self.spec is None else self.spec.to_dict(),
            "shape": self.shape,
        }


@dataclass(frozen=True)
class Line:
    """What stays as it is and counts axes in the order of the original: `after` is the same in that of the port."""

    where: str
    before: str
    after: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("before", "after"):
            object.__setattr__(self, name, shortened(getattr(self, name)))

    def to_dict(self) -> dict[str, str]:
        """What `--json` prints."""
        return {"where": self.where, "before": self.before, "after": self.after, "note": self.note}


@dataclass(frozen=True)
class Ported:
    """A ported file: its source for the target, and the rows of the report."""

    text: str
    rows: tuple[Row, ...]
    layers: int | None = None  # how many a model file has, pools or not
    lines: tuple[Line, ...] = ()  # of source whose tensors come to another order of their axes
    orders: tuple[str, ...] = ()  # what becomes of the axes of the pools' tensors, where that is so: "NHWC -> NCHW"

    @property
    def complete(self) -> bool:
        """Whether every pooling call was ported."""
        return not failed(self.rows)

    @property
    def pools(self) -> int:
        """How many rows are ported."""
        return sum(bool(row.after) for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints: what the report for people says, with the rows and lines whole."""
        return {
            "counts": {name: n for name, n in counts(self.rows).items() if n},
            "groups": {
                group: [
                    {"count": len(rows), "where": [row.where for row in rows], "note": note} for note, rows in found
                ]
                for group, found in grouped(self.rows).items()
            },
            "rows": [row.to_dict() for row in self.rows],
            "orders": [*self.orders],
            "lines": [line.to_dict() for line in self.lines],
            "layers": None if self.layers is None else {"pools": self.pools, "all": self.layers},
        }


def grouped(rows: Sequence[Row]) -> dict[str, list[tuple[str, list[Row]]]]:
    """The rows of each group by what is said of them, which is said once; what most rows have comes first.

    What a row says besides where its numbers differ is there to be checked.
    """
    found: dict[str, dict[str, list[Row]]] = {name: {} for name in GROUPS}
    for row in rows:
        if row.group:
            for note in [row.note] if row.status == "failed" else row.notes:
                beside = row.group == GROUPS[1] and row.differs and note not in row.differs
                found[GROUPS[2] if beside else row.group].setdefault(note, []).append(row)
    return {name: sorted(notes.items(), key=lambda pair: -len(pair[1])) for name, notes in found.items()}


def counts(rows: Sequence[Row]) -> dict[Status, int]:
    """How many rows have each status."""
    return {status: sum(row.status == status for row in rows) for status in get_args(Status)}


def failed(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.status == "failed"]
