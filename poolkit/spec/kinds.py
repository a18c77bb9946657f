"""What each kind of pooling is: a row of a table, which a spec reads. What it computes is in `lowering/kinds/`.

A kind from outside is a row like every other; `poolkit.register_kind` adds it, together with its fold.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a kind: its default, which values it accepts, that rule in words, and further values to try.

    A value has the type of the default: a number, an int, a word, or a tuple of such. `gradient` says that it changes
    gradients alone, `learned` that a tensor may be given in its place when pooling, of one number or one a channel.

    >>> Option(1.0, lambda v: v > 0, "a number above 0", examples=(0.5, 2.0)).default
    1.0
    """

    default: Any
    accepts: Callable[[Any], bool]
    rule: str
    examples: tuple[Any, ...] = ()  # what the conformance suite tries besides the default
    gradient: bool = False
    learned: bool = False

    def takes(self, value: object) -> bool:
        """Whether it accepts a value of its type; a function from outside may raise for what it does not expect."""
        try:
            return value is not None and bool(self.accepts(value))
        except Exception:
            return False


@dataclasses.dataclass(frozen=True)
class Facts:
    """A row of the table of kinds."""

    does: str  # a verb for `diff`, which writes "A averages, B takes the maximum"
    selects: bool = False  # chooses one element of the window: exact, keeps integers, has indices
    draws: bool = False  # one element, where random numbers are given; then it has indices
    averages: bool = False  # divides by a count of cells
    adds: bool = False  # weights its cells alike, so that two such kinds differ in their divisors alone
    by_sums: tuple[str, ...] = ()  # ways of `lowering/routes/by_sums.py`, in which it is sums by routes
    weights: bool = False  # weights them by their places along each axis, as `lowering/kinds/blurred.py` says
    hands_on: bool = True  # a window of one cell may be that cell, with no computation
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict[str, Option])
    average_at: Mapping[str, Any] | None = None  # values of options with which it is the average of the real cells
    # How many operations it takes for so many cells in so many windows, for `cost`.
    operations: Callable[[int, int], int] = lambda cells, windows: cells - windows
    takes: tuple[str, ...] = ("mask",)  # further tensors
    alone: Callable[[Mapping[str, Any]], str] = lambda options: ""  # what a window of one cell gives; "": that cell
    unread: Callable[[Mapping[str, Any]], tuple[str, ...]] = lambda options: ()  # options that then change nothing
    spreads: bool = False  # as many windows as are asked for over an axis, at places that are drawn
    strips: bool = False  # windows with stride 1, some of which are drawn or averaged
    widest: float | None = None  # of a kind of sliding windows alone: the most cells of one along an axis
    refuses: Callable[[Mapping[str, Any]], str] | None = None  # the rule that a spec's fields and options break, or ""
    oracle: Callable[[Mapping[str, Any], Sequence[float]], float] | None = None  # of kinds from outside: one window

    @property
    def indexed(self) -> bool:
        """Whether what it gives may have a position."""
        return self.selects or self.draws

    @property
    def learned(self) -> tuple[str, ...]:
        """The options in whose place tensors may be given."""
        return tuple([name for name, option in self.options.items() if option.learned])


