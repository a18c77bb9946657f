"""The named constructors are words for a PoolSpec, and nothing more."""

from __future__ import annotations

import inspect
import typing

import pytest

import poolkit as pk
from poolkit import PoolSpec
from poolkit.spec.kinds import KINDS

NAMES = (
    "AvgPool",
    "MaxPool",
    "MinPool",
    "SumPool",
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "AdaptiveMinPool",
    "GlobalMinPool",
    "GlobalSumPool",
    "SoftPool",
    "LPPool",
    "GeM",
    "MedianPool",
    "BlurPool",
    "StochasticPool",
)

KIND = {"SoftPool": "softmax", "LPPool": "lp", "GeM": "gem", "MedianPool": "median", "BlurPool": "blur"}

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
    (pk.AdaptiveMinPool(6, layout="NCHW", indices=True), PoolSpec("min", output_size=6, layout="NCHW", indices=True)),
    (pk.GlobalMinPool(layout="NHWC", keepdims=True), PoolSpec("min", output_size=1, layout="NHWC")),
    (pk.GlobalSumPool(layout="NLC", keepdims=False), PoolSpec("sum", output_size=1, layout="NLC", keepdims=False)),
    (
        pk.SoftPool(3, 2, 1, layout="NHWC", beta=2, grad="semi", ceil_mode=True),
        PoolSpec("softmax", window=3, stride=2, padding=1, layout="NHWC", beta=2.0, grad="semi", ceil_mode=True),
    ),
    (
        pk.LPPool(2, 1, "same", layout="NCL", p=3, normalize="mean", dilation=2),
        PoolSpec("lp", window=2, stride=1, padding="same", layout="NCL", p=3.0, normalize="mean", dilation=2),
    ),
    (
        pk.StochasticPool(2, layout="NCL", ceil_mode=True, indices=True),
        PoolSpec("stochastic", window=2, layout="NCL", ceil_mode=True, indices=True),
    ),
    (
        pk.FractionalMaxPool(overlapping=False, output_ratio=(0.5, 0.7), layout="NCHW", indices=True),
        PoolSpec("fractional_max", overlapping=False, output_ratio=[0.5, 0.7], layout="NCHW", indices=True),
    ),
    (
        pk.S3Pool(3, 2, "same", grid=(4, 2), layout="NHWC", dilation=2, indices=True),
        PoolSpec("s3", window=3, stride=2, padding="same", grid=(4, 2), layout="NHWC", dilation=2, indices=True),
    ),
    (
        pk.GeM(layout="NCHW", keepdims=False, p=4, eps=1e-3),
        PoolSpec("gem", output_size=1, layout="NCHW", keepdims=False, p=4.0, eps=1e-3),
    ),
    (
        pk.MedianPool(3, 1, "same", layout="NHWC", quantile=0.25, indices=True, dilation=2),
        PoolSpec("median", window=3, stride=1, padding="same", layout="NHWC", quantile=0.25, indices=True, dilation=2),
    ),
    (pk.BlurPool(layout="NCHW"), PoolSpec("blur", window=3, stride=2, padding=1, layout="NCHW")),
    (
        pk.BlurPool(4, 1, layout="NHW", pad_mode="zeros"),
        pk.BlurPool(4, 1, ((1, 2), (1, 2)), layout="NHW", pad_mode="zeros"),
    ),
    (pk.BlurPool((2, 7), 3, layout="channels_last"), pk.BlurPool((2, 7), 3, ((0, 1), (3, 3)), layout="channels_last")),
    (
        pk.BlurPool(2, axes="T", layout="NTHWC"),
        PoolSpec("blur", window=2, stride=2, padding=((0, 1),), axes="T", layout="NTHWC"),
    ),
    (pk.BlurPool(5, 2, "same", layout="NLC"), PoolSpec("blur", window=5, stride=2, padding="same", layout="NLC")),
]


@pytest.mark.parametrize(("made", "spec"), SAME)
def test_a_constructor_makes_the_spec(made: PoolSpec, spec: PoolSpec) -> None:
    assert made == spec


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_those_of_the_spec(name: str) -> None:
    options = KINDS[KIND[name]].options if name in KIND else {}
    for parameter in inspect.signature(getattr(pk, name)).parameters.values():
        own = name == "BlurPool" and parameter.name in ("window", "stride", "padding")
        if parameter.default is not parameter.empty and not own:
            assert parameter.default == (options | PoolSpec.__dataclass_fields__)[parameter.name].default


@pytest.mark.parametrize("name", NAMES)
def test_a_constructor_is_typed(name: str) -> None:
    hints = typing.get_type_hints(getattr(pk, name))

    assert hints["return"] is PoolSpec
    assert set(hints) == {*inspect.signature(getattr(pk, name)).parameters, "return"}
