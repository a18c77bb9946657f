"""Faster averages and sums.

Accuracy decides which route is right: 4 eps are allowed. `torch.sum` and `torch.mean` add pairwise (at most 1.8 eps up
to 1024x1024), torch's average pools add one cell after the other, so they are for windows of up to `MOST_CELLS` cells,
and compiled by Inductor not even `torch.mean` is right (690 eps for a constant 512x512 map).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.geometry import Axis
from poolkit.lowering.lower import FOLD
from poolkit.lowering.plan import HALVES, Plan
from poolkit_torch.routes_arrange import (
    adaptive_size,
    adjacent,
    arranged,
    behind,
    compiling,
    divides,
    lifted,
    planes,
    put_back,
)
from poolkit_torch.routes_windows import (
    MOST_CELLS,
    Along,
    Windows,
    bin_cells,
    kept,
    rounded,
    three_dimensional_half,
    windows_of,
)

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]

AVG = ("avg",)
SUMS = ("avg", "sum")


# ---------------------------------------------------------------------------------------------------------- whole axes


def mean(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return o.torch.mean(x, _whole(plan), keepdim=True), None


def total(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """A sum, times 1/n for an average: its gradient is scaled before it is spread, that of `mean` a pass later."""
    half = plan.dtype in HALVES
    y = o.torch.sum(x, _whole(plan), keepdim=True, **({"dtype": o.torch.float32} if half else {}))
    if plan.kind == "avg":
        y = y * (1 / (plan.spec.divisor_override or math.prod([a.n for a in plan.axes if a.form == "whole"])))
    return (y.to(x.dtype) if half else y), None


def _whole(plan: Plan) -> tuple[int, ...]:
    return tuple(a.at for a in plan.axes if a.form == "whole")


def fits_whole(plan: Plan, situation: Situation) -> bool:
    forms = {a.form for a in plan.axes}
    return "whole" in forms and forms <= {"whole", "keep"} and not situation.tracing


def fits_mean(plan: Plan, situation: Situation) -> bool:
    return fits_whole(plan, situation) and plan.spec.divisor_override is None


def fits_total(plan: Plan, situation: Situation) -> bool:
    """An average without a derivative is `mean`, which is one call less."""
    given = plan.kind == "sum" or plan.spec.divisor_override is not None
    return fits_whole(plan, situation) and (given or (plan.known and situation.derivative))


# ------------------------------------------------------------------------------------------------ torch's average pools


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    w = windows_of(plan)
    assert w is not None
    return _average(o, x, plan, w, _options(plan, w)), None


def _average(o: Any, x: Tensor, plan: Plan, w: Windows, options: dict[str, Any]) -> Tensor:
    along = (Along(1, 1, 0, 1), *w.along) if lifted(plan) else w.along
    sizes = [tuple(getattr(a, field) for a in along) for field in ("window", "stride", "padding")]
    y = getattr(o.F, f"avg_pool{len(along)}d")(arranged(x, plan), *sizes, **options)
    return put_back(kept(y, w), x, plan)


def _options(plan: Plan, w: Windows) -> dict[str, Any]:
    """The arguments that are off torch's defaults."""
    options: dict[str, Any] = {"ceil_mode": True} if w.ceil else {}
    divisor = 1 if plan.kind == "sum" else plan.spec.divisor_override
    if divisor is not None:
        return options | {"divisor_override": int(divisor)}
    return (
        options if plan.spec.count_include_pad or not (w.padded or w.ceil) else options | {"count_include_pad": False}
    )


def fits_native(plan: Plan, situation: Situation) -> bool:
    return plan.spec.window is not None and _fits_pool(plan, situation)


def fits_windows(plan: Plan, situation: Situation) -> bool:
    """Adaptive bins that divide their axis."""
    return plan.spec.window is None and _fits_pool(plan, situation)


