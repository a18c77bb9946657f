"""Pools inside an expression that makes another pool of them: negated, turned and divided."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from flax import linen
from jax import lax
from torch import nn
from torch.nn import functional

import poolkit as pk
from poolkit import AvgPool, MaxPool, PoolSpec

ADD = "lax.reduce_window(x, 0., lax.add, (1, 2, 2, 1), (1, 2, 2, 1), 'VALID')"
PADDED = "lax.reduce_window(x, 0., lax.add, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))"
TO_FIRST, TO_LAST = "[0, 3, 1, 2]", "[0, 2, 3, 1]"

READ = [
    ("-torch.max_pool2d(-x, 3)", PoolSpec("min", window=3, layout="NCHW")),
    ("-F.max_pool2d(-x, 3, 2, 1)", PoolSpec("min", window=3, stride=2, padding=1, layout="NCHW")),
    ("-F.max_pool2d(input=-x, kernel_size=2)", PoolSpec("min", window=2, layout="NCHW")),
    ("-nn.MaxPool2d(3)(-x)", PoolSpec("min", window=3, layout="NCHW")),
    ("-torch.amax(-x, (2, 3), keepdim=True)", PoolSpec("min", output_size=1, layout="NCHW")),
    ("-(-x).amax((2, 3))", PoolSpec("min", output_size=1, layout="NCHW", keepdims=False)),
    ("-F.avg_pool2d(-x, 2)", AvgPool(2, layout="NCHW")),
    ("-keras.ops.max_pool(-x, 2)", PoolSpec("min", window=2, layout="channels_last")),
    ("-tf.nn.max_pool2d(-x, 2, 2, 'SAME')", PoolSpec("min", window=2, padding="same", layout="NHWC")),
    ("-linen.max_pool(-x, (2, 2))", PoolSpec("min", window=2, stride=1, layout="NHWC")),
    ("F.avg_pool2d(x.permute(0, 3, 1, 2), (2, 3)).permute(0, 2, 3, 1)", AvgPool((2, 3), layout="NHWC")),
    ("torch.permute(F.max_pool2d(torch.permute(x, (0, -1, 1, 2)), 2), (0, 2, 3, 1))", MaxPool(2, layout="NHWC")),
    ("F.avg_pool1d(x.transpose(1, 2), 2).transpose(2, 1)", AvgPool(2, layout="NLC")),
    ("nn.MaxPool1d(2)(x.transpose(1, 2)).transpose(1, 2)", MaxPool(2, layout="NLC")),
    (
        f"tf.transpose(tf.nn.avg_pool2d(tf.transpose(x, {TO_LAST}), 2, 2, 'SAME'), perm={TO_FIRST})",
        AvgPool(2, padding="same", layout="NCHW"),
    ),
    (
        "jnp.transpose(linen.max_pool(jnp.transpose(x, (0, 2, 3, 1)), (2, 2)), axes=(0, 3, 1, 2))",
        MaxPool(2, 1, layout="NCHW"),
    ),
    ("-F.max_pool2d(-x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)", PoolSpec("min", window=2, layout="NHWC")),
    (f"{ADD} / 4", AvgPool(2, layout="NHWC")),
    (f"{ADD.replace('VALID', 'SAME')} / 4.0", AvgPool(2, padding="same", layout="NHWC", count_include_pad=True)),
    (f"{PADDED} / 9", AvgPool(3, 2, 1, layout="NHWC", count_include_pad=True)),
    ("linen.pool(x, 0., lax.add, (2, 2), (2, 2), 'VALID') / 4", AvgPool(2, layout="NHWC")),
]


@pytest.mark.parametrize(("source", "spec"), READ, ids=[source for source, _ in READ])
def test_it_is_read_and_has_the_numbers(source: str, spec: PoolSpec) -> None:
    assert pk.read(source) == spec
    rank = 3 if spec.layout == "NLC" else 4
    x = np.random.default_rng(0).standard_normal((2, 7, 6, 5)[:rank]).astype("float32")
    names: dict[str, Any] = {"F": functional, "nn": nn, "torch": torch, "tf": tf, "keras": keras}
    names |= {"jnp": jnp, "linen": linen, "lax": lax}
    ours = torch.from_numpy(x) if any(one in source for one in ("torch", "F.", "nn.M", "amax")) else x
    theirs = np.asarray(eval(source, names, {"x": ours}))  # the framework's own numbers; poolkit evaluates nothing
    np.testing.assert_allclose(pk.pool(x, spec), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("-F.max_pool2d(x, 2)", "its result is negated and its input is not"),
        ("-nn.MaxPool2d(2)", "its result is negated and its input is not"),
        ("-pk.MaxPool(2)", "its result is negated and its input is not"),
        ("F.max_pool2d(-x, 2).permute(0, 2, 3, 1)", "its input is negated and its result is not"),
        ("F.max_pool2d(-x, 2)", "its input is computed by -x"),
        ("-F.max_pool2d(-f(x), 2)", r"its input is computed by f\(x\)"),
        ("-nn.MaxPool2d(2)(-x, mask)", "called with a mask"),
        ("-F.lp_pool2d(-x, 2, 2)", "lp of negated numbers, negated"),
        ("-F.max_pool2d(-x, 2, return_indices=True)", "positions of negated numbers, negated"),
        ("F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 3, 1, 2)", "do not undo each other"),
        ("F.max_pool2d(x, 2).permute(0, 2, 3, 1)", "do not undo each other"),
        ("x.amax((2, 3), keepdim=False).permute(0, 1, 2, 3)", "do not undo each other"),
        ("F.max_pool2d(x.permute(0, 3, 2, 1), 2).permute(0, 3, 2, 1)", "its turns swap spatial axes"),
        ("F.max_pool2d(x.permute(0, 2, 1), 2).permute(0, 2, 1)", r"\(0, 2, 1\) is no order of 4 axes"),
        ("F.max_pool2d(x.permute(0, 3, 1, 9), 2).permute(0, 2, 3, 1)", r"\(0, 3, 1, 9\) is no order of 4 axes"),
        ("keras.ops.transpose(keras.ops.max_pool(x, 2), (0, 3, 1, 2))", "channels_last leaves open how many axes"),
        (f"{ADD} / 5", r"5 is not the number of cells of a window \(2, 2\); .*divisor_override=5"),
        (f"{ADD} / n", "what it is divided by, n, is not known here"),
        (f"{ADD} / True", "what it is divided by, True, is not known here"),
        ("jnp.sum(x, (1, 2)) / 4", "sums over windows alone"),
        ("F.max_pool2d(x, 2) / 4", "sums over windows alone"),
        ("F.max_pool2d(x / 2, 2) / 2", "its input is divided"),
    ],
)
def test_what_is_no_pool_is_refused(source: str, text: str) -> None:
    with pytest.raises(pk.NotExactError, match=text):
        pk.read(source)


@pytest.mark.parametrize("source", [f"{ADD} * 4", f"{ADD} // 4", f"4 / {ADD}", "+F.max_pool2d(x, 2)", f"{ADD} / 2 / 2"])
def test_other_arithmetic_is_no_call(source: str) -> None:
    with pytest.raises(pk.InputError, match="a line of source is a call"):
        pk.read(source)


@pytest.mark.parametrize("around", ["-" * 5000, "-" * 500, "(" * 80])
def test_much_around_ends_in_an_error(around: str) -> None:
    with pytest.raises(pk.PoolkitError):
        pk.read(f"{around}F.max_pool2d({around}x, 3, wrong=1)")


def test_a_layout_is_that_of_what_is_turned() -> None:
    pool = "keras.ops.max_pool(keras.ops.transpose(x, (0, 2, 3, 1)), 2)"
    assert pk.read(f"keras.ops.transpose({pool}, (0, 3, 1, 2))", "NCHW") == MaxPool(2, layout="NCHW")
    with pytest.raises(pk.NotExactError, match="it takes its channels last"):
        pk.read(f"keras.ops.transpose({pool}, (0, 3, 1, 2))", "NHWC")


def test_what_is_read_is_written_and_read_again() -> None:
    for source in ("-linen.max_pool(-x, (2, 2), (2, 2))", f"{ADD} / 4", f"{PADDED} / 9"):
        spec = pk.read(source)
        assert pk.read(pk.native(spec, "jax")) == spec
