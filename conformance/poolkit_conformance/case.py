"""A case: a spec, an input, and what is known of the result. All of it follows from its name and fields."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec

Array = np.ndarray[Any, Any]
Recipe = Callable[[np.random.Generator, tuple[int, ...]], Array]
Numbers = Any  # nested tuples of numbers, or `Fixed`, so that a case can be hashed

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int32", "int64", "bool")
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


@dataclass(frozen=True, eq=False)
class Fixed:
    """An array inside a case, which is itself and nothing else."""

    array: Array


def as_array(numbers: Numbers, dtype: Any) -> Array:
    return np.array(numbers.array if isinstance(numbers, Fixed) else numbers, dtype)


@dataclass(frozen=True)
class Case:
    """One row of the suite.

    `data` names a recipe of `RECIPES`, or is the input itself. Numbers that were worked out by hand stand in
    `values`, `indices` and `gradient` (that of the sum of the result); what is None is asked of the oracle. `few` cases
    also run in the modes that take long. `tensors` are those besides the input, by name: numbers, or a recipe of
    `poolkit_conformance.further`. `error` names the exception that a backend has to raise. Gradients are taken
    with random cotangents, or with `ones`.
    """

    name: str
    spec: Operation
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    data: str | Numbers = "normal"
    few: bool = False
    ones: bool = False
    values: Numbers = None
    indices: Numbers = None
    gradient: Numbers = None
    error: str | None = None
    why: str = ""
    tensors: tuple[tuple[str, str | Numbers], ...] = ()

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATS

    def __str__(self) -> str:
        return self.name


def case(
    name: str,
    spec: str,
    shape: tuple[int, ...],
    data: str = "normal",
    dtype: str = "float32",
    few: bool = False,
    **more: Any,
) -> Case:
    """A case of the spec of a text, whose layout is NCHW where it names none."""
    text = spec if "layout=" in spec else f"{spec} layout=NCHW"
    return Case(name, PoolSpec.parse(text), shape, dtype, data, few, **more)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """NumPy's dtype of this name; bfloat16 is that of ml_dtypes, which only its cases need."""
    if name == "bfloat16":
        import ml_dtypes

        brain: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return brain
    return np.dtype(name)


def generator(*words: str) -> np.random.Generator:
    """Random numbers that depend on these words alone."""
    return np.random.default_rng(zlib.crc32(" ".join(words).encode()))


def make(case: Case) -> Array:
    """The input of a case, in its dtype."""
    dtype = numpy_dtype(case.dtype)
    if not isinstance(case.data, str):
        return as_array(case.data, np.float64 if case.floating else None).astype(dtype)
    if case.dtype == "complex64":
        return np.ones(case.shape, dtype)
    rng = generator("input", case.name)
    if not case.floating:
        return _integers(case, dtype, rng)
    with np.errstate(over="ignore"):
        return np.asarray(RECIPES[case.data](rng, case.shape)).astype(dtype)


def cotangent(case: Case, shape: tuple[int, ...], dtype: str) -> Array:
    """What a gradient is taken with; ones where the case says so or its gradient was worked out by hand."""
    if case.ones or case.gradient is not None:
        return np.ones(shape, numpy_dtype(dtype))
    return generator("cotangent", case.name).standard_normal(shape).astype(numpy_dtype(dtype))


def tangent(case: Case, shape: tuple[int, ...]) -> Array:
    """The direction of a forward or second derivative."""
    return generator("tangent", case.name).standard_normal(shape).astype(numpy_dtype(case.dtype))


# --------------------------------------------------------------------------------------------- recipes of float inputs


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_normal(shape) * 3


def _ties(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.integers(-1, 2, shape).astype(np.float64)


def _nan(rng: np.random.Generator, shape: tuple[int, ...], other: Recipe = _normal) -> Array:
    return np.where(rng.random(shape) < 0.15, np.nan, other(rng, shape))


def _inf(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    kinds = rng.choice([0.0, np.inf, -np.inf], shape, p=[0.8, 0.1, 0.1])
    return np.where(kinds == 0, _normal(rng, shape), kinds)


def _mostly_minus_inf(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.where(rng.random(shape) < 0.9, -np.inf, _normal(rng, shape))


def _signed_zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.where(rng.random(shape) < 0.5, -0.0, 0.0)


def _large(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(-300, 300, shape)


def _huge(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Two of these are more than float32 holds."""
    return rng.choice([3e38, -3e38, 1.0, -0.5, 2e38], shape)


def _far(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Magnitudes from 1e-30 to 1e30: squares of most are beyond float32."""
    return rng.choice([-1, 1], shape) * 10.0 ** rng.uniform(-30, 30, shape)


def _peak(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """One in the middle of every map of zeros, for two spatial axes at the end."""
    x = np.zeros(shape)
    x[..., shape[-2] // 2, shape[-1] // 2] = 1
    return x


def _spaced(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """No two within 0.02 of each other, so that small steps of any of them leave their order."""
    count = math.prod(shape)
    return (rng.permutation(count).reshape(shape) - count / 2) / 50


RECIPES: dict[str, Recipe] = {
    "normal": _normal,
    "ties": _ties,
    "nan": _nan,
    "inf": _inf,
    "all -inf": lambda rng, shape: np.full(shape, -np.inf),
    "all +inf": lambda rng, shape: np.full(shape, np.inf),
    "mostly -inf": _mostly_minus_inf,
    "signed zeros": _signed_zeros,
    "constant 100": lambda rng, shape: np.full(shape, 100.0),
    "around 100": lambda rng, shape: rng.uniform(100, 101, shape),
    "large": _large,
    "peak": _peak,
    "far apart": _far,
    "times 1e30": lambda rng, shape: _normal(rng, shape) * 1e30,
    "times 1e-30": lambda rng, shape: _normal(rng, shape) * 1e-30,
    "huge": _huge,
    "huge positive": lambda rng, shape: np.abs(_huge(rng, shape)),
    "spaced": _spaced,
    "spaced nan": lambda rng, shape: _nan(rng, shape, _spaced),
    "spaced above 0": lambda rng, shape: _spaced(rng, shape) + math.prod(shape) / 50,
    "spaced below 0": lambda rng, shape: _spaced(rng, shape) - math.prod(shape) / 50,
    "positive": lambda rng, shape: rng.uniform(0.1, 1, shape),
    "negative": lambda rng, shape: -rng.uniform(1, 2, shape),
}


def _integers(case: Case, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    if case.dtype == "bool":
        return rng.random(case.shape) < 0.3
    least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if case.data == "extremes":
        return rng.choice(np.array([least, least + 1, 0, most - 1, most], dtype), case.shape)
    return rng.integers(max(least, -100), min(most, 200), case.shape, endpoint=True).astype(dtype)