def _is_tuple(given: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(given, tuple)


def _ratios(given: object) -> bool:
    """Whether this is a share of an axis, or one for each, of which None leaves an axis as it is."""
    each = [*given] if _is_tuple(given) else [given]
    return len(each) > 0 and all(r is None or (isinstance(r, float) and 0 < r < 1) for r in each)


def _cells(given: object) -> bool:
    """Whether this is a count of cells, or one for each axis; None leaves it open."""
    each = [*given] if _is_tuple(given) else [1 if given is None else given]
    return len(each) > 0 and all(isinstance(g, int) and not isinstance(g, bool) and g > 0 for g in each)


RANDOM = ("samples", "key")  # further tensors that say what is drawn

P = Option(2.0, lambda v: v > 0, "a number above 0, or infinite", examples=(1.0, 3.0, 0.5, math.inf), learned=True)
NORMALIZE = Option("sum", lambda v: v in ("sum", "mean"), '"sum" or "mean"', examples=("mean",))

KINDS: dict[str, Facts] = {
    "avg": Facts(
        "averages",
        averages=True,
        adds=True,
        hands_on=False,
        operations=lambda cells, windows: cells,
        takes=("mask", "weight", "log_weight"),
    ),
    "max": Facts("takes the maximum", selects=True),
    "min": Facts("takes the minimum", selects=True),
    "sum": Facts("sums", adds=True, takes=("mask", "weight")),
    "softmax": Facts(
        "weights by a softmax",
        hands_on=False,
        by_sums=("relative", "bounded"),
        options={
            "beta": Option(1.0, math.isfinite, "a finite number", examples=(0.5, -2.0), learned=True),
            "grad": Option(
                "exact", lambda v: v in ("exact", "semi"), '"exact" or "semi"', examples=("semi",), gradient=True
            ),
        },
        average_at={"beta": 0.0},
        operations=lambda cells, windows: 5 * cells - windows,
    ),
    "lp": Facts(
        "takes the p-norm",
        hands_on=False,
        by_sums=("relative", "wide", "bounded"),
        options={"p": P, "normalize": NORMALIZE},
        operations=lambda cells, windows: 3 * cells,
        alone=lambda options: "magnitude",
        unread=lambda options: ("normalize",) if options["p"] == math.inf else (),
    ),
    "gem": Facts(
        "takes the generalized mean",
        hands_on=False,
        by_sums=("relative", "wide", "bounded"),
        options={
            "p": dataclasses.replace(P, default=3.0, examples=(1.0, 2.0, 0.5, math.inf)),
            "eps": Option(1e-6, lambda v: 0 < v < math.inf, "a finite number above 0", examples=(0.5,), learned=True),
        },
        operations=lambda cells, windows: 3 * cells + windows,
        alone=lambda options: f"what is at least {options['eps']}",
    ),
    "median": Facts(
        "takes the median",
        selects=True,
        options={"quantile": Option(0.5, lambda v: 0 <= v <= 1, "a number from 0 to 1", examples=(0.25, 0.9, 0.0))},
        operations=lambda cells, windows: cells * max(-(-cells // max(windows, 1)) - 1, 1).bit_length(),
    ),
    "first": Facts("takes the first cell", selects=True, hands_on=False, operations=lambda cells, windows: 0),
    "last": Facts("takes the last cell", selects=True, hands_on=False, operations=lambda cells, windows: 0),
    "mean_sqrt": Facts(
        "sums and divides by the square root of the count",
        by_sums=("plain",),
        operations=lambda cells, windows: cells,
    ),
    "std": Facts(
        "takes the standard deviation",
        hands_on=False,
        by_sums=("relative",),
        options={"correction": Option(0, lambda v: v in (0, 1), "0 or 1", examples=(1,))},
        operations=lambda cells, windows: 4 * cells + windows,
        alone=lambda options: "0",
    ),
    "blur": Facts(
        "blurs",
        options={
            "pad_mode": Option(
                "reflect",
                lambda v: v in ("reflect", "replicate", "zeros"),
                '"reflect", "replicate" or "zeros"',
                examples=("replicate", "zeros"),
            )
        },
        operations=lambda cells, windows: 2 * cells,
        takes=(),
        widest=7,
        weights=True,
    ),
    "stochastic": Facts(
        "draws a cell",
        draws=True,
        hands_on=False,
        by_sums=("relative", "wide", "bounded"),
        operations=lambda cells, windows: 4 * cells - windows,
        takes=("mask", *RANDOM),
        alone=lambda options: "what is at least 0",
    ),
    "fractional_max": Facts(
        "takes the maximum of windows at places that are drawn",
        selects=True,
        hands_on=False,
        options={
            "output_ratio": Option(None, _ratios, "a number between 0 and 1, or one for each pooled axis"),
            "overlapping": Option(True, lambda v: True, "True or False"),
        },
        takes=("mask", *RANDOM),
        spreads=True,
    ),
    "s3": Facts(
        "draws among maxima",
        draws=True,
        hands_on=False,
        options={"grid": Option(None, _cells, "a multiple of the stride, or one for each pooled axis")},
        operations=lambda cells, windows: cells,  # windows are compared, and then averaged
        takes=("mask", *RANDOM),
        strips=True,
        widest=math.inf,
    ),
    "logsumexp": Facts(
        "takes the log-sum-exp",
        hands_on=False,
        by_sums=("relative", "bounded"),
        options={
            "beta": Option(
                1.0,
                lambda v: 1e-6 <= abs(v) < math.inf,
                "a finite number of magnitude 1e-6 or more; with less it is an average",
                examples=(10.0, -2.0, 0.1),
                learned=True,
            ),
            "normalize": dataclasses.replace(NORMALIZE, default="mean", examples=("sum",)),
        },
        operations=lambda cells, windows: 3 * cells + 2 * windows,
    ),
}
BUILT_IN = tuple(KINDS)


def takers(option: str) -> list[str]:
    """The kinds that have an option of this name."""
    return [kind for kind, facts in KINDS.items() if option in facts.options]
