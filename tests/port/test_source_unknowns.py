"""Arguments behind names: values that are known after all, and values that mean another thing in another framework."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.ports import ported, row, same_numbers

TORCH = "import torch\nimport torch.nn.functional as F\n"
TF = "import tensorflow as tf\n"
LAST = ("jax", "tensorflow", "keras")


@pytest.mark.parametrize("to", LAST)
@pytest.mark.parametrize("stride", [None, 1, 2])
def test_a_stride_that_may_be_none(to: str, stride: int | None) -> None:
    source = f"{TORCH}def f(x, k=3, stride=None):\n    return F.max_pool2d(x, (k, k), stride)\n"
    same_numbers(source, 3, stride, of="torch", to=to)


@pytest.mark.parametrize("strides", [None, (1, 1), (2, 2)])
def test_strides_of_flax_that_are_none_are_one(strides: Any) -> None:
    source = "import flax.linen as nn\ndef f(x, strides=None):\n    return nn.max_pool(x, (2, 2), strides)\n"
    same_numbers(source, strides, of="jax")


def test_a_stride_that_is_a_number_is_carried_over() -> None:
    source = f"{TORCH}def f(x, s=2):\n    return F.max_pool2d(x, 3, s)\n"
    assert "PoolSpec" not in ported(source, "tensorflow").text
    source = "import flax.linen as nn\ndef f(x, s: int):\n    return nn.max_pool(x, (3, 3), (s, s))\n"
    assert row(source).after == "torch.nn.functional.max_pool2d(x, 3, s)"


@pytest.mark.parametrize("to", LAST)
@pytest.mark.parametrize("bins", [(3, None), 2])
def test_bins_that_may_be_none(to: str, bins: Any) -> None:
    source = f"{TORCH}def f(x, s=(3, None)):\n    return F.adaptive_avg_pool2d(x, s)\n"
    same_numbers(source, bins, of="torch", to=to)


# ------------------------------------------------------------------------------------------- sizes of TensorFlow


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    k = [1, 2, 2, 1]\n    return tf.nn.max_pool(x, k, k, 'VALID')\n",
        "k = [1, 2, 2, 1]\ndef f(x):\n    return tf.nn.max_pool(x, ksize=k, strides=k, padding='VALID')\n",
        "def f(x):\n    k = 2\n    return tf.nn.max_pool2d(x, k, k, 'VALID')\n",
    ],
)
def test_sizes_that_a_name_surely_has(source: str) -> None:
    after = row(TF + source).after
    assert after in ("torch.nn.functional.max_pool2d(x, 2)", "torch.nn.functional.max_pool2d(x, k)")


@pytest.mark.parametrize("head", ["def f(x, k=[1, 2, 2, 1]):", "def f(x, k):", "def f(x, k=None):"])
def test_sizes_that_may_be_lists_are_read_when_it_runs(head: str) -> None:
    found = row(f"{TF}{head}\n    return tf.nn.max_pool(x, k, k, 'VALID')\n")
    assert (found.status, found.after) == (
        "exact",
        'pk.stand_in("tensorflow.nn.max_pool", "torch")(x, k, k, \'VALID\')',
    )


@pytest.mark.parametrize("head", ["def f(x, k=2):", "def f(x, k: int):"])
def test_sizes_that_are_numbers_are_carried_over(head: str) -> None:
    assert row(f"{TF}{head}\n    return tf.nn.max_pool2d(x, k, k, 'VALID')\n").after.endswith("max_pool2d(x, k)")


# ------------------------------------------------------------------------------------------------ computed axes


@pytest.mark.parametrize(
    ("head", "axes"),
    [
        ("def f(x, first):\n    axis = [2, 3] if first else [1, 3]", "axis"),
        ("def f(x, first):", "[3] if first else [1, 2]"),
        ("def f(x, first):\n    axis = [1, 2]\n    if first:\n        axis = 3", "axis"),
    ],
)
def test_axes_that_may_be_others_fail(head: str, axes: str) -> None:
    assert row(f"{TF}{head}\n    return tf.reduce_mean(x, axis={axes}, keepdims=True)\n").status == "failed"


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("tf.reduce_mean(x, [h, w], keepdims=True)", "failed"),
        ("tf.reduce_max(x, (h, w))", "failed"),
        ("tf.reduce_mean(x, [3, w])", "left"),
        ("tf.reduce_mean(x, [h])", "left"),
    ],
)
def test_of_axes_that_are_unpacked_nothing_is_said_but_that_they_are_unknown(call: str, status: str) -> None:
    found = row(f"{TF}def f(x, first):\n    h, w = [2, 3] if first else [1, 2]\n    return {call}\n")

    assert found.status == status
    assert "only known when the program runs" in found.note


def test_axes_of_a_local_name_are_known() -> None:
    source = f"{TF}def f(x):\n    axis = [1, 2]\n    return tf.reduce_mean(x, axis, keepdims=True)\n"
    assert row(source).after == "torch.nn.functional.adaptive_avg_pool2d(x, 1)"
    assert row(source.replace("[1, 2]", "[3]")).status == "left"


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("import tensorflow as tf", "tf.reduce_mean(x, axis, keepdims=True)"),
        ("import jax.numpy as jnp", "x - jnp.mean(x, axis=axis, keepdims=True)"),
        ("import jax.numpy as jnp", "x - x.mean(axis, keepdims=True)"),
        ("import numpy as np\nimport keras", "x - keras.ops.max(x, axis=axis)"),
        ("import torch", "x - torch.mean(x, dim=axis, keepdim=True)"),
    ],
)
@pytest.mark.parametrize("given", ["axis", "axis=-1", "axis=None", "axis=(1, 2)"])
def test_axes_that_only_the_program_knows_are_left(head: str, call: str, given: str) -> None:
    source = f"{head}\ndef f(x, {given}):\n    return {call}\n"
    for to in ("keras", "torch"):
        after = ported(source, to)
        assert after.text == source
        assert [found.note for found in after.rows if "exact" not in found.status][:1] in (
            [],
            [
                "its axes axis are only known when the program runs, and over others than the spatial ones, as in "
                "a normalisation, it pools nothing; if it pools, write them out"
            ],
        )


@pytest.mark.parametrize("change", ["AXES.append(2)", "AXES[0] = 2", "AXES += [2]"])
def test_axes_of_a_list_that_is_changed_are_not_its_literal(change: str) -> None:
    source = f"{TF}AXES = [1]\n{change}\ndef f(x):\n    return tf.reduce_mean(x, AXES, keepdims=True)\n"
    assert "only known when the program runs" in row(source).note
    local = f"{TF}def f(x):\n    AXES = [1]\n    {change}\n    return tf.reduce_mean(x, AXES, keepdims=True)\n"
    assert "only known when the program runs" in row(local).note
