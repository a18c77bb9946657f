"""Cases that Hypothesis draws: any spec on any input that isn't large, by the same comparison as the written ones.

The draws are the same every time, so that a failure in CI is a failure here; `print_blob` gives the line that repeats
one.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Verbosity, given, settings

from poolkit import PoolSpec
from poolkit.facts import KINDS
from poolkit_conformance import modes, oracle
from poolkit_conformance.case import FLOATS, Case, make
from poolkit_conformance.harness import Harness
from poolkit_conformance.tolerances import SELECTIONS, SUMS

# Enough for the backend's speed: a compiler takes a second for what NumPy does in a millisecond.
EXAMPLES = {"numpy": 200, "torch": 100, "tensorflow": 30, "jax": 30, "keras": 12}
DEFAULT_EXAMPLES = 50

# Letters of the layouts that are drawn; the axes of an input are one more or fewer than these only with leading dots.
LAYOUTS = (
    "NCL",
    "NLC",
    "NCHW",
    "NHWC",
    "HWC",
    "CHW",
    "L",
    "...HW",
    "...LC",
    "NCDHW",
    "NTHWC",
    "channels_first",
    "channels_last",
)
FLOAT_DATA = ("normal", "ties", "nan", "inf", "mostly -inf", "all -inf", "negative", "signed zeros")
DTYPES = ("float32", "float32", "float64", "float16", "bfloat16", "int8", "uint8", "int32", "int64", "bool")


@st.composite
def cases(draw: st.DrawFn, dtypes: tuple[str, ...] = DTYPES) -> Case:
    """A case whose spec is valid; whether it fits its input is for the oracle to say."""
    kind, layout = draw(st.sampled_from(oracle.kinds())), draw(st.sampled_from(LAYOUTS))
    dtype = draw(st.sampled_from(dtypes))
    letters = _letters(layout, draw(st.integers(1, 2)))
    spatial = [letter for letter in letters if letter not in "NC."]
    axes = "HW" if layout == "NTHWC" else None
    pooled = 2 if axes else len(spatial)
    fields = draw(st.one_of(_windows(pooled, kind), _bins(pooled)))
    fields |= draw(_extras(kind))
    spec = PoolSpec(kind, layout=layout, axes=axes, **fields)
    shape = tuple(draw(st.integers(0 if letter in "NC" else 1, 3 if letter in "NC." else 9)) for letter in letters)
    data = draw(st.sampled_from(FLOAT_DATA)) if dtype in FLOATS and kind in SELECTIONS + SUMS else "normal"
    return Case(f"generated_{draw(st.integers(0, 999))}", spec, shape, dtype, data)


def _letters(layout: str, more: int) -> str:
    if layout.startswith("..."):
        return "." * more + layout[3:]
    return {"channels_first": "NC" + "HW"[:more], "channels_last": "N" + "HW"[:more] + "C"}.get(layout, layout)


def _each(values: st.SearchStrategy[Any], axes: int) -> st.SearchStrategy[Any]:
    """One value for all axes, or one for each."""
    return st.one_of(values, st.tuples(*[values] * axes))


@st.composite
def _windows(draw: st.DrawFn, axes: int, kind: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"window": draw(_each(st.integers(1, 5), axes))}
    fields["stride"] = draw(_each(st.integers(1, 4), axes))
    fields["dilation"] = draw(st.sampled_from([1, 1, 2, 3]))
    pairs = st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * axes)
    fields["padding"] = draw(
        st.one_of(st.sampled_from(["valid", "same", "same_lower", "causal"]), st.integers(0, 3), pairs)
    )
    if fields["padding"] not in ("same", "same_lower"):
        fields["ceil_mode"] = draw(st.booleans())
    if kind == "avg" and fields["padding"] != "valid":
        fields["count_include_pad"] = draw(st.booleans())
    return fields


@st.composite
def _bins(draw: st.DrawFn, axes: int) -> dict[str, Any]:
    size = draw(st.one_of(st.integers(1, 7), st.tuples(*[st.one_of(st.none(), st.integers(1, 7))] * axes)))
    return {"output_size": size} | ({"keepdims": draw(st.booleans())} if size == 1 else {})


@st.composite
def _extras(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    if kind in ("max", "min"):
        return {"indices": draw(st.booleans())}
    options = KINDS[kind].options.items()
    return {name: draw(st.sampled_from([option.default, *option.examples])) for name, option in options}


def check_generated(h: Harness) -> None:
    """Draw cases and run each eagerly, and its gradient where the harness has gradients."""
    dtypes = tuple(dtype for dtype in DTYPES if dtype in h.dtypes)

    @settings(
        max_examples=EXAMPLES.get(h.backend, DEFAULT_EXAMPLES),
        deadline=None,  # a first call compiles
        derandomize=True,
        database=None,
        print_blob=True,
        verbosity=Verbosity.normal,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
    )
    @given(case=cases(dtypes))
    def check(case: Case) -> None:
        check_one(h, case)

    check()


def check_one(h: Harness, case: Case) -> None:
    """One drawn case. Where the oracle has no answer, the backend has to raise."""
    try:
        oracle.answer(case.spec, make(case))
    except oracle.NoAnswerError:
        case = _refused(case)
    modes.run(h, case, "eager")
    if "gradient" in h.modes and modes.fits(h, case, "gradient"):
        modes.run(h, case, "gradient")


def _refused(case: Case) -> Case:
    return Case(case.name, case.spec, case.shape, case.dtype, case.data, error="ShapeError")
