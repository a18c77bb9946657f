"""Values that nobody should give, for fuzzers: other types, impossible numbers, objects whose every method raises."""

from __future__ import annotations

import collections
import enum
import functools
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import poolkit as pk


def _raises(*_: Any, **__: Any) -> Any:
    raise RuntimeError("not with me")


class Silent:
    """An object whose every method raises."""

    __repr__ = __str__ = __hash__ = __eq__ = __len__ = __bool__ = __iter__ = __getitem__ = __index__ = _raises
    __int__ = __float__ = __contains__ = __format__ = __call__ = _raises  # type: ignore[assignment]


class NoRepr(Silent):
    """One that can be compared and is nothing else."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__  # type: ignore[assignment]


class Text(str):
    """A text that says something else."""

    __slots__ = ()
    __str__ = __repr__ = __format__ = _raises  # type: ignore[assignment]


class Number(int):
    """A number that does not say which."""

    __str__ = __repr__ = __format__ = _raises  # type: ignore[assignment]


class Row(list[Any]):
    """A list that does not show itself."""

    __repr__ = __str__ = _raises  # type: ignore[assignment]


class Pair(tuple[Any, ...]):
    """A tuple that does not show itself."""

    __slots__ = ()
    __repr__ = __str__ = _raises  # type: ignore[assignment]


class Table(dict[Any, Any]):
    """A dictionary that does not show itself."""

    __repr__ = __str__ = _raises  # type: ignore[assignment]


class Size(enum.IntEnum):
    TWO = 2


NOT_PLAIN = (Silent, NoRepr, Text, Number, Row, Pair, Table, Size)

INTS = (0, 1, -1, 2, 3, 17, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**5000, -(10**5000), 10**6)
FLOATS = (0.0, -0.0, 1.0, 2.5, float("nan"), float("inf"), -float("inf"), 1e308, 5e-324)
TEXTS = ("", " ", "max", "avg", "NCHW", "NCL", "LNC", "...", "...LC", "nchw", "channels_last", "same", "SAME", "valid",
         "causal", "add", "cat", "numpy", "torch", "fold", "native", "float16", "int8", "complex64", "bool", "L", "HW",
         "exact", "2", "window=2", "max window=3 layout=NCL", "\x1b]0;t\x07", "\u202e", "\ud800", "x" * 5000, "N" * 30,
         "(" * 500, "a b -> a", "pk.MaxPool(2", "None", "\0")  # fmt: skip


def _deep(rng: random.Random) -> Any:
    value: Any = 1
    for _ in range(rng.choice((2, 5, 50, 500))):
        value = [value]
    return value


def _circle(_: random.Random) -> Any:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def _torch(rng: random.Random) -> Any:
    import torch

    few = torch.zeros(1, 2, 8)
    return rng.choice(
        [
            *(few, torch.zeros(3), torch.zeros(100, 100), torch.tensor(2), torch.nn.Parameter(torch.zeros(2))),
            *(torch.zeros(2).to_sparse(), few.to(torch.complex64), few.bool(), few.to("meta")),
            *(torch.nn.parameter.UninitializedParameter(), torch.nn.parameter.UninitializedBuffer()),
            *(torch.float32, torch.Size((1, 2)), torch.device("cpu"), torch.nn.ReLU(), torch, torch.quasirandom),
        ]
    )


def _numpy(rng: random.Random) -> Any:
    few = np.zeros((1, 2, 8))
    return rng.choice(
        [
            *(few, np.zeros(3), np.zeros((300, 300)), np.array(2), np.array([2, 2]), np.zeros((1, 2, 0))),
            *(np.array(["a"]), np.array([None]), np.ma.zeros((1, 2, 8)), few.astype(">f4"), few.astype("complex64")),
            *(few.astype("longdouble"), few.astype("M8[s]"), np.zeros((1, 2, 8), "i4,f4")),
            *(np.zeros(2, "u1"), np.zeros(2, "i1"), np.zeros(2, ">i8"), np.zeros(2, "V3"), np.array([])),
            *(np.full((2, 5), 1e30, "f4"), np.full((2, 5), np.nan), np.zeros((2, 5), "O"), few.astype("i4,f4")),
            *(np.float32(2), np.int64(2), np.bool_(True), np.str_("max"), np.dtype("f4"), np.float32, np),
            np.random.default_rng(0),
        ]
    )


def _object(rng: random.Random) -> Any:
    spec = pk.MaxPool(2, layout="NCL")
    return rng.choice(
        [
            *(object(), object, int, type, len, print, property(), classmethod(len), lambda x: x, random, pk),
            *(Ellipsis, NotImplemented, range(3), range(10**9), slice(1, 2), 1j, b"max", bytearray(b"12")),
            *(memoryview(b"12"), iter([1]), (x for x in (1, 2)), {1, 2}, frozenset({1}), {}, {"kind": "max"}, {1: 2}),
            *(functools.partial(max, 1), collections.deque([1, 2]), collections.Counter("aab"), pk.SpecError("x")),
            *(spec, pk.GlobalAvgPool(layout="NHWC", keepdims=True), pk.Mix((spec, spec), how="add"), pk.PoolSpec),
        ]
    )


def _unplain(rng: random.Random) -> Any:
    return rng.choice(
        [
            *(Silent(), NoRepr(), Text("max"), Text("NCL"), Text("same"), Number(2), Number(10**6), Size.TWO),
            *(Row([2]), Pair((2,)), Row([Silent()]), (Silent(), 1)),
            Table(version=1, kind="max", window=2, layout="NCL"),
        ]
    )


def _nested(rng: random.Random) -> Any:
    count = rng.choice((0, 1, 1, 2, 2, 3, 17, 1000))
    make = rng.choice((tuple, list))
    if count > 3:
        return make([wrong_value(rng)] * count)
    return make([wrong_value(rng) for _ in range(count)])


def _near(rng: random.Random, given: Any) -> Any:
    """What is almost right: a part of it, or it with something wrong in it."""
    if isinstance(given, dict) and given:
        name = rng.choice(sorted(given))
        return {k: v for k, v in given.items() if k != name} | ({name: wrong_value(rng)} if rng.random() < 0.7 else {})
    if isinstance(given, list | tuple) and given:
        at = rng.randrange(len(given))
        return (*given[:at], wrong_value(rng), *given[at + 1 :])
    return [given]


MAKERS: tuple[Callable[[random.Random], Any], ...] = (
    lambda rng: None,
    lambda rng: rng.choice((True, False)),
    lambda rng: rng.choice(INTS),
    lambda rng: rng.choice(INTS),
    lambda rng: rng.choice(FLOATS),
    lambda rng: rng.choice(TEXTS),
    lambda rng: rng.choice(TEXTS),
    _deep,
    _circle,
    _torch,
    _numpy,
    _object,
    _object,
    _unplain,
    _nested,
    _nested,
)


def wrong_value(rng: random.Random, given: Any = None) -> Any:
    """A value that does not belong where `given` stands; sometimes one that happens to."""
    if given is not None and rng.random() < 0.2:
        return _near(rng, given)
    return rng.choice(MAKERS)(rng)
