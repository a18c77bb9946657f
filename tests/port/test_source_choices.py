"""Pools that the program chooses among when it runs: both cases are written."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row, same_numbers

HEAD = "import keras\nfrom keras import layers\n"
PADDED = "return layers.MaxPooling2D(3, 2, padding=p)(x)"
KEPT = "return layers.GlobalAveragePooling2D(keepdims=not p)(x)"
CLASS = "Pool = layers.MaxPooling2D if p == 'max' else layers.AveragePooling2D\n    return Pool((3, 2))(x)"
LOWER = CLASS.replace("p == 'max'", "p.lower() == 'max'")
CHOICE = "Pool = layers.MaxPooling2D if p else layers.AveragePooling2D"
WHOLE = "s = x.shape[1:3]\n    Pool = layers.MaxPool2D if p else layers.AveragePooling2D\n    return Pool(s)(x)"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        *((PADDED, value) for value in ("same", "valid", "SAME")),
        *((KEPT, value) for value in (True, False)),
        *((CLASS, value) for value in ("max", "avg")),
        *((LOWER, value) for value in ("MAX", "avg")),
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


TF = "import tensorflow as tf\ndef f(x, p, order):\n    return "


@pytest.mark.parametrize(
    ("call", "before", "after"),
    [
        ("tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], p)", "functional.max_pool2d(x, 2)", "padding"),
        ("tf.nn.avg_pool2d(x, 2, 2, padding=p)", "functional.avg_pool2d(x, 2)", "padding"),
        ("tf.compat.v1.layers.MaxPooling2D(2, 2, p, order)(x)", "torch.nn.MaxPool2d(2)(x)", "order"),
        ("tf.keras.layers.GlobalAveragePooling2D(order, dtype=p)(x)", "torch.nn.Flatten())(x)", "order"),
    ],
)
def test_what_is_given_by_its_place(call: str, before: str, after: str) -> None:
    found = row(f"{TF}{call}\n")

    assert before in found.after
    assert f"{after} is" in found.note or f"{after}=" in found.note


OTHERS = {
    "the condition changes": f"{CHOICE}\n    p = 1\n    y = Pool(2)(x)",
    "a condition that does something": f"{CHOICE.replace(' p ', ' p() ')}\n    y = Pool(2)(x)",
    "one that is no pool": "Pool = layers.MaxPooling2D if p else layers.Dense\n    y = Pool(2)(x)",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_choice_that_is_not_sure_has_stand_ins(kind: str) -> None:
    after = ported(f"{HEAD}def f(x, p):\n    {OTHERS[kind]}\n")

    assert "y = Pool(2)(x)" in after.text
    assert 'Pool = pk.stand_in("keras.layers.MaxPooling2D", "torch") if p' in after.text
    assert [one.status for one in after.rows] == ["exact"] * (1 if "no pool" in kind else 2)


def test_an_argument_that_goes_by_the_order_is_still_seen() -> None:
    found = row(f"{HEAD}def f(x, p):\n    return layers.MaxPooling2D(2, padding=p)(x[:, 1:])\n")

    assert found.status == "failed"
    assert "goes by the order of the axes" in found.note


@pytest.mark.parametrize(
    ("head", "test", "to", "after"),
    [
        ("from torch import nn\n", "isinstance(m, nn.MaxPool2d)", "keras", "(m, keras.layers.MaxPooling2D)"),
        (
            "from torch import nn\n",
            "isinstance(m, (nn.Linear, nn.AvgPool2d))",
            "keras",
            "AveragePooling2D))",
        ),
        (
            "from keras import layers\n",
            "isinstance(m, layers.MaxPooling2D)",
            "torch",
            "(m, torch.nn.MaxPool2d)",
        ),
        ("from torch import nn\n", "type(m) is nn.MaxPool2d", "keras", "type(m) is keras.layers.MaxPooling2D"),
        ("from torch import nn\n", "type(m) in [nn.MaxPool2d, int]", "keras", "in [keras.layers.MaxPooling2D, int]"),
        ("from torch import nn\n", "isinstance(m, nn.AdaptiveAvgPool2d)", "keras", ""),
        (
            "from torch import nn\n",
            "issubclass(m, nn.MaxPool2d)",
            "keras",
            '(m, pk.stand_in("torch.nn.MaxPool2d", "keras"))',
        ),
        ("from torch import nn\n", "isinstance(m, nn.MaxPool2d)", "jax", ""),
    ],
)
def test_a_class_that_is_asked_for(head: str, test: str, to: str, after: str) -> None:
    found = ported(f"{head}y = {test}\n", to)

    assert (after or test) in found.text
    assert [one.status for one in found.rows] == ["caveat" if after else "failed"]
