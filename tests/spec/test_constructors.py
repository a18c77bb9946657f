"""The named constructors are words for a PoolSpec, and nothing more."""

from __future__ import annotations

import inspect
import typing

import pytest

import poolkit as pk
from poolkit import PoolSpec

NAMES = (
    "AvgPool",
    "MaxPool",
    "MinPool",
    "SumPool",
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "GlobalAvgPool",
    "GlobalMaxPool",
)

SAME = [
    (
        pk.AvgPool(3, 2, 1, layout="NHWC", ceil_mode=True, count_include_pad=True, divisor_override=4, dilation=2),
        PoolSpec(
            "avg",
            window=3,
            stride=2,
            padding=1,
            dilation=2,
            layout="NHWC",
            ceil_mode=True,
            count_include_pad=True,
            divisor_override=4,
        ),
    ),
    (pk.MaxPool(3, layout="NTHWC", axes="T"), PoolSpec("max", window=3, layout="NTHWC", axes="T")),
    (pk.MaxPool(3, 2, indices=True, layout="NCL"), PoolSpec("max", window=3, stride=2, layout="NCL", indices=True)),
    (pk.MinPool((3, 2), padding="same", layout="CHW"), PoolSpec("min", window=(3, 2), padding="same", layout="CHW")),
    (pk.SumPool(window=2, stride=1, layout="NLC"), PoolSpec("sum", window=2, stride=1, layout="NLC")),
    (pk.AdaptiveAvgPool((7, None), layout="NCHW"), PoolSpec("avg", output_size=(7, None), layout="NCHW")),
    (pk.AdaptiveMaxPool(6, layout="NCHW", indices=True), PoolSpec("max", output_size=6, layout="NCHW", indices=True)),
    (pk.GlobalAvgPool(layout="NHWC", keepdims=True), PoolSpec("avg", output_size=1, layout="NHWC", keepdims=True)),
    (
        pk.GlobalMaxPool(layout="channels_last", keepdims=False, indices=True),
        PoolSpec("max", output_size=1, layout="channels_last", keepdims=False, indices=True),
    ),
]


@pytest.mark.parametrize(("made", "spec"), SAME)
def test_a_constructor_makes_the_spec(made: PoolSpec, spec: PoolSpec) -> None:
    assert made == spec


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_those_of_the_spec(name: str) -> None:
    for parameter in inspect.signature(getattr(pk, name)).parameters.values():
        if parameter.default is not parameter.empty:
            assert parameter.default == PoolSpec.__dataclass_fields__[parameter.name].default


@pytest.mark.parametrize("name", NAMES)
def test_a_constructor_is_typed(name: str) -> None:
    hints = typing.get_type_hints(getattr(pk, name))

    assert hints["return"] is PoolSpec
    assert set(hints) == {*inspect.signature(getattr(pk, name)).parameters, "return"}
