"""Rows that share a number pooled together: readouts of graphs, sets of different sizes, bags of instances."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from poolkit.spec.arguments import as_shape
from poolkit.spec.declared import Declared
from poolkit.spec.kinds import KINDS
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Operation, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.values import LARGEST, count, number, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

SEGMENT_KINDS = ("sum", "avg", "max", "min", "softmax")


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Segment(Declared):
    """What `pk.segment` does: rows along the first axis of `layout`; those with one number in `ids` are pooled.

    The result has `num_segments` rows. A number below 0, or of `num_segments` and above, drops its row; a segment
    without a row gives `empty_value`.

    >>> import numpy as np
    >>> Segment("max", 3)(np.array([[1.0], [5.0], [2.0]]), ids=np.array([0, 0, 2]))
    array([[5.],
           [0.],
           [2.]])
    """

    key = "num_segments"
    word = "segment"
    fitting = "give one letter an axis, the rows first"

    kind: str
    num_segments: int
    _: dataclasses.KW_ONLY
    layout: str = "LC"
    empty_value: float = 0.0

    keepdims = True
    indices = False
    refused: ClassVar[tuple[str, ...]] = ("ids",)
    holed: ClassVar[bool] = False  # of some rows it is known that they belong to no segment

    def __post_init__(self) -> None:
        for name in ("kind", "num_segments", "layout", "empty_value"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        object.__setattr__(self, "num_segments", count("num_segments", self.num_segments, 1, LARGEST - 1))
        object.__setattr__(self, "empty_value", _empty(self.empty_value))
        kind: object = self.kind
        if not isinstance(kind, str) or kind not in SEGMENT_KINDS:
            kinds = ", ".join(map(quoted, SEGMENT_KINDS))
            raise wrong(f"kind={shown(kind)}", f"segments are pooled by {kinds}", "give one of these")
        layout: object = self.layout
        if not isinstance(layout, str) or not (layout.isascii() and layout.isalpha() and layout.isupper()):
            rule = "the layout of segments has a capital letter for each axis, the rows first"
            raise wrong(f"layout={shown(layout)}", rule, 'write it as in layout="LC"')
        if layout[:1] in ("N", "C"):
            rule = "the rows of segments have a letter of their own, which is neither N (batch) nor C (channels)"
            raise wrong(f"layout={shown(layout)}", rule, 'write it as in layout="LC"')
        object.__setattr__(self, "axes", self.pooling.axes)  # and its rules are those of a layout

    def __str__(self) -> str:
        empty = f" empty_value={self.empty_value!r}" if self.empty_value != 0 else ""
        return f"segment {self.kind} num_segments={self.num_segments} layout={self.layout}{empty}"

    @property
    def pooling(self) -> PoolSpec:
        """What becomes of the rows of one segment."""
        return PoolSpec(self.kind, output_size=1, layout=self.layout, axes=self.layout[0])

    @property
    def takes(self) -> tuple[str, ...]:
        return ("ids",)

    @property
    def selects(self) -> bool:
        return KINDS[self.kind].selects

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        return (letters[0],)

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        cells, results = math.prod(shape), math.prod(n or 0 for n in self.output_shape(shape))
        return KINDS[self.kind].operations(cells, min(results, cells))

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        return self.pooling.work_dtype(dtype, widen)

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        from poolkit.lowering.operations.segments import plan_of_segments

        return plan_of_segments(self, rank, dtype, size, widen, further)

    def look(self, name: str, held: Any, shape: Sequence[int]) -> Operation | None:
        whole = held.size == 0 or (held.min() >= 0 and held.max() < self.num_segments)
        return None if whole else Holed(self.kind, self.num_segments, layout=self.layout, empty_value=self.empty_value)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        more = {} if self.empty_value == 0 else {"empty_value": self.empty_value}
        return (self.kind, self.num_segments), {"layout": self.layout, **more}

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result, whose rows are the segments.

        >>> Segment("max", 3).output_shape((None, 16))
        (3, 16)
        """
        sizes = as_shape(shape, unknown=True)
        self.check_rank(len(sizes))
        return (self.num_segments, *sizes[1:])


class Holed(Segment):
    """The same of numbers of which some, as was seen, are out of range."""

    holed = True
    refused = ()


def _empty(given: object) -> float:
    value = number(given)
    if value is None:
        rule = "a segment without rows gives one number"
        raise wrong(f"empty_value={shown(given)}", rule, "write it as in empty_value=0")
    return math.nan if value != value else value  # the one NaN, which equals itself where keys are compared
