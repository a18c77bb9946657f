"""Sums that are divided by sizes: the row of the sum names the positions that stand beside it."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported

HEAD = "import tensorflow as tf\nimport torch\n"
BESIDE = {
    "at once": ("return tf.reduce_sum(x, [1, 2]) / (x.shape[1] * x.shape[2])", "x.shape[1] and x.shape[2]"),
    "by a function": ("return tf.reduce_sum(x, [1, 2]) / tf.cast(tf.shape(x)[2], x.dtype)", "tf.shape(x)[2]"),
    "by names": ("h = x.shape[1]\n    return tf.reduce_sum(x, [1, 2]) / h", "x.shape[1]"),
    "of several": ("h, w = x.shape[1:3]\n    return tf.reduce_sum(x, [1, 2]) / (h * w)", "x.shape[1:3]"),
    "a line later": ("s = tf.reduce_sum(x, [1, 2])\n    return s / x.shape[1]", "x.shape[1]"),
    "a product": ("return (1 / x.shape[1]) * tf.reduce_sum(x, [1, 2])", "x.shape[1]"),
}


@pytest.mark.parametrize("case", BESIDE)
def test_a_divisor_of_sizes_is_named(case: str) -> None:
    body, sizes = BESIDE[case]
    found = ported(f"{HEAD}def f(x):\n    {body}\n").rows[0]
    assert found.status == "caveat"
    assert f"counts the axes of the original, {sizes}; write it anew" in found.note
    assert ported(f"{HEAD}def f(x):\n    {body}\n", "keras").rows[0].status == "exact"


def test_sizes_of_torch() -> None:
    found = ported("import torch\ny = x.sum((2, 3)) / (x.size(2) * x.size(3))\n", "keras").rows[0]
    assert found.status == "caveat"
    assert "x.size(2) and x.size(3)" in found.note


@pytest.mark.parametrize("by", ["49.0", "x.shape[0]", "n", "tf.size(x)"])
def test_other_divisors_are_not(by: str) -> None:
    found = ported(f"{HEAD}def f(x, n):\n    return tf.reduce_sum(x, [1, 2]) / {by}\n").rows[0]
    assert found.status == "exact"
