"""Cases and literals of kinds for tokens: cells by their place, sums over a root of their count, deviations."""

from __future__ import annotations

from typing import Any

from poolkit_conformance.case import Case, case
from poolkit_conformance.literal import INF, NAN, ONE_TO_4, given, row
from poolkit_conformance.tolerances import PLACES

_MAP, _TOKENS = (2, 3, 7, 8), (2, 7, 3)
_SPECS = {
    "tokens": (_TOKENS, "layout=NLC output_size=1 keepdims=false"),
    "k3_s2_same": (_MAP, "window=3 stride=2 padding=same"),
    "k3_s2_asymmetric": (_MAP, "window=3 stride=2 padding=0:1,2:0"),
    "k3x2_dilated2x3": (_MAP, "window=3,2 stride=1 dilation=2,3"),
    "k5_s1_same_lower": (_MAP, "window=5 stride=1 padding=same_lower"),
    "k3_s2_ceil": (_MAP, "window=3 stride=2 ceil_mode=true"),
    "1d_causal": (_TOKENS, "layout=NLC window=4 stride=1 padding=causal"),
    "adaptive_7x8_to_4x3": (_MAP, "output_size=4,3"),
    "keeps_an_axis": (_MAP, "output_size=none,2"),
    "global": (_MAP, "output_size=1"),
    "empty_batch": ((0, 7, 3), "layout=NLC output_size=1"),
}
_MASK = (("mask", "cells"),)
_MASKED = ("tokens", "k3_s2_same", "adaptive_7x8_to_4x3", "keeps_an_axis")


def _case(name: str, kind: str, spec: str, more: str = "", **kept: Any) -> Case:
    shape, fields = _SPECS[spec]
    return case(f"{kind}_{name}_{spec}", f"{kind} {fields} {more}", shape, **kept)


def _cases(kind: str, dtypes: tuple[str, ...], data: tuple[str, ...], more: str = "") -> list[Case]:
    """A kind in every place, some of them masked, and on numbers that are out of the ordinary."""
    return [
        *(_case("of", kind, spec, more, few=spec in ("tokens", "k3_s2_same")) for spec in _SPECS),
        *(_case("mask", kind, spec, more, tensors=_MASK, few=spec == "tokens") for spec in _MASKED),
        *(_case(dtype, kind, spec, dtype=dtype) for dtype in dtypes for spec in ("tokens", "k3_s2_ceil")),
        *(_case(word.replace(" ", "_"), kind, spec, data=word) for word in data for spec in ("global", "k3_s2_same")),
    ]


CASES: list[Case] = [
    *(
        case
        for kind in PLACES
        for case in _cases(kind, ("float16", "int32", "uint8", "bool"), ("nan", "mostly -inf"), "indices=true")
    ),
    *_cases("mean_sqrt", ("float16", "float64", "int32"), ("inf",)),
    *_cases("std", ("float16", "float64", "int32"), ("ties", "nan", "inf", "large", "huge", "far apart")),
    *(_case("unbiased", "std", spec, "correction=1", few=spec == "tokens") for spec in ("tokens", "k3_s2_same")),
    _case("unbiased_mask", "std", "k3_s2_same", "correction=1", tensors=_MASK),
    _case("unbiased_mask", "std", "tokens", "correction=1", tensors=_MASK),
]

PLACE = [
    row("first_token", "first output_size=1", ONE_TO_4, (1,), few=True, indices=(0,), gradient=(1, 0, 0, 0)),
    row("last_token", "last output_size=1", ONE_TO_4, (4,), few=True, indices=(3,), gradient=(0, 0, 0, 1)),
    row("first_of_windows_is_no_padding", "first window=2 padding=1", (3, 2, 1), (3, 2), indices=(0, 1)),
    row("last_of_windows_is_no_padding", "last window=2 padding=1", (3, 2, 1), (3, 1), indices=(0, 2)),
    row("first_passes_over_nan", "first window=2", (1, NAN, NAN, INF), (1, NAN), indices=(0, 2)),
    row("last_of_bytes", "last window=2", (255, 0, 7, 1), (0, 1), dtype="uint8"),
    given(
        row(
            "last_real_token",
            "last output_size=1",
            (1, 2, NAN, NAN),
            (2,),
            "the last under a mask, as of a decoder that embeds",
            indices=(1,),
            gradient=(0, 1, 0, 0),
        ),
        mask=(1, 1, 0, 0),
    ),
    given(row("first_real_token", "first output_size=1", (NAN, 2, 3), (2,), indices=(1,)), mask=(0, 1, 1)),
    given(row("last_of_no_token_is_0", "last output_size=1", (1, 2), (0,), indices=(-1,)), mask=(0, 0)),
]

SUMS = [
    row("mean_sqrt_of_1_to_4", "mean_sqrt output_size=1", ONE_TO_4, (5,), few=True, gradient=(0.5,) * 4),
    row("mean_sqrt_counts_real_cells", "mean_sqrt window=2 padding=same", (1, 3, 5), (4 / 2**0.5, 5)),
    row("mean_sqrt_of_integers", "mean_sqrt output_size=1", ONE_TO_4, (5,), dtype="int32"),
    given(row("mean_sqrt_of_real_tokens", "mean_sqrt output_size=1", (2, NAN, 4), (6 / 2**0.5,)), mask=(1, 0, 1)),
    given(row("mean_sqrt_of_no_token_is_0", "mean_sqrt output_size=1", (2, 4), (0,)), mask=(0, 0)),
]

DEVIATIONS = [
    row("std_of_1_to_4", "std window=4", ONE_TO_4, (1.25**0.5,), few=True, dtype="float64"),
    row("std_unbiased", "std output_size=1 correction=1", ONE_TO_4, ((5 / 3) ** 0.5,), dtype="float64"),
    row("std_of_two", "std window=2", (5, 1), (2,), gradient=(0.5, -0.5)),
    row(
        "std_of_equal_cells_has_no_gradient",
        "std output_size=1",
        (0.1, 0.1, 0.1),
        (0,),
        "rounding leaves 7e-9 in NumPy, with a gradient; the formula's own is 0/0",
        few=True,
        gradient=(0, 0, 0),
    ),
    row("std_of_one_cell_is_0", "std window=1 correction=1", (3, -7), (0, 0), why="PyTorch: NaN", gradient=(0, 0)),
    row("std_does_not_overflow", "std window=2", (3e30, -3e30), (3e30,), few=True, why="NumPy: inf"),
    row("std_does_not_underflow", "std window=2", (1e-30, 3e-30), (1e-30,), why="NumPy: 0"),
    row("std_far_from_0", "std window=2", (1e6, 1e6 + 2), (1,), why="mean(x**2) - mean(x)**2: 0"),
    row("std_of_infinite_cells_is_nan", "std window=2", (INF, 1, -INF, INF, NAN, 1), (NAN, NAN, NAN)),
    given(
        row("std_of_real_tokens", "std output_size=1", (1, NAN, 3, 5), (2,), gradient=(-0.5, 0, 0, 0.5)),
        mask=(1, 0, 0, 1),
    ),
    given(row("std_of_no_token_is_0", "std output_size=1", (1, 3), (0,), gradient=(0, 0)), mask=(0, 0)),
]

LITERALS: list[Case] = [*PLACE, *SUMS, *DEVIATIONS]
