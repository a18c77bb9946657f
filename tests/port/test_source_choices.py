"""Pools that the program chooses among when it runs: both cases are written."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row, same_numbers

HEAD = "import keras\nfrom keras import layers\n"
PADDED = "return layers.MaxPooling2D(3, 2, padding=p)(x)"
KEPT = "return layers.GlobalAveragePooling2D(keepdims=not p)(x)"
CLASS = "Pool = layers.MaxPooling2D if p == 'max' else layers.AveragePooling2D\n    return Pool((3, 2))(x)"
CHOICE = "Pool = layers.MaxPooling2D if p else layers.AveragePooling2D"
WHOLE = "s = x.shape[1:3]\n    Pool = layers.MaxPool2D if p else layers.AveragePooling2D\n    return Pool(s)(x)"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        *((PADDED, value) for value in ("same", "valid", "SAME")),
        *((KEPT, value) for value in (True, False)),
        *((CLASS, value) for value in ("max", "avg")),
        *((WHOLE.replace("(s)", "((s[0] // 2, s[1]))"), value) for value in (True, False)),
        *((WHOLE, value) for value in (True, False)),
        ("y = layers.AveragePooling2D(2, padding='same' if p else 'valid', name='a')(x)\n    return y + 1", True),
        ("y = layers.AveragePooling2D(3, padding='same' if p else 'valid', name='a')(x)\n    return y + 1", False),
    ],
)
def test_the_numbers_of_each_case(body: str, value: object) -> None:
    same_numbers(f"{HEAD}def f(x, p):\n    {body}\n", value)


def test_a_choice_inside_a_function_of_its_own() -> None:
    body = f"{CHOICE}\n    def g(y):\n        return Pool(2)(y)\n    return g(x)"
    for value in (True, False):
        same_numbers(f"{HEAD}def f(x, p):\n    {body}\n", value)


def test_what_is_written_and_told() -> None:
    found = row(f"{HEAD}def f(x, p):\n    {PADDED}\n")

    assert found.after == (
        '(pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW")(x) if p.lower() == "same" '
        "else torch.nn.MaxPool2d(3, 2)(x))"
    )
    assert "padding=p is only known when the program runs, and each case is written" in found.note


OTHERS = {
    "the condition changes": f"{CHOICE}\n    p = 1\n    y = Pool(2)(x)",
    "a condition that does something": f"{CHOICE.replace(' p ', ' p() ')}\n    y = Pool(2)(x)",
    "one that is no pool": "Pool = layers.MaxPooling2D if p else layers.Dense\n    y = Pool(2)(x)",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_choice_that_is_not_sure_stays(kind: str) -> None:
    after = ported(f"{HEAD}def f(x, p):\n    {OTHERS[kind]}\n")

    assert "y = Pool(2)(x)" in after.text
    assert not after.complete
    assert any("not called" in one.note for one in after.rows)


def test_an_argument_that_goes_by_the_order_is_still_seen() -> None:
    found = row(f"{HEAD}def f(x, p):\n    return layers.MaxPooling2D(2, padding=p)(x[:, 1:])\n")

    assert found.status == "failed"
    assert "goes by the order of the axes" in found.note
