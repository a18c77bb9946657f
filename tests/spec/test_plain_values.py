"""What is declared is kept as plain Python: no subclass's own methods write what is run, or what is printed."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.programs.recorder import render

EVIL = '"""\nraise SystemExit("run")\n"""'


class Text(str):
    """A word that says something else where it is written."""

    __slots__ = ()

    def __str__(self) -> str:
        return EVIL

    def __repr__(self) -> str:
        return EVIL

    def __format__(self, form: str) -> str:
        return EVIL

    def __iter__(self) -> Iterator[str]:
        return iter(EVIL)

    def removeprefix(self, prefix: str, /) -> str:
        return EVIL


class Number(int):
    def __repr__(self) -> str:
        return EVIL

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return EVIL

    def __int__(self) -> int:
        return 7


class Real(float):
    def __repr__(self) -> str:
        return EVIL

    __str__ = __repr__

    def __float__(self) -> float:
        return 7.0


class Several(tuple[Any, ...]):
    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return iter([EVIL] * len(self))

    def __repr__(self) -> str:
        return EVIL


class Layout(enum.StrEnum):
    LAST = "NHWC"


# How it is declared, and how with plain values.
PAIRS: list[tuple[Any, Any]] = [
    (
        lambda: pk.PoolSpec(Text("max"), window=2, layout=Text("NHWC")),
        lambda: pk.PoolSpec("max", window=2, layout="NHWC"),
    ),
    (
        lambda: pk.MaxPool(Number(2), Number(1), Text("same"), layout="NHWC", axes=Text("HW")),
        lambda: pk.MaxPool(2, 1, "same", layout="NHWC"),
    ),
    (
        lambda: pk.MaxPool(Several((3, Number(2))), 1, Several((Several((1, 0)), Number(0))), layout="NHWC"),
        lambda: pk.MaxPool((3, 2), 1, ((1, 0), (0, 0)), layout="NHWC"),
    ),
    (
        lambda: pk.AvgPool(2, layout="NHWC", divisor_override=Real(3.5)),
        lambda: pk.AvgPool(2, layout="NHWC", divisor_override=3.5),
    ),
    (
        lambda: pk.PoolSpec("softmax", window=2, layout="NHWC", beta=Real(2.0), grad=Text("semi")),
        lambda: pk.PoolSpec("softmax", window=2, layout="NHWC", beta=2.0, grad="semi"),
    ),
    (
        lambda: pk.PoolSpec("softmax", window=2, layout="NHWC", options={Text("beta"): 2.0}),
        lambda: pk.PoolSpec("softmax", window=2, layout="NHWC", beta=2.0),
    ),
    (
        lambda: pk.read({"class_name": Text("MaxPooling2D"), "config": {"padding": Text("same")}}),
        lambda: pk.MaxPool(2, padding="same", layout="NHWC"),
    ),
    (
        lambda: pk.AdaptiveAvgPool(Several((Number(2), None)), layout=Layout.LAST),
        lambda: pk.AdaptiveAvgPool((2, None), layout="NHWC"),
    ),
    (
        lambda: pk.Mix([pk.MaxPool(2, layout=Layout.LAST)] * 2, how=Text("add"), coefficients=(Real(0.5), 2)),
        lambda: pk.Mix([pk.MaxPool(2, layout="NHWC")] * 2, how="add", coefficients=(0.5, 2)),
    ),
    (
        lambda: pk.PoolSpec("max", window=np.int64(2), layout=np.str_("NHWC")),
        lambda: pk.PoolSpec("max", window=2, layout="NHWC"),
    ),
]


@pytest.mark.parametrize(("given", "meant"), PAIRS)
def test_a_subclass_is_kept_as_the_plain_value(given: Any, meant: Any) -> None:
    shape = (Number(1), Number(8), Number(9), Number(3))
    found, plain = given(), meant()

    assert found == plain
    assert (repr(found), str(found), found.to_dict()) == (repr(plain), str(plain), plain.to_dict())
    for backend in ("numpy", "torch"):
        source = pk.lower(found, backend, shape, dtype=Text("float32")).source
        assert source == pk.lower(plain, backend, (1, 8, 9, 3)).source
        any_size = pk.lower(found, backend, dtype=Text("float32")).source
        assert any_size == pk.lower(plain, backend).source


def test_a_list_that_holds_itself_is_a_spec_error() -> None:
    endless: list[Any] = [1]
    endless.append(endless)

    with pytest.raises(pk.SpecError):
        pk.PoolSpec("max", window=endless, layout="NCHW")


@pytest.mark.parametrize("text", ['"', "\\", 'a" + exit() + "', "two\nlines", "\x1b]0;title\x07", "\u202e"])
def test_a_word_in_a_program_is_one_string_of_python(text: str) -> None:
    import ast

    written = render(Text(text))

    assert ast.literal_eval(written) == text
    assert written.isprintable()


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\u202e", "\ud800"])
def test_what_is_received_reaches_no_terminal_as_it_is(text: str) -> None:
    """By whichever words a message is made."""
    attempts: list[Any] = [
        lambda: pk.PoolSpec.parse(f"max window=2 layout={text}NCL"),
        lambda: pk.PoolSpec.parse(f"max {text}=2"),
        lambda: pk.PoolSpec("max", window=2, layout="NCL", **{text: 1}),
        lambda: pk.PoolSpec("max", window=2, layout="NCL", padding=text),
        lambda: pk.MaxPool(2, layout=f"NCL{text}"),
        lambda: pk.PoolSpec.from_dict({"version": 1, "kind": "max", f"a{text}": 2}),
        lambda: pk.read(f"nn.MaxPool2d({text}2)"),
        lambda: pk.diff(f"max window=2 layout={text}", "max"),
    ]
    for attempt in attempts:
        with pytest.raises(pk.PoolkitError) as caught:
            attempt()
        assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("make", "kept"),
    [
        (lambda zero: pk.Segment("max", 2, empty_value=zero), lambda spec: spec.empty_value),
        (lambda zero: pk.PoolSpec("softmax", window=2, layout="NCL", beta=zero), lambda spec: spec.beta),
        (lambda zero: pk.PoolSpec("median", window=2, layout="NCL", quantile=zero), lambda spec: spec.quantile),
        (
            lambda zero: pk.Mix((pk.AvgPool(2, layout="NCL"),) * 2, how="add", coefficients=(zero, 1.0)),
            lambda spec: spec.coefficients[0],
        ),
    ],
)
def test_zeros_of_either_sign_are_one_spec_and_one_program(make: Any, kept: Any) -> None:
    """They are equal, so that of two specs the program of the first would serve the second."""
    assert make(-0.0) == make(0.0)
    assert str(kept(make(-0.0))) == str(kept(make(0.0))) == "0.0"


def test_empty_segments_are_as_good_as_asked_for_whatever_was_asked_before() -> None:
    rows, ids = np.ones((2, 1), "float32"), np.zeros(2, "int32")
    found = [pk.segment(rows, ids, 2, kind="max", empty_value=zero)[1, 0] for zero in (0.0, -0.0, 0.0)]

    assert not np.signbit(found).any()
