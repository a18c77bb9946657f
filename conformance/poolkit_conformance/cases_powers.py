"""Cases of the kinds that have options, each in the same places: windows, bins, whole maps, dtypes."""

from __future__ import annotations

from typing import Any

from poolkit_conformance.case import Case, case

_MAP = (2, 3, 9, 10)
_SPECS = {
    "k2": (_MAP, "window=2"),
    "k3_s2_same": (_MAP, "window=3 stride=2 padding=same"),
    "k3_s2_asymmetric": (_MAP, "window=3 stride=2 padding=0:1,2:0"),
    "k3x2_dilated2x3": (_MAP, "window=3,2 stride=1 dilation=2,3"),
    "k3_s2_ceil": (_MAP, "window=3 stride=2 ceil_mode=true"),
    "k5_s1_same": (_MAP, "window=5 stride=1 padding=same"),
    "k1": (_MAP, "window=1"),
    "k2_s4": (_MAP, "window=2 stride=4"),  # most cells are in no window, and those at the end of k2_nhwc
    "k2_nhwc": ((2, 7, 8, 3), "window=2 layout=NHWC"),
    "1d_causal": ((2, 11, 3), "layout=NLC window=4 stride=3 padding=causal"),
    "3d_k2": ((1, 2, 4, 5, 6), "layout=NCDHW window=2"),
    "adaptive_9x10_to_4x3": (_MAP, "output_size=4,3"),
    "keeps_an_axis": (_MAP, "output_size=none,2"),
    "global": (_MAP, "output_size=1 keepdims=false"),
    "global_nhwc": ((2, 8, 9, 3), "layout=NHWC output_size=1"),
    "tokens": ((2, 7, 3), "layout=NLC output_size=1 keepdims=false"),
    "empty_batch": ((0, 3, 9, 10), "window=3 stride=2 padding=same"),
    "empty_channels_adaptive": ((2, 9, 10, 0), "layout=NHWC output_size=4,3"),
}
_FEW = ("k3_s2_same", "global")
_MASKED = ("k3_s2_same", "k3_s2_ceil", "adaptive_9x10_to_4x3", "keeps_an_axis", "tokens")
_DTYPES = ("float16", "bfloat16", "float64", "int32", "uint8", "bool")
_DATA = ("ties", "nan", "inf", "far apart", "large", "signed zeros", "mostly -inf", "all +inf")
_PLACES = ("k3_s2_same", "global")
_LEFT_OUT = ("k2_s4", "k2_nhwc")  # where such numbers are, too


def _case(kind: str, name: str, spec: str, more: str = "", **kept: Any) -> Case:
    shape, fields = _SPECS[spec]
    return case(f"{kind}_{name}", f"{kind} {fields} {more}", shape, **kept)


def _label(*words: Any) -> str:
    return "_".join(map(str, words)).replace(" ", "_").replace("-", "minus_").replace("+", "plus_")


def _words(options: str) -> list[str]:
    return options.replace("=", "_").split()


def cases_of(kind: str, options: tuple[str, ...]) -> list[Case]:
    """A kind in every place, and with these options in some of them, on numbers that are out of the ordinary too."""
    mask = (("mask", "cells"),)
    return [
        *(_case(kind, spec, spec, few=spec in _FEW) for spec in _SPECS),
        *(_case(kind, f"mask_{spec}", spec, tensors=mask, few=spec == "tokens") for spec in _MASKED),
        *(_case(kind, f"{dtype}_{spec}", spec, dtype=dtype) for dtype in _DTYPES for spec in _PLACES),
        *(
            _case(kind, _label(data, spec), spec, data=data, few=(data, spec) == ("signed zeros", "global"))
            for data in _DATA
            for spec in _PLACES
        ),
        *(_case(kind, _label(data, spec), spec, data=data) for data in ("large", "inf") for spec in _LEFT_OUT),
        *(
            _case(kind, _label(*_words(more), spec), spec, more, few=spec == "global" and more == options[0])
            for more in options
            for spec in ("k3_s2_ceil", "global")
        ),
        *(_case(kind, _label("mask", *_words(more)), "k3_s2_same", more, tensors=mask) for more in options),
        *(
            _case(kind, _label("float64", *_words(more)), "adaptive_9x10_to_4x3", more, dtype="float64")
            for more in options
        ),
        *(
            _case(kind, _label("ties", *_words(more)), "k3_s2_same", more, data="ties", few=i == 0)
            for i, more in enumerate(options)
        ),
    ]


