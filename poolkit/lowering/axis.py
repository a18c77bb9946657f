"""One pooled axis of one input, and the cells of each of its windows."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from poolkit.lowering import spread as spreading

Form = Literal["whole", "taps", "bins", "keep", "spread", "parts", "strips"]
Size = Any  # an int, or a tracer's symbol


@dataclasses.dataclass(frozen=True)
class Axis:
    """One pooled axis of one input: where it is, its length, and how it is divided into windows.

    `form` is "whole" (one window), "taps" (a sliding window), "bins" (adaptive bins that overlap or differ in length),
    "keep" (the axis stays as it is), as `spread` says "spread" (windows that may overlap) or "parts" (that do not),
    or as `strips` says "strips" (windows with stride 1, of which each strip of `grid` hands on some).
    `out` is None where the length is a symbol and the form is "taps" or "strips".
    `low` may be a symbol; the padding in all, `total`, never is.
    """

    at: int
    letter: str
    form: Form
    n: Size
    known: bool
    out: Any = None
    window: int = 1
    stride: int = 1
    dilation: int = 1
    low: Size = 0
    total: int = 0  # low + high + overhang
    overhang: int = 0  # ceil mode; negative: high padding in which no window may start
    lows: tuple[int, ...] = ()  # all the values that `low` can have, where it is a symbol
    rule: str = ""  # by which it is padded, where `low` can be a symbol: "same" or "same_lower"
    grid: int = 1  # of strips: windows in each of them

    @property
    def own(self) -> int | None:
        """The length of a window; None of parts, which follows."""
        return None if self.form == "parts" else self.window

    @property
    def crowded(self) -> bool:
        """Whether spread windows of several cells have as many cells together as there are."""
        return bool(self.form == "spread" and self.out * self.window >= self.n > self.window > 1)

    @property
    def sliding(self) -> Axis:
        """Of strips the windows with stride 1."""
        out = self.n + (self.total - self.span) + 1
        return dataclasses.replace(self, form="taps", stride=1, out=out if self.known else None)

    @property
    def span(self) -> int:
        return self.dilation * (self.window - 1) + 1

    @property
    def high(self) -> Size:
        """Cells appended after the last one, overhang included."""
        return self.total - self.low

    @property
    def reached(self) -> int:
        """Cells after the last one as far as the last window reaches: `high` without those that no window covers."""
        return max(int(self.out - 1) * self.stride + self.span - int(self.low) - int(self.n), 0)

    @property
    def longest(self) -> int:
        """Cells of the longest window along an axis of known length."""
        if self.form in ("taps", "keep"):
            return self.window if self.form == "taps" else 1
        if self.form == "whole":
            return int(self.n)
        least, rest = divmod(int(self.n), int(self.out))
        return least + (0 if rest == 0 else 1 if self.out % rest == 0 else 2)  # two ends may lie within a cell

    def bins(self) -> list[tuple[int, int]]:
        """Adaptive bins ``[floor(i*n/o), ceil((i+1)*n/o))`` of a known length."""
        return [(i * self.n // self.out, -(-(i + 1) * self.n // self.out)) for i in range(self.out)]

    def ranges(self) -> list[range]:
        """The positions of the real cells of every window, for a known length."""
        return [self.range_of(o) for o in range(self.out)]

    def range_of(self, o: int) -> range:
        """The same of one window."""
        if self.form in ("spread", "parts"):
            return spreading.spread(self.n, self.out, self.own)[o]
        if self.form == "strips":
            return self._averaged(o)
        if self.form in ("whole", "bins"):
            return range(o * self.n // self.out, -(-(o + 1) * self.n // self.out))
        return range(o, o + 1) if self.form == "keep" else self._real(self.reach(o))

    def _averaged(self, o: int) -> range:
        """The cells of all windows with stride 1 that are averaged where none is drawn."""
        windows, first = self.sliding, o * self.stride - self.stride // 2
        low, high = max(first, 0), min(first + self.stride, windows.out) - 1
        return range(windows.range_of(low).start, windows.range_of(high)[-1] + 1, 1 if low < high else self.dilation)

    def reach(self, o: int) -> range:
        """The positions that sliding window `o` covers, padding included."""
        start = o * self.stride - self.low
        return range(start, start + self.span, self.dilation)

    def _real(self, reach: range) -> range:
        before = max(-(reach.start // self.dilation), 0) * self.dilation  # in the low padding
        return range(reach.start + before, min(reach.stop, self.n), self.dilation)
