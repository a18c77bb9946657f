"""Slices of a map in the argument of its pool: each is for an axis, and goes with it to another place."""

from __future__ import annotations

import numpy as np
import pytest

from poolkit.port.python.source import port_source
from tests.helpers.ports import same_numbers

HEAD = """\
import jax.numpy as jnp
import keras
import tensorflow as tf
import torch
import torch.nn.functional as F
from flax import linen as nn
from keras import layers

def f(x):
    return """
MAP = np.random.default_rng(0).normal(size=(2, 9, 7, 5)).astype(np.float32)

CUTS = [
    ("torch", "F.max_pool2d(x[:, :, 1:, :-1], 2)", "x[:, 1:, :-1, :]"),
    ("torch", "F.max_pool2d(x[:, :, len('a'):, 1:], 2)", "x[:, len('a'):, 1:, :]"),
    ("torch", "F.avg_pool2d(F.relu(x[:, 1:4, ::2, 2:]), 2)", "x[:, ::2, 2:, 1:4]"),
    ("torch", "F.max_pool2d(F.max_pool2d(x, 1)[:, :, 1:, 1:], 2)", "[:, 1:, 1:, :]"),
    ("jax", "nn.max_pool(x[:, 1:, :-1, :], (2, 2), (2, 2))", "x[:, :, 1:, :-1]"),
    ("jax", "nn.avg_pool(x[:, :, 1:, :3], (3, 2))", "x[:, :3, :, 1:]"),
    ("tensorflow", "tf.nn.max_pool2d(x[:, 1:, 1:, :], 2, 2, 'VALID')", "x[:, :, 1:, 1:]"),
    ("tensorflow", "tf.reduce_mean(x[:, 1:4, ::2, :], [1, 2])", "x[:, :, 1:4, ::2]"),
    ("jax", "jnp.max(x[:, 1:, :, :2], axis=(1, 2))", "x[:, :2, 1:, :]"),
    ("keras", "layers.MaxPooling2D(2)(layers.MaxPooling2D(1)(x)[:, 1:])", "[:, :, 1:, :]"),
    ("keras", "layers.MaxPooling2D(2)(layers.MaxPooling2D(1)(x)[..., 2:, 1:])", "[:, 1:, :, 2:]"),
]


@pytest.mark.parametrize(("of", "call", "cut"), CUTS)
def test_slices_go_with_their_axes(of: str, call: str, cut: str) -> None:
    source = f"{HEAD}{call}\n"
    to = "jax" if of == "torch" else "torch"
    found = port_source(source, to)
    assert cut in found.text
    assert found.complete
    assert [row.status for row in found.rows if "slices stand at these" in row.note] == ["exact"]
    text = source.replace("F.relu(", "torch.relu(") if "relu" in call else source
    if "relu" not in call:
        same_numbers(text, of=of, to=to, x=MAP)


@pytest.mark.parametrize(
    "call",
    [
        "F.max_pool2d(x[:, :, 1:], 2)",  # of a map with a batch, or without
        "F.max_pool2d(x[:, :, 0], 2)",
        "F.max_pool2d(x[:, :, 1:, :, None], 2)",
        "F.max_pool2d(x[:, :, x.shape[2] // 2:, 1:], 2)",
        "F.max_pool2d(x[:, :, 1:, :][:, 1], 2)",
        "nn.max_pool(x[:, 1:], (2, 2))",
        "F.max_pool2d(x.unsqueeze(1), 2)",
    ],
)
def test_other_indices_are_refused(call: str) -> None:
    to = "torch" if call.startswith("nn") else "keras"
    found = port_source(f"{HEAD.replace('(x)', '(x, n)')}{call}\n", to).rows
    assert [row.status for row in found] == ["failed"]
    assert "goes by the order of the axes" in found[0].note


@pytest.mark.parametrize("call", ["F.max_pool2d(x[0].unsqueeze(0), 2)", "F.max_pool2d(torch.unsqueeze(x[0], 0), 3, 2)"])
def test_a_batch_that_is_added_in_front_stays_there(call: str) -> None:
    source = f"{HEAD}{call}\n"
    assert port_source(source, "keras").complete
