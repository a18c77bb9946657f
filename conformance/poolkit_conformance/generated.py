"""Cases drawn at random: any spec on any input that isn't large, by the same comparison as the written ones.

What a case is depends on the state of its generator alone, so that a failure in CI is a failure here.
"""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

from poolkit import PoolSpec, SpecError
from poolkit.spec.kinds import KINDS
from poolkit_conformance import modes, oracle, outside
from poolkit_conformance.case import Case, make
from poolkit_conformance.expect import quietly
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
    "NCHW",
    "NHWC",
    "NHWC",
    "HWC",
    "CHW",
    "L",
    "...HW",
    "...LC",
    "NCDHW",
    "NDHWC",
    "NTHWC",
    "channels_first",
    "channels_last",
)
FLOAT_DATA = ("normal", "ties", "nan", "inf", "mostly -inf", "all -inf", "negative", "signed zeros", "huge")
DTYPES = ("float32", "float32", "float64", "float16", "bfloat16", "int8", "uint8", "int32", "int64", "bool")
# A case that the definition refuses tells nothing more than one, and half of those that are drawn would be such.
REFUSED = 0.1


def draw(rng: Random, dtypes: tuple[str, ...] = DTYPES) -> Case:
    """A case whose spec is valid; one whose input the definition refuses names the error."""
    while True:
        try:
            case = _drawn(rng, dtypes)
        except SpecError:
            if not outside.kinds():  # which may refuse some; every other spec that is drawn is valid
                raise
            continue
        try:
            quietly(oracle.answer, case.spec, make(case))
        except oracle.NoAnswerError:
            if rng.random() < REFUSED:
                return Case(case.name, case.spec, case.shape, case.dtype, case.data, error="ShapeError")
        else:
            return case


def _drawn(rng: Random, dtypes: tuple[str, ...]) -> Case:
    kind, layout, dtype = rng.choice(oracle.kinds()), rng.choice(LAYOUTS), rng.choice(dtypes)
    letters = _letters(layout, rng.randint(1, 2))
    axes = "HW" if layout == "NTHWC" else None
    pooled = 2 if axes else len([letter for letter in letters if letter not in "NC."])
    slides = KINDS[kind].widest is not None or rng.random() < 0.7
    drawn = _spread if KINDS[kind].spreads else _windows if slides else _bins
    fields = drawn(rng, pooled, kind) | _extras(rng, kind)
    shape = tuple(_size(rng, letter, fields) for letter in letters)
    spec = PoolSpec(kind, layout=layout, axes=axes, **fields)
    return other_values(rng, Case("", spec, shape, dtype, tensors=_further(rng, spec)))


def other_values(rng: Random, case: Case) -> Case:
    """Other numbers for the same spec, shape and dtype, for which a framework compiles nothing anew."""
    given = case.floating and all(spec.kind in SELECTIONS + SUMS for spec in case.spec.poolings())
    # Infinite cells times gradients of either sign, as a weight's are, add up to anything.
    data = rng.choice(FLOAT_DATA) if given and "weight" not in dict(case.tensors) else "normal"
    return dataclasses.replace(case, name=f"generated_{rng.randrange(1000)}", data=data)


def _further(rng: Random, spec: PoolSpec) -> tuple[tuple[str, str], ...]:
    """Rarely a mask, a weight, or both; samples where they are taken."""
    if spec.count_include_pad:
        return ()
    forms = ("cells", "one", "full", "cells float32", "full int8")
    few = tuple(
        (name, rng.choice(forms[: 3 if name == "weight" else 5]))
        for name in ("mask", "weight")
        if name in spec.takes and rng.random() < 0.2
    )
    each = "rows" if KINDS[spec.kind].spreads else "lines" if KINDS[spec.kind].strips else "each"
    drawn = rng.choice(((), (("samples", each),), (("key", "key"),))) if "samples" in spec.takes else ()
    return (*few, *drawn)


def _letters(layout: str, more: int) -> str:
    if layout.startswith("..."):
        return "." * more + layout[3:]
    return {"channels_first": "NC" + "HW"[:more], "channels_last": "N" + "HW"[:more] + "C"}.get(layout, layout)


