"""Adapters that are wrong on purpose. The suite has to catch each of them, by the case that is named beside it.

They are made of the oracle: pooling with it passes every case, and each fault below replaces one piece of it while it
pools.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import poolkit as pk
from poolkit_conformance import analytic, graphs, oracle, regions, rows, segments, unpooling, windows
from poolkit_conformance.case import numpy_dtype
from poolkit_conformance.definitions import definition
from poolkit_conformance.harness import Array, Function, Harness, Tensor
from poolkit_conformance.rows import Part
from poolkit_conformance.windows import Window

Change = Callable[[Array, pk.PoolSpec, Any], Any]  # input, spec, result -> another result


class OracleHarness(Harness):
    """A backend whose pooling is the oracle's, in the dtypes that a backend has to give, with one fault or none."""

    backend = "oracle"
    modes = dict.fromkeys(("eager", "gradient", "untouched"), "every")

    def __init__(self, patches: dict[str, Any] | None = None, change: Change | None = None) -> None:
        self.patches = patches or {}
        self.change = change

    def from_numpy(self, x: Array) -> Array:
        return x

    def to_numpy(self, t: Array) -> Array:
        return t

    def owns(self, t: Any) -> bool:
        return isinstance(t, np.ndarray)

    def read_only(self, x: Array) -> Array:
        return x

    def shares_memory(self, a: Array, b: Array) -> bool:
        return np.shares_memory(a, b)

    def pool(self, x: Array, spec: Any, **tensors: Array) -> Any:
        if x.dtype.kind == "c":
            raise pk.DtypeError("complex")
        try:
            found = self._with_fault(definition(spec).answer, spec, x, tensors)
        except oracle.NoAnswerError as error:
            raise pk.ShapeError(str(error)) from error
        with np.errstate(all="ignore"):
            values = found.values.astype(numpy_dtype(found.dtype))
        if spec.several and not spec.indices:
            result: Any = tuple(definition(spec).apart(spec, x, values))
        else:
            result = (values, found.indices) if spec.indices else values
        return self.change(x, spec, result) if self.change else result

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor, *others: Tensor) -> Tensor:
        # `function` closes over the spec, and calling it is the only way to learn which.
        asked: list[Any] = []

        def noted(a: Tensor, spec: Any, **tensors: Tensor) -> Any:
            asked.extend((a, spec, tensors))
            return 0, 0

        with mock.patch.object(self, "pool", noted):
            function(x, *others)
        a, spec, tensors = asked
        by = next((name for name, t in tensors.items() if t is x), "x")
        return self._with_fault(definition(spec).vjp, spec, a, cotangent, tensors, by).values.astype(x.dtype)

    def _with_fault(self, function: Callable[..., Any], *args: Any) -> Any:
        with contextlib.ExitStack() as stack:
            stack.enter_context(np.errstate(all="ignore"))
            for name, piece in self.patches.items():
                module, attribute = name.split(".")
                where = {
                    "analytic": analytic,
                    "graphs": graphs,
                    "oracle": oracle,
                    "regions": regions,
                    "rows": rows,
                    "segments": segments,
                    "unpooling": unpooling,
                    "windows": windows,
                }[module]
                stack.enter_context(mock.patch.object(where, attribute, piece))
            return function(*args)


class Fault(NamedTuple):
    """What is wrong, and the case and mode that catch it."""

    name: str
    harness: OracleHarness
    mode: str
    case: str


# ------------------------------------------------------------------------------------------ pieces that are wrong

_first = oracle._first
_pooled_axes = windows.pooled_axes
_slopes = oracle._slopes
_padding = windows._padding
_segments = segments._segments
_cells = regions._cells
_places = unpooling._places


def _padding_counted(spec: Any, along: list[Window]) -> float:
    return float(math.prod(window.padded for window in along))


def _last(spec: Any, cells: Array) -> Array:
    place: Array = cells.shape[1] - 1 - _first(spec, cells[:, ::-1])
    return place


def _nan_ignored(spec: Any, cells: Array) -> Array:
    least = -np.inf if spec.kind == "max" else np.inf
    return _first(spec, np.where(np.isnan(cells), least, cells))


