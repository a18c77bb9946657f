"""Cases and literals of fractional max pooling: windows drawn by samples, by a key, or in the middle."""

from __future__ import annotations

from typing import Any

from poolkit_conformance.case import Case, case
from poolkit_conformance.literal import ONE_TO_5, drawn, row

_MAP = (2, 3, 9, 10)
_SPECS = {
    "k2_to_4": (_MAP, "window=2 output_size=4"),
    "k2x3_to_5x4_nhwc": ((2, 9, 10, 3), "window=2,3 output_size=5,4 layout=NHWC"),
    "k3_by_ratio": (_MAP, "window=3 output_ratio=0.7,0.5"),
    "one_window": (_MAP, "window=3 output_size=1"),
    "every_place": ((2, 3, 7), "window=3 output_size=5 layout=NCL"),
    "3d": ((1, 2, 5, 6, 7), "window=2 output_size=2,3,4 layout=NCDHW"),
    "3d_every_place": ((1, 2, 4, 5, 3), "window=2 output_size=3,2,2 layout=NCDHW"),  # which PyTorch's own refuses
    "rows_of_a_video": ((2, 4, 9, 8, 3), "window=2 output_size=3 layout=NTHWC axes=HW"),
    "without_batch": ((9, 10), "window=2 output_size=4 layout=HW"),
    "keeps_an_axis": (_MAP, "window=2 output_size=none,4"),
    "parts_to_4": (_MAP, "overlapping=false output_size=4"),
    "parts_by_ratio": ((2, 11, 3), "overlapping=false output_ratio=0.6 layout=NLC"),
    "parts_of_a_cell": ((2, 3, 7), "overlapping=false output_size=7 layout=NCL"),
    "k2_to_4_cnhw": ((2, 1, 9, 10), "window=2 output_size=4 layout=CNHW"),
    "empty_batch": ((0, 3, 9, 10), "window=2 output_size=4"),
}
_BY = {"by_samples": (("samples", "rows"),), "by_key": (("key", "key"),), "middle": ()}
_FEW = ("k2_to_4", "parts_to_4")


def _case(name: str, spec: str, indices: bool = False, **kept: Any) -> Case:
    shape, fields = _SPECS[spec]
    return case(f"fractional_max_{name}_{spec}", f"fractional_max {fields} indices={indices}", shape, **kept)


CASES: list[Case] = [
    *(
        _case(by, spec, tensors=_BY[by], indices=(i + j) % 2 == 0, few=spec in _FEW and by == "by_samples")
        for i, spec in enumerate(_SPECS)
        for j, by in enumerate(_BY)
    ),
    _case("mask", "k2_to_4", tensors=(("mask", "cells"), *_BY["by_key"]), indices=True),
    _case("mask", "k2_to_4_cnhw", tensors=(("mask", "cells"), *_BY["by_samples"])),
    _case("mask", "parts_to_4", tensors=(("mask", "full"), *_BY["by_samples"])),
    _case("float16_samples", "k2_to_4", tensors=(("samples", "rows float16"),)),
    *(
        _case(dtype, "k2_to_4", tensors=_BY["by_key"], dtype=dtype)
        for dtype in ("bfloat16", "float64", "uint8", "bool")
    ),
    *(
        _case(data.replace(" ", "_"), "k2x3_to_5x4_nhwc", tensors=_BY["by_samples"], data=data, indices=True)
        for data in ("ties", "nan", "inf", "all -inf")
    ),
    *(
        _case(f"middle_{data}", "k2_to_4", data=data, indices=True, few=data == "ties")
        for data in ("ties", "nan", "inf")
    ),
]

_PADDLE = (2, 4, 3, 1, 5, 2, 3)
LITERALS: list[Case] = [
    drawn(
        row(
            "fractional_max_of_paddles_example",
            "fractional_max output_size=5 overlapping=false",
            _PADDLE,
            (2, 4, 1, 5, 3),
            "as its documentation shows",
            few=True,
        ),
        0.3,
    ),
    drawn(
        row(
            "fractional_max_ends_at_the_last_cell",
            "fractional_max window=2 output_size=3",
            ONE_TO_5,
            (2, 3, 5),
            "starts 0 and 1, of int((i + 0.2) * 1.5), and n - k = 3",
            indices=(1, 2, 4),
            gradient=(0, 1, 1, 0, 1),
        ),
        0.2,
    ),
]
