"""What a case gives by definition: the oracle's answer, kept, with the numbers of a literal in place of its own."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from poolkit_conformance import oracle
from poolkit_conformance.case import Array, Case, as_array, cotangent, make


@functools.lru_cache(maxsize=64)
def given(case: Case) -> Array:
    """The input of a case; nobody may change it."""
    x = make(case)
    x.setflags(write=False)
    return x


@functools.lru_cache(maxsize=64)
def expected(case: Case) -> oracle.Answer:
    """The oracle's answer, with the numbers of a literal in place of its own."""
    answer: oracle.Answer = quietly(oracle.answer, case.spec, given(case))
    hand: dict[str, Any] = {}
    if case.values is not None:
        hand["values"] = as_array(case.values, answer.values.dtype)
    if case.indices is not None:
        hand["indices"] = as_array(case.indices, np.int64)
    return dataclasses.replace(answer, **hand)


def expected_gradient(case: Case) -> tuple[Array, oracle.Derivative]:
    """A cotangent and the gradient that it gives."""
    answer = expected(case)
    g = cotangent(case, answer.values.shape, answer.dtype)
    derivative = quietly(oracle.vjp, case.spec, given(case), g)
    if case.gradient is not None:
        derivative = dataclasses.replace(derivative, values=as_array(case.gradient, np.float64))
    return g, derivative


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """NaN and infinities are data here, not accidents."""
    with np.errstate(all="ignore"):
        return function(*args)