def _axes_swapped(spec: Any, rank: int) -> tuple[int, ...]:
    return _pooled_axes(spec, rank)[::-1]


def _totals_in_float16(cells: Array) -> Array:
    return np.add.accumulate(cells.astype(np.float16), axis=1, dtype=np.float16)[:, -1].astype(np.float64)


def _totals_in_float32(cells: Array) -> Array:
    return np.add.accumulate(cells.astype(np.float32), axis=1, dtype=np.float32)[:, -1].astype(np.float64)


def _rounded_to_even(spec: Any, n: int, low: float, high: float, bins: int) -> Any:
    return _cells(spec, n, round(low), round(high), bins)


def _first_seen(spec: Any, shape: tuple[int, ...], indices: Array) -> Any:
    for here, _ in _places(spec, shape, indices):
        flat = indices[here].ravel().tolist()
        yield here, {index: flat.index(index) for index in flat if index >= 0}


def _numbers_wrap(spec: Any, tensors: Any) -> Any:
    return _segments(spec, {"ids": np.where(tensors["ids"] < 0, tensors["ids"] + spec.num_segments, tensors["ids"])})


def _unguarded(spec: Any, alike: Any, others: Array) -> Any:
    weight = alike.where(others)
    return weight / weight.sums()


def _bins_too_short(out: int | None, n: int) -> list[Window]:
    if out is None:
        return [Window((p,), 1) for p in range(n)]
    ends = ((i * n // out, max((i + 1) * n // out, i * n // out + 1)) for i in range(out))
    return [Window(tuple(range(low, high)), high - low) for low, high in ends]


def _bins_by_float32(out: int | None, n: int) -> list[Window]:
    """Ends as the ceiling of float32 products with the reciprocal, the way a compiler rewrites the division."""
    if out is None:
        return [Window((p,), 1) for p in range(n)]
    ends = np.ceil(np.arange(1, out + 1, dtype=np.float32) * np.float32(n) * (np.float32(1) / np.float32(out)))
    return [Window(tuple(range(i * n // out, min(int(end), n))), 1) for i, end in enumerate(ends)]


def _overhang_at_the_head(n: int, s: int, reach: int, padding: Any, ceil_mode: bool) -> tuple[int, int, int]:
    low, high, count = _padding(n, s, reach, padding, ceil_mode)
    return low + max((count - 1) * s + reach - n - low - high, 0) // 2, high, count


def _same_at_the_other_end(n: int, s: int, reach: int, padding: Any, ceil_mode: bool) -> tuple[int, int, int]:
    return _padding(n, s, reach, "same_lower" if padding == "same" else padding, ceil_mode)


def _ties_share(spec: Any, part: Part) -> tuple[Array, Array]:
    if spec.kind != "max":
        return _slopes(spec, part)
    cells = part.cells
    equal = (cells == cells.max(1, keepdims=True)).astype(float)
    return equal / equal.sum(1, keepdims=True), equal


def _weights_constant(spec: Any, cells: Array) -> tuple[Array, Array]:
    w = analytic._weights(getattr(spec, "beta", 1.0), cells)
    return w, w


# --------------------------------------------------------------------------------------- results that are changed


def _values(change: Callable[[Array], Array]) -> Change:
    def changed(x: Array, spec: pk.PoolSpec, result: Any) -> Any:
        return (change(result[0]), result[1]) if spec.indices else change(result)

    return changed


def _finite(values: Array) -> Array:
    return np.maximum(values, np.finfo(values.dtype).min) if values.dtype.kind == "f" else values


def _zero_as_padding(x: Array, spec: pk.PoolSpec, result: Any) -> Any:
    values = result[0] if spec.indices else result
    padded = np.maximum(values, 0).astype(values.dtype) if spec.padding != "valid" else values
    return (padded, result[1]) if spec.indices else padded


def _window_more(x: Array, spec: pk.PoolSpec, result: Any) -> Any:
    return np.concatenate([result, result[..., -1:]], -1) if spec.ceil_mode else result


def _of_the_tensor(x: Array, spec: pk.PoolSpec, result: Any) -> Any:
    if not spec.indices:
        return result
    channels = x.shape[-1] if spec.layout.endswith("C") else 1
    return result[0], result[1] * channels + np.arange(channels)


def _nan_for_infinity(values: Array) -> Array:
    return np.where(np.isinf(values), np.nan, values)


def _input_itself(x: Array, spec: pk.PoolSpec, result: Any) -> Any:
    return x if isinstance(result, np.ndarray) and result.shape == x.shape and result.dtype == x.dtype else result


def _input_zeroed(x: Array, spec: pk.PoolSpec, result: Any) -> Any:
    if x.flags.writeable:
        x[...] = 0
    return result


FIRST = "the_last_at_a_place_is_seen_and_has_the_gradient"


def _fault(name: str, case: str, mode: str = "eager", change: Change | None = None, **patches: Any) -> Fault:
    named = {key.replace("__", "."): piece for key, piece in patches.items()}
    return Fault(name, OracleHarness(named, change), mode, case)


FAULTS = (
    _fault("wrong divisor", "same_average_of_1_to_5_excludes_padding", windows___divisor=_padding_counted),
    _fault("last tie", "ties_in_a_window_go_to_the_first", oracle___first=_last),
    _fault("last tie's gradient", "ties_in_global_pooling_go_to_the_first", "gradient", oracle___first=_last),
    _fault("tied gradient shared", "ties_in_global_pooling_go_to_the_first", "gradient", oracle___slopes=_ties_share),
    _fault("dropped NaN", "nan_wins_wherever_it_stands", oracle___first=_nan_ignored),
    _fault(
        "swapped axes",
        "avg_k3x2_s2x1_p1x0",
        windows__pooled_axes=_axes_swapped,
        rows__pooled_axes=_axes_swapped,
    ),
    _fault("float16 accumulation", "avg_64x64_of_100_float16", oracle__totals=_totals_in_float16),
    _fault("running sum in float32", "avg_512x512_around_100", oracle__totals=_totals_in_float32),
    _fault("off-by-one bin", "adaptive_average_5_to_3", windows___bins=_bins_too_short),
    _fault("bins by float32", "adaptive_average_7_to_7_is_the_input", windows___bins=_bins_by_float32),
    _fault("zero output", "adaptive_average_5_to_3", change=_values(np.zeros_like)),
    _fault("window in the padding kept", "ceil_k1_s2_of_4_has_two_windows", change=_window_more),
    _fault("overhang at the head", "ceil_overhang_is_after_the_last_cell", windows___padding=_overhang_at_the_head),
    _fault("same at the other end", "same_maximum_of_1_to_4_pads_after", windows___padding=_same_at_the_other_end),
    _fault("lowest finite number", "a_window_of_minus_infinity_is_minus_infinity", change=_values(_finite)),
    _fault("NaN of cells of one sign", "sum_huge_positive_global", change=_values(_nan_for_infinity)),
    _fault("padding selected", "padding_is_never_selected", change=_zero_as_padding),
    _fault("indices of the whole tensor", "indices_count_cells_of_one_channel", change=_of_the_tensor),
    _fault("another dtype", "avg_float16_k3_s2_same", change=_values(lambda v: v.astype(np.float64))),
    _fault(
        "weights as constants",
        "softmax_gradient_is_the_true_one",
        "gradient",
        analytic__SLOPES={"softmax": _weights_constant},
    ),
    _fault("a number of -1 for the last", "rows_of_no_segment_are_dropped", segments___segments=_numbers_wrap),
    _fault("0/0", "struct_nodes_that_are_not_alike_hear_nothing", graphs___attention=_unguarded),
    _fault("halves to even", "roi_max_rounds_a_half_away_from_zero", regions___cells=_rounded_to_even),
    _fault("the first that goes to a place", FIRST, unpooling___places=_first_seen),
    _fault("the input itself", "max_k1_of_its_own_memory", "untouched", change=_input_itself),
    _fault("the input changed", "avg_k2", "untouched", change=_input_zeroed),
)
