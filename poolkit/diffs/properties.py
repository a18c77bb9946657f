"""What two specs do differently, property by property, in sentences about A and B."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from poolkit.dialects.normal import normal
from poolkit.diffs.agreeing import alone, axis_of, limit
from poolkit.diffs.along import letters, one_axis, plain
from poolkit.diffs.wording import EVERY, MOST_PERIOD, axis_text
from poolkit.lowering.axis import Axis
from poolkit.spec.kinds import KINDS
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

# ------------------------------------------------------------------------------------------------------ all sentences


def sentences(a: PoolSpec, b: PoolSpec, count: int) -> list[str]:
    """A sentence for each property in which two specs with this many spatial axes differ.

    >>> from poolkit import AvgPool
    >>> sentences(AvgPool(3, layout="NCHW"), AvgPool(3, 2, layout="NHWC"), 2)
    ["A's stride is 3, B's is 2"]
    """
    p, q = normal(plain(a, count)), normal(plain(b, count))
    said = _special(p, q)
    if not said:
        said = _modes(p, q) or [*_kinds(p, q), *_values(p, q, letters(a, count))]
        said += _divisors(p, q)
    return said + _results(a, b)


def structure_differs(a: PoolSpec, b: PoolSpec) -> bool:
    """Whether results differ in more than the numbers at some size: dropped axes, indices, gradients."""
    options = KINDS[a.kind].options
    gradients = [[pair for pair in s.options if s.kind == a.kind and options[pair[0]].gradient] for s in (a, b)]
    return bool(_results(a, b)) or (a.kind == b.kind and gradients[0] != gradients[1])


def said_otherwise(a: PoolSpec, b: PoolSpec) -> str:
    """How two specs that mean the same are written; empty where they are written alike."""
    first, second = ([w for w in str(spec).split() if not w.startswith("layout=")] for spec in (a, b))
    only_a, only_b = ([w for w in mine if w not in theirs] for mine, theirs in ((first, second), (second, first)))
    if not only_a and not only_b:
        return ""
    sides = [f"{who} says {', '.join(words)}" for who, words in (("A", only_a), ("B", only_b)) if words]
    return f"{' and '.join(sides)}; {'both mean the same here' if len(sides) == 2 else 'it changes nothing here'}"


# ------------------------------------------------------------------------------------- one cell a window, whole maps


def is_identity(spec: PoolSpec) -> bool:
    """Whether a spec in its normal form hands its input on."""
    if spec.divisor_override is not None or alone(spec) or _placed(spec):
        return False
    if spec.window is None:
        return is_all(spec.output_size, None)
    return is_all(spec.window, 1) and is_all(spec.stride, 1) and not _padded(spec)


def _placed(spec: PoolSpec) -> bool:
    """Whether windows lie otherwise than their fields say."""
    return KINDS[spec.kind].spreads or KINDS[spec.kind].strips


def _padded(spec: PoolSpec) -> bool:
    if isinstance(spec.padding, str):
        return spec.padding != "valid" and not is_all(spec.window, 1)
    return not is_all(spec.padding, (0, 0))


def _special(p: PoolSpec, q: PoolSpec) -> list[str]:
    """The one thing to say where one of them is no pooling at all."""
    said = [f"{who} is the identity: its windows hold one cell each" for who, s in _named(p, q) if is_identity(s)]
    if len(said) == 1:
        said += [f"{who} {_describe(s)}" for who, s in _named(p, q) if not is_identity(s)]
        return said
    return ["both are the identity: their windows hold one cell each"] if said else []


def _named(p: PoolSpec, q: PoolSpec) -> tuple[tuple[str, PoolSpec], tuple[str, PoolSpec]]:
    return ("A", p), ("B", q)


def _describe(spec: PoolSpec) -> str:
    does = KINDS[spec.kind].does
    if KINDS[spec.kind].spreads:
        ratio = dict(spec.options)["output_ratio"]
        many = f"{ratio} as many as cells" if spec.output_size is None else _by(spec.output_size)
        return f"{does}, {many}" + (f", of {_by(spec.window)} cells" if spec.window else ", that do not overlap")
    if spec.window is None:
        if is_all(spec.output_size, 1):
            return f"{does} over the whole map, whatever its size"
        return f"{does} over {_by(spec.output_size)} bins, whatever the size of the map"
    return f"{does} over a sliding window of {_by(spec.window)}, with stride {_by(spec.stride)}"


def _by(values: Any) -> str:
    """One number for equal ones, otherwise as in 3x2."""
    several = tuple("(unchanged)" if v is None else str(v) for v in values)
    return several[0] if len(set(several)) == 1 else "x".join(several)


# ------------------------------------------------------------------------------------------------- single properties


def _kinds(p: PoolSpec, q: PoolSpec) -> list[str]:
    if p.kind != q.kind:
        return [f"A {KINDS[p.kind].does}, B {KINDS[q.kind].does}"]
    return [
        f"A's {name} is {_option(mine)}, B's is {_option(other)}"
        for (name, mine), (_, other) in zip(p.options, q.options, strict=True)
        if mine != other
    ]


def _option(value: Any) -> str:
    return "left out" if value is None else str(value)


def _modes(p: PoolSpec, q: PoolSpec) -> list[str]:
    if KINDS[p.kind].spreads or KINDS[q.kind].spreads:
        return [f"A {_describe(p)}; B {_describe(q)}"] if _describe(p) != _describe(q) else []
    if p.window is not None and q.window is not None:
        return []
    if p.window is None and q.window is None and p.output_size == q.output_size:
        return []
    return [f"A {_describe(p)}; B {_describe(q)}"]


def _values(p: PoolSpec, q: PoolSpec, letters: str) -> list[str]:
    """Windows that both slide: their sizes, their padding, their end."""
    if p.window is None:
        return []
    said = [
        f"A's {name} is {_by(getattr(p, name))}, B's is {_by(getattr(q, name))}"
        for name in ("window", "stride", "dilation")
        if getattr(p, name) != getattr(q, name)
    ]
    for who, other, mine, theirs in (("A", "B", p, q), ("B", "A", q, p)):
        if mine.ceil_mode and not theirs.ceil_mode and theirs.padding not in ("same", "same_lower"):
            said.append(f"{who} keeps a last window that overhangs (ceil_mode); {other} drops it")
    return said + _paddings(p, q, letters)


def _divisors(p: PoolSpec, q: PoolSpec) -> list[str]:
    if not (KINDS[p.kind].averages and KINDS[q.kind].averages):
        return [
            f"{who} divides every sum by {s.divisor_override}"
            for who, s in _named(p, q)
            if s.divisor_override is not None
        ]
    said: list[str] = []
    if p.divisor_override != q.divisor_override:
        said.append(f"A divides every sum by {_divisor(p)}, B by {_divisor(q)}")
    for who, other, mine, theirs in (("A", "B", p, q), ("B", "A", q, p)):
        if mine.count_include_pad and not theirs.count_include_pad and theirs.divisor_override is None:
            said.append(f"{who} counts padding in the average; {other} {'does not' if _padded(theirs) else 'has none'}")
    return said


def _divisor(spec: PoolSpec) -> str:
    return "the cells of its window" if spec.divisor_override is None else str(spec.divisor_override)


def _results(a: PoolSpec, b: PoolSpec) -> list[str]:
    said: list[str] = []
    if a.keepdims != b.keepdims:
        said.append("A keeps the pooled axes, B drops them" if a.keepdims else "A drops the pooled axes, B keeps them")
    elif not a.keepdims and _places(a) != _places(b):
        said.append(f"A drops the axes {a.axes}, B {b.axes}")
    if a.indices != b.indices:
        said.append("A returns indices too, B does not" if a.indices else "B returns indices too, A does not")
    elif a.indices and _places(a) != _places(b):
        said.append(f"A counts its indices along {a.axes}, B along {b.axes}")
    return said


def _places(spec: PoolSpec) -> tuple[int, ...] | None:
    """Which spatial axes are pooled, in order; None for all of them."""
    if spec.axes is None or spec.axes == spec.spatial:
        return None
    return tuple((spec.spatial or "").index(letter) for letter in spec.axes)


# ----------------------------------------------------------------------------------------------------------- padding


def pads(axis: Axis) -> tuple[int, int]:
    """The cells of padding at either end, without what a last window overhangs."""
    return (axis.low, axis.high - max(axis.overhang, 0)) if axis.form == "taps" else (0, 0)


def _paddings(p: PoolSpec, q: PoolSpec, letters: str) -> list[str]:
    along = [_paddings_along(one_axis(p, i), one_axis(q, i)) for i in range(len(letters))]
    if all(said == along[0] for said in along):
        return along[0]
    return [f"along {name}, {text}" for name, said in zip(letters, along, strict=True) for text in said]


def _paddings_along(p: PoolSpec, q: PoolSpec) -> list[str]:
    fixed = _given(p), _given(q)
    if fixed[0] is not None and fixed[1] is not None:
        return [] if fixed[0] == fixed[1] else [_pads_text(fixed[0], fixed[1], "")]
    period = math.lcm(*(spec.stride[0] for spec in (p, q) if _given(spec) is None))  # type: ignore[index]
    if period > MOST_PERIOD:
        return [] if p.padding == q.padding else [f"A's padding is {_rule(p)}, B's is {_rule(q)}"]
    groups = _groups(p, q, period)
    return [_pads_text(pair[0], pair[1], _sizes(held, period)) for pair, held in groups.items() if pair[0] != pair[1]]


def _given(spec: PoolSpec) -> tuple[int, int] | None:
    """The padding of one axis where it is the same at every size."""
    if isinstance(spec.padding, str):
        return (0, 0) if spec.padding == "valid" else None
    return spec.padding[0]  # type: ignore[index,return-value]


def _groups(p: PoolSpec, q: PoolSpec, period: int) -> dict[Any, list[int]]:
    """The paddings of both, with the remainders of the sizes at which they are these."""
    groups: dict[Any, list[int]] = {}
    base = -(-limit(p, q) // period) * period
    for n in range(base, base + period):
        axes = [axis_of(spec, n) for spec in (p, q)]
        groups.setdefault(tuple(pads(axis) for axis in axes if axis is not None), []).append(n % period)
    return {pair: held for pair, held in groups.items() if len(pair) == 2}


def _sizes(held: Sequence[int], period: int) -> str:
    text = axis_text([n % period in held for n in range(1, 4 * MOST_PERIOD)])
    return "" if text == EVERY else f" {text}"


def _pads_text(first: tuple[int, int], second: tuple[int, int], sizes: str) -> str:
    both = first != (0, 0)
    return f"A pads {_amount(first, full=True)}{sizes}, B {_amount(second, full=not both)}"


def _amount(pair: tuple[int, int], full: bool) -> str:
    if pair == (0, 0):
        return "nothing"
    return f"{pair[0]} low and {pair[1]} high" if full else f"{pair[0]} and {pair[1]}"


def _rule(spec: PoolSpec) -> str:
    given = _given(spec)
    return str(spec.padding) if given is None else _amount(given, full=True)
