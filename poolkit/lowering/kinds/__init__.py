"""The kinds of pooling. A kind is a fold: what a window's cells become when they are combined, in order, two by two.

A kind *lifts* the input to a state (a tuple of tensors), *combines* the states of two neighbouring runs of cells (the
earlier one first), *reduces* all states along an axis, and *finishes* the state of a window. Combining is associative
and keeps the order, so `fold` may work one axis at a time, the last one first, and the first of several equal
maxima in row-major order is still the first.
What they mean, NaN and ties included: docs/semantics.md.
"""

from __future__ import annotations

from collections.abc import Callable

from poolkit.lowering.kinds.blurred import Blur
from poolkit.lowering.kinds.deviation import Std
from poolkit.lowering.kinds.drawn import stochastic
from poolkit.lowering.kinds.fractional import FractionalMax
from poolkit.lowering.kinds.kind import Choice, Kind, State
from poolkit.lowering.kinds.logsumexp import LogSumExp
from poolkit.lowering.kinds.maximum import Max, Min
from poolkit.lowering.kinds.median import Median
from poolkit.lowering.kinds.norms import norm
from poolkit.lowering.kinds.placed import First, Last
from poolkit.lowering.kinds.softmax import Softmax
from poolkit.lowering.kinds.sums import Avg, MeanSqrt, Sum
from poolkit.lowering.kinds.taps import Taps

# What a kind from outside inherits from, and the table of all.
__all__ = ["FOLDS", "Choice", "Kind", "Max", "Min", "State", "Sum", "Taps"]

FOLDS: dict[str, Callable[..., Kind]] = {
    kind.name: kind for kind in (Avg, Max, Min, Sum, MeanSqrt, Softmax, First, Last, Std, FractionalMax)
}
FOLDS.update(
    {"lp": norm, "gem": norm, "logsumexp": LogSumExp, "median": Median, "blur": Blur, "stochastic": stochastic}
)
