"""A spec as text, as a dictionary and as its own repr, and back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given

from poolkit import GlobalAvgPool, MaxPool, PoolSpec, SpecError
from tests.helpers.specs import specs


@given(specs())
def test_text_reads_back(spec: PoolSpec) -> None:
    assert PoolSpec.parse(str(spec)) == spec
    assert str(PoolSpec.parse(str(spec))) == str(spec)


@given(specs())
def test_repr_evaluates_to_the_spec(spec: PoolSpec) -> None:
    assert eval(repr(spec)) == spec


@given(specs())
def test_dictionary_reads_back_through_json(spec: PoolSpec) -> None:
    assert PoolSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@given(specs())
def test_replacing_nothing_changes_nothing(spec: PoolSpec) -> None:
    assert spec.replace() == spec
    assert spec.replace(**{name: getattr(spec, name) for name in spec.__dataclass_fields__}) == spec


CASES: list[tuple[PoolSpec, str, str]] = [
    (
        GlobalAvgPool(layout="NHWC", keepdims=True),
        "avg output_size=1 layout=NHWC keepdims=true",
        'PoolSpec("avg", output_size=1, layout="NHWC")',
    ),
    (
        GlobalAvgPool(layout="channels_last", keepdims=False),
        "avg output_size=1 layout=channels_last keepdims=false",
        'PoolSpec("avg", output_size=1, layout="channels_last", keepdims=False)',
    ),
    (
        MaxPool(3, 2, "same", layout="NCHW"),
        "max window=3 stride=2 padding=same layout=NCHW",
        'PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW")',
    ),
    (
        MaxPool((3, 5), (3, 5), ((1, 2), (0, 0)), layout="NTHWC", axes="HW", dilation=2, indices=True),
        "max window=3,5 padding=1:2,0:0 dilation=2 layout=NTHWC axes=HW indices=true",
        'PoolSpec("max", window=(3, 5), padding=((1, 2), (0, 0)), dilation=2, layout="NTHWC", axes="HW", indices=True)',
    ),
    (
        MaxPool(2, 2, (1, 2), layout="NCHW"),
        "max window=2 padding=1,2 layout=NCHW",
        'PoolSpec("max", window=2, padding=(1, 2), layout="NCHW")',
    ),
    (
        MaxPool(2, padding=((1, 2),), layout="NCL"),
        "max window=2 padding=1:2 layout=NCL",
        'PoolSpec("max", window=2, padding=((1, 2),), layout="NCL")',
    ),
    (
        MaxPool((2,), layout="channels_first"),
        "max window=2, layout=channels_first",
        'PoolSpec("max", window=(2,), layout="channels_first")',
    ),
    (
        PoolSpec("max", output_size=(None, None), layout="...HWC"),
        "max output_size=none,none layout=...HWC",
        'PoolSpec("max", output_size=(None, None), layout="...HWC")',
    ),
    (
        PoolSpec("softmax", window=2, layout="NCHW", beta=0.5, grad="semi"),
        "softmax window=2 layout=NCHW beta=0.5 grad=semi",
        'PoolSpec("softmax", window=2, layout="NCHW", beta=0.5, grad="semi")',
    ),
    (
        PoolSpec("lp", window=2, layout="NCHW", p=float("inf")),
        "lp window=2 layout=NCHW p=inf",
        'PoolSpec("lp", window=2, layout="NCHW", p=float("inf"))',
    ),
    (
        PoolSpec("avg", window=2, layout="NCHW", divisor_override=3.0),
        "avg window=2 layout=NCHW divisor_override=3",
        'PoolSpec("avg", window=2, layout="NCHW", divisor_override=3)',
    ),
    (
        PoolSpec("max", window=2, layout="INF"),  # letters that also spell a number
        "max window=2 layout=INF",
        'PoolSpec("max", window=2, layout="INF")',
    ),
]


@pytest.mark.parametrize(("spec", "text", "code"), CASES)
def test_what_is_written(spec: PoolSpec, text: str, code: str) -> None:
    assert str(spec) == text
    assert repr(spec) == code


def test_words_of_a_text_stand_in_any_order() -> None:
    shuffled = PoolSpec.parse("  max   layout=NCHW padding=same\tstride=2 window=3 ")

    assert shuffled == MaxPool(3, 2, "same", layout="NCHW")


@pytest.mark.parametrize(
    ("spec", "data"),
    [
        (GlobalAvgPool(layout="NHWC", keepdims=True), {"output_size": 1, "layout": "NHWC"}),
        (
            PoolSpec("avg", window=(2, 3), padding=((0, 1), (1, 1)), layout="NCHW"),
            {"window": [2, 3], "padding": [[0, 1], [1, 1]], "layout": "NCHW"},
        ),
    ],
)
def test_a_dictionary_leaves_defaults_out(spec: PoolSpec, data: dict[str, Any]) -> None:
    assert spec.to_dict() == {"version": 1, "kind": "avg", **data}


def test_an_infinite_option_goes_through_json() -> None:
    spec = PoolSpec("lp", window=2, layout="NCHW", p=math.inf)

    written = json.dumps(spec.to_dict(), allow_nan=False)

    assert PoolSpec.from_dict(json.loads(written)) == spec


def test_a_dictionary_may_name_defaults() -> None:
    fields = {"version": 1, "kind": "avg", "layout": "NHWC", "output_size": 1, "window": None, "keepdims": True}

    assert PoolSpec.from_dict(fields) == GlobalAvgPool(layout="NHWC", keepdims=True)


@pytest.mark.parametrize(("text", "hint"), [("relu", "give one of these"), ("MaxPool2d stride=2", 'write "max"')])
def test_a_word_that_is_no_kind_is_told_before_what_else_is_missing(text: str, hint: str) -> None:
    with pytest.raises(SpecError, match=f"the kinds of pooling are .*{hint}"):
        PoolSpec.parse(text)