_NORMS = (
    "normalize=mean",
    "p=0.5",
    "p=1",
    "p=1.5 normalize=mean",
    "p=3",
    "p=50",
    "p=inf",
)

_MEANS = (
    "p=0.5",
    "p=1",
    "p=2 eps=0.5",
    "p=50",
    "p=inf",
)
_LOGS = (
    "normalize=sum",
    "beta=10",
    "beta=-2 normalize=sum",
    "beta=0.1",
    "beta=-300",
)

_QUANTILES = (
    "indices=True",
    "quantile=0.9",
    "quantile=0.3 indices=True",
    "quantile=0",
)

_EACH, _KEY = (("samples", "each"),), (("key", "key"),)
DRAWS: list[Case] = [
    *cases_of("stochastic", ()),
    *(
        _case("stochastic", f"drawn_{spec}", spec, f"indices={i % 2 == 1}", tensors=_EACH, few=spec in _FEW)
        for i, spec in enumerate(_SPECS)
    ),
    *(
        _case("stochastic", f"drawn_mask_{spec}", spec, "indices=true", tensors=(("mask", "cells"), *_EACH))
        for spec in _MASKED
    ),
    *(_case("stochastic", f"drawn_{dtype}", "k3_s2_same", tensors=_EACH, dtype=dtype) for dtype in _DTYPES),
    *(
        _case("stochastic", _label("drawn", data), "k3_s2_same", "indices=true", tensors=_EACH, data=data)
        for data in (*_DATA, "huge")
    ),
    *(
        _case(
            "stochastic", f"by_key_{spec}", spec, f"indices={spec != 'tokens'}", tensors=_KEY, few=spec == "k3_s2_same"
        )
        for spec in ("k3_s2_same", "k2_nhwc", "adaptive_9x10_to_4x3", "tokens", "empty_batch")
    ),
    _case("stochastic", "by_key_uint32", "k3_s2_same", tensors=(("key", "key uint32"),), dtype="float64"),
    _case("stochastic", "by_key_and_mask", "k2_nhwc", tensors=(("mask", "cells"), ("key", "key int64"))),
    _case("stochastic", "drawn_by_float16", "k3_s2_same", tensors=(("samples", "each float16"),)),
    _case("stochastic", "drawn_by_float64", "k3_s2_same", tensors=(("samples", "each float64"),)),
]

# Squares and inverse squares of all cells are beyond float32, and so may be what a second derivative comes from. Third
# powers of cells next to 0 are beyond what docs/semantics.md (14) specifies.
_KINDS = (
    ("softmax", ""),
    ("logsumexp", ""),
    ("lp", ""),
    ("lp", "p=3"),
    ("gem", ""),
    ("stochastic", ""),
    ("std", ""),
)
SIZES: list[Case] = [
    _case(kind, _label(data, *_words(more), spec), spec, more, data=data, few=True)
    for kind, more in _KINDS
    for data, spec in (("times 1e30", "k3_s2_same"), ("times 1e-30", "global"))
    if (data, more) != ("times 1e-30", "p=3")
]

POWERS: list[Case] = [
    *DRAWS,
    *cases_of("median", _QUANTILES),
    *cases_of("lp", _NORMS),
    *cases_of("gem", _MEANS),
    *cases_of("logsumexp", _LOGS),
    *SIZES,
]
