"""What a case gives by definition: the oracle's answer, kept, with the numbers of a literal in place of its own."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from poolkit_conformance import oracle
from poolkit_conformance.case import FLOATS, Array, Case, as_array, cotangent, make
from poolkit_conformance.definitions import definition
from poolkit_conformance.further import make_further, real


@functools.lru_cache(maxsize=64)
def given(case: Case) -> Array:
    """The input of a case; nobody may change it."""
    x = make(case)
    mask = further(case).get("mask")
    if mask is not None and case.floating and isinstance(case.data, str):
        x = np.where(real(case.spec, mask, x.shape), x, x.dtype.type(np.nan))  # whatever is masked stays out
    x.setflags(write=False)
    return x


@functools.lru_cache(maxsize=64)
def further(case: Case) -> dict[str, Array]:
    """The tensors besides the input, by name; nobody may change them."""
    made = make_further(case)
    for t in made.values():
        t.setflags(write=False)
    return made


def slanted(case: Case) -> list[str]:
    """The tensors by which the result has a gradient."""
    return [
        "x",
        *(
            name
            for name, t in further(case).items()
            if name not in ("mask", "samples", "boxes", "like") and t.dtype.name in FLOATS
        ),
    ]


@functools.lru_cache(maxsize=64)
def expected(case: Case) -> oracle.Answer:
    """The oracle's answer, with the numbers of a literal in place of its own."""
    answer: oracle.Answer = quietly(definition(case.spec).answer, case.spec, given(case), further(case))
    hand: dict[str, Any] = {}
    if case.values is not None:
        hand["values"] = as_array(case.values, answer.values.dtype)
    if case.indices is not None:
        hand["indices"] = as_array(case.indices, np.int64)
    return dataclasses.replace(answer, **hand)


@functools.lru_cache(maxsize=64)
def expected_gradient(case: Case, by: str = "x") -> tuple[Array, oracle.Derivative]:
    """A cotangent and the gradient that it gives to the input, or to the tensor that `by` names."""
    answer = expected(case)
    g = cotangent(case, answer.values.shape, answer.dtype)
    g.setflags(write=False)
    derivative = quietly(definition(case.spec).vjp, case.spec, given(case), g, further(case), by)
    if case.gradient is not None and by == "x":
        derivative = dataclasses.replace(derivative, values=as_array(case.gradient, np.float64))
    return g, derivative


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """NaN and infinities are data here, not accidents."""
    with np.errstate(all="ignore"):
        return function(*args)