def times(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Torch's own average of cells and padding, times a number: both exporters to ONNX drop `divisor_override`."""
    w = windows_of(plan)
    assert w is not None
    return _average(o, x, plan, w, {}) * (w.cells / (plan.spec.divisor_override or 1)), None


def fits_times(plan: Plan, situation: Situation) -> bool:
    """Every window has one count where none overhangs; the product rounds once more, so windows are smaller."""
    w = windows_of(plan) if _divides_by_a_number(plan) and _fits_pool(plan, situation._replace(format=None)) else None
    return w is not None and w.cells <= MOST_CELLS - 9 and not w.ceil and plan.dtype not in HALVES


def _divides_by_a_number(plan: Plan) -> bool:
    return plan.kind == "sum" or plan.spec.divisor_override is not None


def _fits_pool(plan: Plan, situation: Situation) -> bool:
    if situation.format == "exporting" and _divides_by_a_number(plan):
        return False
    w = windows_of(plan) if adjacent(plan) else None
    if w is None or w.cells > MOST_CELLS or not plan.floating or three_dimensional_half(plan):
        return False
    if len(w.along) == 3 and not all(a.known and a.n >= b.window for a, b in zip(plan.axes, w.along, strict=True)):
        return False  # avg_pool3d refuses a map that is smaller than its window, whatever is padded
    return _says_divisor(plan, w)


def _says_divisor(plan: Plan, w: Windows) -> bool:
    """Whether torch divides as the plan does; appended cells would count, and its padding is the same on both sides."""
    if any(a.dilation > 1 or a.extra for a in w.along):
        return False
    if _divides_by_a_number(plan):
        return float(plan.spec.divisor_override or 1).is_integer()
    return not plan.spec.count_include_pad or all(_even(a) for a in plan.axes)


def _even(a: Axis) -> bool:
    return a.form != "taps" or a.total - a.overhang == 2 * a.low


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    pool = getattr(o.F, f"adaptive_avg_pool{len(plan.axes) + lifted(plan)}d")
    return put_back(pool(arranged(x, plan), adaptive_size(plan)), x, plan), None


def fits_adaptive(plan: Plan, situation: Situation) -> bool:
    """To size 1 it is `mean`; bins are added cell by cell. Where no size is known it stands behind the fold."""
    if plan.spec.output_size is None or plan.spec.divisor_override is not None or not adjacent(plan):
        return False
    if three_dimensional_half(plan) or not plan.floating or not divides(plan):
        return False
    if all(a.form == "whole" for a in plan.axes):
        return not compiling(situation)
    return not plan.known or math.prod([bin_cells(a) for a in plan.axes]) <= MOST_CELLS


# ---------------------------------------------------------------------------------------------------------------- tiles


def tiles(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Windows that stand side by side: each axis is split into them and their cells, which are summed; rows first."""
    y = x
    for a in plan.axes:
        if a.form == "whole":
            y = o.torch.sum(y, a.at, keepdim=True)
            continue
        left = a.n
        for k in _steps(plan, tile(a) or 1):
            left //= k
            y = o.torch.sum(y.unflatten(a.at, (left, k)), a.at + 1)
    divisor = plan.spec.divisor_override or math.prod(_tiles(plan))
    return (y if plan.kind == "sum" else y * (1 / divisor)), None


def _steps(plan: Plan, k: int) -> list[int]:
    """In two where it is long: 30 rows of 60x512 channels-last cells by 15 and 2 take 0.6 to 0.8 of the time."""
    long = k > 16 and behind(plan) > 0
    first = next((n for n in range(16, 7, -1) if k % n == 0), k) if long else k
    return [n for n in (first, k // first) if n > 1]


def tile(a: Axis) -> int | None:
    """The length of windows that neither overlap nor leave a gap nor need padding; None where there are others."""
    if a.form == "keep":
        return 1
    window = a.window if a.form == "taps" else a.n // a.out
    beside = a.total == 0 and a.dilation == 1 and (a.form != "taps" or a.stride == a.window)
    return window if window * a.out == a.n and beside else None


def fits_tiles(plan: Plan, situation: Situation) -> bool:
    lengths = [tile(a) for a in plan.axes]
    return plan.floating and None not in lengths and lengths != [1] * len(lengths)


def passes(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The same on channels-last data as averages of a few cells, of those, and so on: torch's pool reads them in order.

    The first pass reads the map, and leaves a tenth of it to the others; windows along one axis alone leave a fifth.
    """
    v = arranged(x, plan)
    for window in _stages(plan):
        v = o.F.avg_pool2d(v, window)
    y = put_back(v, x, plan)
    cells = math.prod(_tiles(plan))
    divisor = 1 if plan.kind == "sum" else plan.spec.divisor_override or cells
    return (y if divisor == cells else y * (cells / divisor)), None


def _tiles(plan: Plan) -> list[int]:
    return [tile(a) or 1 for a in plan.axes]


def _stages(plan: Plan) -> list[tuple[int, int]]:
    """Windows that make up the plan's, a long side with a short one: 30x30 is 2x5, then 3x3, then 5x2."""
    rows, columns = (_parts(k) for k in _tiles(plan))
    return list(itertools.zip_longest(reversed(rows), columns, fillvalue=1))


def _parts(k: int) -> list[int]:
    """Its prime factors, the largest first, where they are at most 5; otherwise k alone."""
    parts: list[int] = []
    rest = k
    for n in (5, 3, 2):
        while rest % n == 0:
            parts.append(n)
            rest //= n
    return parts if rest == 1 else [k]


def fits_passes(plan: Plan, situation: Situation) -> bool:
    """Averages of 10, 9 and 10 equal cells are at most 2.3 eps off together, of 25, 6 and 6 already 3.7."""
    flat = adjacent(plan) and len(plan.axes) == 2 and behind(plan) > 0
    return flat and fits_tiles(plan, situation) and sum(h * w for h, w in _stages(plan)) <= 29


def fits_slices(plan: Plan, situation: Situation) -> bool:
    """The fold's slices; where they have gaps, the gradient of each fills a whole tensor."""
    sliding = {a.form for a in plan.axes} <= {"taps", "keep"}
    return planes(plan, situation) and sliding and (not situation.derivative or all(a.stride == 1 for a in plan.axes))


# ---------------------------------------------------------------------------------------------------------------- costs


def native_cost(plan: Plan) -> float:
    w = windows_of(plan)
    return (0.0 if behind(plan) else 20.0) + rounded(w)


def adaptive_cost(plan: Plan) -> float:
    if all(a.form == "whole" for a in plan.axes):
        return 12.0
    return 30.0 if plan.known else 1000.0


ROUTES = (
    Route("mean", AVG, mean, fits_mean, lambda p: 10.0, needs_sizes=False, takes_half_precision=True),
    Route("sum", SUMS, total, fits_total, lambda p: 9.0, needs_sizes=False, takes_half_precision=True),
    Route(
        "native", SUMS, native, fits_native, native_cost, needs_sizes=False, takes_half_precision=True, reference=True
    ),
    Route(
        "adaptive",
        AVG,
        adaptive,
        fits_adaptive,
        adaptive_cost,
        needs_sizes=False,
        takes_half_precision=True,
        reference=True,
    ),
    Route("windows", SUMS, native, fits_windows, native_cost, takes_half_precision=True),
    Route("times", SUMS, times, fits_times, lambda p: native_cost(p) + 2.0, needs_sizes=False),
    Route("tiles", SUMS, tiles, fits_tiles, lambda p: 15.0),
    Route("passes", SUMS, passes, fits_passes, lambda p: 14.0, differentiable=False),
    Route("slices", SUMS, FOLD.lower, fits_slices, lambda p: 18.0),
)
