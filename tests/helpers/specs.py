"""Every spec that can be said, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from poolkit import PoolSpec
from poolkit.spec.kinds import KINDS

LAYOUTS = ("NCHW", "NHWC", "NCL", "NLC", "NDHWC", "NTHWC", "CHW", "...HWC", "...NCHW", "INF", "L", "TRUE")


def per_axis(values: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[Any]:
    """One value for all axes, or a tuple with one for each."""
    return values | st.tuples(*[values] * count)


def paddings(count: int) -> st.SearchStrategy[Any]:
    cells = st.integers(0, 3)
    pairs = st.tuples(*[st.tuples(cells, cells)] * count)
    return st.sampled_from(["valid", "same", "same_lower", "causal"]) | per_axis(cells, count) | pairs


@st.composite
def layouts(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """A layout, perhaps with axes, and how many axes are pooled."""
    if draw(st.booleans()):
        return {"layout": draw(st.sampled_from(["channels_first", "channels_last"]))}, draw(st.integers(1, 3))
    layout = draw(st.sampled_from(LAYOUTS))
    spatial = [c for c in layout if c not in "NC."]
    chosen = draw(st.lists(st.sampled_from(spatial), unique=True, min_size=1))
    axes = "".join(c for c in spatial if c in chosen)
    return {"layout": layout, "axes": axes}, len(axes)


@st.composite
def specs(draw: st.DrawFn) -> PoolSpec:
    fields, count = draw(layouts())
    kind = draw(st.sampled_from(sorted(KINDS)))
    slides = KINDS[kind].widest is not None
    bins = not slides and draw(st.booleans())
    fields |= draw(spread(count) if KINDS[kind].spreads else adaptive(count) if bins else sliding(kind, count))
    if KINDS[kind].selects:
        fields["indices"] = draw(st.booleans())
    if KINDS[kind].averages:
        numbers = st.integers(1, 9) | st.floats(allow_nan=False, allow_infinity=False).filter(bool)
        fields["divisor_override"] = draw(st.none() | numbers)
    for name, option in [] if KINDS[kind].spreads or KINDS[kind].strips else KINDS[kind].options.items():
        values = st.sampled_from([None, option.default, *option.examples])
        if isinstance(option.default, float):
            values |= st.floats(allow_nan=False, allow_infinity=False).filter(option.accepts)
        fields[name] = draw(values)
    for name in KINDS[kind].unread({n: fields.get(n) for n in KINDS[kind].options}):
        fields[name] = None
    return PoolSpec(kind, **fields)


@st.composite
def adaptive(draw: st.DrawFn, count: int) -> dict[str, Any]:
    size = st.integers(1, 9)
    if draw(st.booleans()):
        return {"output_size": draw(per_axis(st.just(1), count)), "keepdims": draw(st.booleans())}
    return {"output_size": draw(size | st.tuples(*[st.none() | size] * count))}


@st.composite
def spread(draw: st.DrawFn, count: int) -> dict[str, Any]:
    """Windows at places that are drawn."""
    size, ratio = st.none() | st.integers(1, 9), st.none() | st.sampled_from([0.25, 0.5, 0.7])
    many = {"output_size": draw(st.integers(1, 9) | st.tuples(*[size] * count))}
    if draw(st.booleans()):
        many = {"output_ratio": draw(st.just(0.5) | st.tuples(*[ratio] * count))}
    window = {"window": draw(per_axis(st.integers(1, 3), count))} if draw(st.booleans()) else {"overlapping": False}
    return many | window


@st.composite
def sliding(draw: st.DrawFn, kind: str, count: int) -> dict[str, Any]:
    size = st.integers(1, 9)
    width = st.integers(1, int(min(KINDS[kind].widest or 9, 9)))
    fields = {"window": draw(per_axis(width, count)), "dilation": draw(per_axis(size, count))}
    fields |= {"stride": draw(st.none() | per_axis(size, count)), "padding": draw(paddings(count))}
    strips = KINDS[kind].strips
    if strips:
        stride = fields["stride"] or fields["window"]
        times = draw(per_axis(st.integers(1, 3), count)) if isinstance(stride, tuple) else draw(st.integers(1, 3))
        each = [times] * count if isinstance(times, int) else times
        fields["grid"] = (
            tuple(s * t for s, t in zip(stride, each, strict=True)) if isinstance(stride, tuple) else stride * times
        )
    fields["ceil_mode"] = not strips and fields["padding"] not in ("same", "same_lower") and draw(st.booleans())
    fields["count_include_pad"] = KINDS[kind].averages and draw(st.booleans())
    return fields