def _size(rng: Random, letter: str, fields: dict[str, Any]) -> int:
    """Rarely 0; along pooled axes small, or next to a multiple of the stride, where the number of windows changes."""
    if letter in "NC.":
        return rng.choice((0, 1, 1, 2, 2, 3, 3, 4)) if rng.random() < 0.3 else rng.randint(1, 3)
    stride = fields.get("stride") or fields.get("window") or 1
    step = stride if isinstance(stride, int) else rng.choice(stride)
    return rng.randint(1, 9) if rng.random() < 0.5 else max(step * rng.randint(1, 3) + rng.randint(-1, 1), 1)


def _each(rng: Random, axes: int, *values: Any) -> Any:
    """One value for all axes, or one for each."""
    return rng.choice(values) if rng.random() < 0.5 else tuple(rng.choice(values) for _ in range(axes))


def _windows(rng: Random, axes: int, kind: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"window": _each(rng, axes, 1, 2, 2, 3, 3, 4, 5), "stride": _each(rng, axes, 1, 2, 3, 4)}
    if rng.random() < 0.3:
        fields["dilation"] = _each(rng, axes, 1, 2, 3)
    most = rng.choice((1, 2, 3, 10))  # the last is more than any window spans
    pairs = tuple((rng.randint(0, min(most, 3)), rng.randint(0, most)) for _ in range(axes))
    words = ("valid", "same", "same_lower", "causal")
    fields["padding"] = rng.choice((rng.choice(words), rng.randint(0, 3), pairs, pairs))
    if KINDS[kind].strips:
        stride = fields["stride"]
        fields["grid"] = rng.choice((1, 2, 3)) * stride if isinstance(stride, int) else tuple(2 * s for s in stride)
    elif fields["padding"] not in ("same", "same_lower"):
        fields["ceil_mode"] = rng.random() < 0.5
    if kind == "avg":
        fields["count_include_pad"] = fields["padding"] != "valid" and rng.random() < 0.5
        fields["divisor_override"] = rng.choice((None, None, None, 3, 0.7))
    return fields


def _bins(rng: Random, axes: int, kind: str) -> dict[str, Any]:
    size = _each(rng, axes, 1, 1, 2, 3, 5, 7, None)
    size = (None,) * axes if size is None else size
    return {"output_size": size} | ({"keepdims": rng.random() < 0.5} if size == 1 else {})


def _spread(rng: Random, axes: int, kind: str) -> dict[str, Any]:
    many: dict[str, Any] = {"output_size": _each(rng, axes, 1, 2, 3, 5)}
    many = many if rng.random() < 0.7 else {"output_ratio": _each(rng, axes, 0.3, 0.7, 0.9)}
    return many | ({"window": _each(rng, axes, 1, 2, 3)} if rng.random() < 0.6 else {"overlapping": False})


def _extras(rng: Random, kind: str) -> dict[str, Any]:
    if kind in SELECTIONS:
        return {"indices": rng.random() < 0.5}
    facts = KINDS[kind]
    options = {name: rng.choice([option.default, *option.examples]) for name, option in facts.options.items()}
    return {name: value for name, value in options.items() if name not in facts.unread(options)}


def check_generated(h: Harness) -> None:
    """Draw cases and run each eagerly, and its gradient where the harness has gradients."""
    for number in range(EXAMPLES.get(h.backend, DEFAULT_EXAMPLES)):
        check_one(h, draw(Random(number), dtypes_of(h)), ("eager", "gradient"))


def dtypes_of(h: Harness) -> tuple[str, ...]:
    return tuple(dtype for dtype in DTYPES if dtype in h.dtypes)


def check_one(h: Harness, case: Case, wanted: tuple[str, ...]) -> list[str]:
    """One case in those of the modes that the harness has and that the case fits; which they were."""
    fit = [mode for mode in wanted if mode in h.modes and modes.fits(h, case, mode)]
    for mode in fit:
        modes.run(h, case, mode)
    return fit
