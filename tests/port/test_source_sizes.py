"""Arguments that are one number or a tuple of them: a port is right for either, or says that it isn't."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.helpers.ports import function, ported, row

HEAD = """\
import equinox as eqx
import tensorflow as tf
import torch
import torch.nn.functional as F
from keras import layers
from flax import linen
from torch import nn


def f(x, k):
    return """
LINE = np.random.default_rng(0).normal(size=(2, 9, 3)).astype(np.float32)
TENSORS = {"torch": torch.from_numpy, "keras": np.asarray, "tensorflow": tf.constant, "jax": jnp.asarray}
# A window, a stride, a padding, a dilation, bins: every word for one axis that takes them as a number or as a tuple.
WORDS = {
    "torch": [
        *("F.max_pool1d(x, k)", "F.max_pool1d(x, 3, k)", "F.max_pool1d(x, 5, padding=k)", "nn.MaxPool1d(k, k)(x)"),
        *("F.max_pool1d(x, 2, 1, 0, k)", "F.max_pool1d(x, k, 1, 0, 2)", "F.max_pool1d(x, k, padding=1)"),
        *("F.avg_pool1d(x, k)", "F.avg_pool1d(x, 3, k)", "F.avg_pool1d(x, 5, padding=k)", "nn.AvgPool1d(3, k)(x)"),
        *("F.adaptive_avg_pool1d(x, k)", "F.adaptive_max_pool1d(x, k)", "nn.AdaptiveAvgPool1d(k)(x)"),
    ],
    "keras": [
        *("layers.MaxPooling1D(k)(x)", "layers.MaxPooling1D(3, k)(x)", "layers.MaxPooling1D(k, 1, 'same')(x)"),
        *("layers.AveragePooling1D(k)(x)", "layers.AveragePooling1D(k, k)(x)", "layers.AveragePooling1D(3, k)(x)"),
        *("layers.AdaptiveAveragePooling1D(k)(x)", "layers.AdaptiveMaxPooling1D(k)(x)"),
    ],
}
CASES = [(word, name, to) for name, words in WORDS.items() for word in words for to in TENSORS if to != name]


def tensor(x: np.ndarray, framework: str) -> Any:
    """A map as a framework has it; the axes are written channels last."""
    first = (0, x.ndim - 1, *range(1, x.ndim - 1))
    return TENSORS[framework](np.ascontiguousarray(x.transpose(first)) if framework == "torch" else x)


def result(found: Any, framework: str) -> np.ndarray:
    array = np.asarray(found)
    return array.transpose(0, *range(2, array.ndim), 1) if framework == "torch" else array


def check(source: str, framework: str, to: str, x: np.ndarray, k: object) -> None:
    expected = result(function(source)(tensor(x, framework), k), framework)
    after = ported(source, to)
    assert after.complete, after.rows
    np.testing.assert_allclose(result(function(after.text)(tensor(x, to), k), to), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("k", [2, (2,)])
@pytest.mark.parametrize(("word", "framework", "to"), CASES)
def test_a_size_of_one_axis(word: str, framework: str, to: str, k: object) -> None:
    check(f"{HEAD}{word}\n", framework, to, LINE, k)


@pytest.mark.parametrize("k", [1, (1, 2)])
@pytest.mark.parametrize("to", ["jax", "tensorflow", "keras"])
def test_a_padding_of_two_axes(to: str, k: object) -> None:
    x = np.random.default_rng(0).normal(size=(2, 9, 8, 3)).astype(np.float32)
    check(f"{HEAD}F.max_pool2d(x, 5, 2, k)\n", "torch", to, x, k)


@pytest.mark.parametrize("padding", [1, (1,)])
def test_sizes_of_equinox(padding: object) -> None:
    source = f"{HEAD}eqx.nn.MaxPool1d(3, 2, k)(x)\n"
    x = np.ascontiguousarray(LINE[0].T)
    got = function(ported(source, "torch").text)(torch.from_numpy(x), padding)
    np.testing.assert_array_equal(got, function(source)(jnp.asarray(x), padding))


@pytest.mark.parametrize(
    ("word", "after"),
    [
        ("F.max_pool1d(x, K)", "linen.max_pool(x, window_shape=(K,), strides=(K,))"),
        ("F.max_pool1d(x, int(k))", "linen.max_pool(x, window_shape=(int(k),), strides=(int(k),))"),
        ("F.max_pool2d(x, K, 1)", "linen.max_pool(x, window_shape=(K, K))"),
        ("F.max_pool2d(x, 5, 1, K)", "linen.max_pool(x, window_shape=(5, 5), padding=((K, K), (K, K)))"),
        ("layers.MaxPooling1D(K)(x)", "linen.max_pool(x, window_shape=(K,), strides=(K,))"),
        ("tf.nn.max_pool1d(x, [1, k, 1], [1, k, 1], 'VALID')", "linen.max_pool(x, window_shape=(k,), strides=(k,))"),
        ("F.max_pool1d(x, k, 1)", 'pk.PoolSpec("max", window=k, stride=1, layout="NLC")(x)'),
    ],
)
def test_what_is_surely_a_number_is_an_entry(word: str, after: str) -> None:
    source = HEAD.replace("(x, k)", "(x, k, K=2)")
    assert row(f"{source}{word}\n", "jax").after == after


@pytest.mark.parametrize("layout", ["channels_first", None])
def test_the_sizes_of_another_map_are_no_entry_of_a_window(layout: str | None) -> None:
    """`x.shape[2:]` is the whole map of x, whatever the rank, and a tuple for any other tensor."""
    for argument in ("x", "-x", "torch.relu(x)"):
        word = f"F.max_pool1d({argument}, x.shape[2:])"
        found = ported(f"{HEAD}{word}\n", "jax", layout=layout).rows[0]
        assert "output_size=1" in found.after, argument
    found = ported(f"{HEAD}F.max_pool1d(x[1:], x.shape[2:])\n", "jax", layout=layout).rows[0]
    assert "reduce_window" not in found.after
    assert found.status == ("exact" if layout else "caveat")
    assert ("taken for a map in the order NCL" in found.note) == (layout is None)
    if layout:
        assert found.after == 'pk.PoolSpec("max", window=x.shape[2:], layout="NCL")(x[1:])'


@pytest.mark.parametrize("to", ["tensorflow", "keras", "jax"])
@pytest.mark.parametrize("sizes", ["k.shape[2:]", "list(k.shape[2:])", "K"])
def test_a_shape_of_another_map_is_a_tuple_in_tensorflow_too(to: str, sizes: str) -> None:
    source = (
        f"import torch.nn.functional as F\ndef f(x, k):\n    K = k.shape[2:]\n    return F.avg_pool2d(x, {sizes})\n"
    )
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 9)).astype(np.float32)
    after = ported(source, to, layout="NCHW").text
    assert ("tuple(" in after) == (to != "jax" and "list" not in sizes)
    tensors = [(tf.constant if to == "keras" else TENSORS[to])(t) for t in (x, x[:, :, :3, :2])]
    got = np.asarray(function(after)(*tensors))
    np.testing.assert_allclose(got, function(source)(*map(torch.from_numpy, (x, x[:, :, :3, :2]))), rtol=1e-5)
