"""Specs of which frameworks have about half, for Hypothesis, and what is asserted of reading and native calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import poolkit as pk
from poolkit import NotExactError, PoolSpec
from poolkit.dialects.calls import Call
from poolkit.dialects.normal import normal
from poolkit.dialects.reading import read, read_call
from poolkit.dialects.writing import native_call

Array = np.ndarray[Any, Any]

LAYOUTS = ("NHWC", "NHWC", "NCHW", "NLC", "NCL", "NDHWC", "HWC", "CHW", "...HWC", "...NCHW", "NTWC", "INF", "HW")
COMMON = st.sampled_from([True, True, True, False])  # mostly what frameworks have


@st.composite
def portable_specs(draw: st.DrawFn, layouts: tuple[str, ...] = LAYOUTS) -> PoolSpec:
    layout = draw(st.sampled_from(layouts))
    spatial = [c for c in layout if c not in "NC."]
    axes = "".join(spatial if draw(COMMON) else draw(st.sampled_from(spatial)))
    fields: dict[str, Any] = {"layout": layout, "axes": axes}
    fields |= draw(_whole(len(axes)) if draw(st.booleans()) else _windows(len(axes)))
    kind = draw(st.sampled_from(["avg", "max", "avg", "max", "min", "sum"]))
    if kind == "max" and not draw(COMMON):
        fields["indices"] = True
    if kind == "avg" and not draw(COMMON):
        fields["divisor_override"] = draw(st.integers(1, 4))
    if kind != "avg":
        fields.pop("count_include_pad", None)
    return PoolSpec(kind, **fields)


@st.composite
def _whole(draw: st.DrawFn, count: int) -> dict[str, Any]:
    if draw(COMMON):
        return {"output_size": 1, "keepdims": draw(st.booleans())}
    return {"output_size": draw(st.tuples(*[st.sampled_from([None, 1, 3])] * count))}


@st.composite
def _windows(draw: st.DrawFn, count: int) -> dict[str, Any]:
    def each(values: st.SearchStrategy[Any]) -> Any:
        return draw(values | st.tuples(*[values] * count))

    pads = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * count)
    padding = draw(st.sampled_from(["valid", "same", "same_lower", "causal"]) | st.integers(0, 2) | pads)
    return {
        "window": each(st.integers(1, 4)),
        "stride": draw(st.sampled_from([1, 2, 3, None])),
        "padding": padding,
        "dilation": 1 if draw(COMMON) else each(st.integers(1, 2)),
        "ceil_mode": padding not in ("same", "same_lower") and not draw(COMMON),
        "count_include_pad": draw(st.booleans()),
    }


def native_or_refusal(spec: PoolSpec, backend: str) -> Call | None:
    """The native call, of which is checked that it reads as the spec; None where there is a refusal that says why."""
    try:
        call = native_call(spec, backend)
    except NotExactError as error:
        refusal = error
    else:
        return _checked(call, spec)
    assert f"{backend} has no layer of its own that is equal: " in str(refusal)
    assert refusal.nearest is None or isinstance(refusal.nearest, Call)
    return None


def _checked(call: Call, spec: PoolSpec) -> Call:
    assert normal(read_call(call, spec.layout)) == normal(spec)  # type: ignore[arg-type]  # a spec, for that is native
    assert read(str(call), spec.layout) == read_call(call, spec.layout)
    return call


def numbers(spec: PoolSpec, seed: int) -> Array:
    """Small integers, so that there are ties, in sizes that differ."""
    rng = np.random.default_rng(seed)
    more = 2 if spec.layout.startswith("...") else 0
    sizes = [2 if c == "N" else 3 if c == "C" else rng.integers(4, 9) for c in spec.letters]
    shape = [2] * (more // 2) + [int(size) for size in sizes]
    return rng.integers(-3, 3, shape).astype("float32")


def assert_reads(source: str, found: Array, x: Any, layout: str | None = None) -> None:
    """What a line of source gives is what its spec gives."""
    given = np.asarray(pk.pool(x, pk.read(source, layout)))
    assert given.shape == found.shape
    np.testing.assert_allclose(given, found, rtol=1e-6, atol=1e-6)


def assert_refused(source: str, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(source)
