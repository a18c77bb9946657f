"""The place at which functions take axes, held against the frameworks' own signatures."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from keras.src.legacy import backend

from poolkit.dialects import table

HOLDERS: dict[str, tuple[Any, ...]] = {
    "torch": (torch, torch.Tensor, torch.nn.functional, torch.linalg, torch.nn),
    "tensorflow": (tf, tf.math, tf.nn, tf.compat.v1, tf.linalg),
    "keras": (keras.ops, backend, keras.layers),
    "jax": (jax.numpy, jax.nn, jax.lax, jax.numpy.linalg, jax.scipy.special),
    "numpy": (np, np.linalg),
}
AXES = ("dim", "dims", "axis", "axes", "dimension")
WORDS = [
    (d.name, at, word) for d in table.dialects() for at, words in d.usage.axes.items() for word in words.split(" ")
]
NAME = re.compile(r"\w+")


def parameters(found: Any) -> list[str]:
    """The names of what a function takes, behind the tensor or `self`."""
    try:
        taken = [*inspect.signature(found).parameters]
    except ValueError:  # of PyTorch's own, whose documentation begins with it
        head = re.search(r"\(([^)]*)\)", inspect.getdoc(found) or "")
        taken = [NAME.findall(one)[0] for one in head[1].split(",") if NAME.search(one)] if head else []
    return taken


def signatures(name: str, word: str) -> Iterator[list[str]]:
    for holder in HOLDERS[name]:
        if hasattr(holder, word):
            taken = parameters(getattr(holder, word))
            method = holder is torch.Tensor and taken[:1] != ["input"]
            yield ["self", *taken] if method else taken


@pytest.mark.parametrize(("name", "at", "word"), WORDS)
def test_axes_are_at_the_place_that_the_table_says(name: str, at: int, word: str) -> None:
    found = list(signatures(name, word))
    assert any(taken[at : at + 1] and taken[at] in AXES for taken in found), found


UNSAID = [
    (name, *axis) for d in table.dialects() for axis, words in d.usage.unsaid_axes.items() for name in words.split(" ")
]
MAP = np.random.default_rng(0).normal(size=(2, 4, 6, 8)).astype(np.float32)
MORE = {"topk": (2,), "kthvalue": (2,), "cosine_similarity": (torch.from_numpy(MAP[::-1].copy()),)}


def called(name: str, **axis: int) -> list[np.ndarray]:
    """What a function or a layer makes of a map."""
    root, *_, last = name.split(".")
    holder = pydoc.locate(name.rpartition(".")[0].replace("keras.backend", "keras.src.legacy.backend"))
    tensor: Any = {"torch": torch.from_numpy, "jax": jax.numpy.asarray, "flax": jax.numpy.asarray}.get(
        root, tf.constant
    )(MAP)
    given = (
        (tensor, torch.from_numpy(MAP[::-1].copy())) if last == "CosineSimilarity" else (tensor, *MORE.get(last, ()))
    )
    given = ([tensor, tensor],) if last.lower() == "concatenate" else given
    function = getattr(holder, last)
    made: Any = function(**axis)(*given) if last[0].isupper() else function(*given, **axis)
    several: list[Any] = [*made] if isinstance(made, tuple) else [made]
    return [np.asarray(one) for one in several]


@pytest.mark.parametrize(("name", "word", "at"), UNSAID)
def test_an_axis_that_is_not_said_is_the_one_of_the_table(name: str, word: str, at: int) -> None:
    for got, expected in zip(called(name), called(name, **{word: at}), strict=True):
        np.testing.assert_array_equal(got, expected)
    assert any(
        not np.array_equal(got, other) for got, other in zip(called(name), called(name, **{word: 2}), strict=True)
    )
