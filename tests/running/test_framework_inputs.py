"""What is no dense tensor of real numbers gets poolkit's message, on each framework, and no framework's traceback."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from jax.experimental import sparse

import poolkit as pk

SPEC = pk.MaxPool(2, layout="NCL")


def nested() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the layout is a prototype, and says so
        return torch.nested.nested_tensor([torch.zeros(1, 4), torch.zeros(1, 3)])


def quantized() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.zeros(1, 1, 4), 0.1, 0, torch.quint8)


CASES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "torch sparse": (lambda: torch.zeros(1, 1, 4).to_sparse(), pk.InputError, "convert it with x.to_dense()"),
    "torch nested": (nested, pk.InputError, "received a nested Tensor"),
    "torch complex": (lambda: torch.zeros(1, 1, 4, dtype=torch.complex64), pk.DtypeError, "dtype complex64"),
    "torch quantized": (quantized, pk.DtypeError, "dtype quint8"),
    "torch uint64": (lambda: torch.zeros(1, 1, 4, dtype=torch.uint64), pk.DtypeError, "cast the input to int64"),
    "torch float8": (lambda: torch.zeros(1, 1, 4).to(torch.float8_e5m2), pk.DtypeError, "dtype float8_e5m2"),
    "torch rank": (lambda: torch.zeros(1, 4), pk.ShapeError, "received an input of rank 2"),
    "torch empty axis": (lambda: torch.zeros(2, 3, 0), pk.ShapeError, "axis L has size 0"),
    "torch too small": (lambda: torch.zeros(2, 3, 1), pk.ShapeError, "does not fit axis L of size 1"),
    "torch scalar": (lambda: torch.tensor(1.0), pk.ShapeError, "received an input of rank 0"),
    "torch dtype": (lambda: torch.float32, pk.InputError, "takes a dense torch.Tensor"),
    "tf ragged": (lambda: tf.ragged.constant([[[1.0], [1.0, 2.0]]]), pk.InputError, "received a RaggedTensor"),
    "tf sparse": (lambda: tf.sparse.from_dense(np.ones((1, 1, 4))), pk.InputError, "tf.sparse.to_dense(x)"),
    "tf complex": (lambda: tf.zeros((1, 1, 4), tf.complex64), pk.DtypeError, "dtype complex64"),
    "tf string": (lambda: tf.constant([[["a", "b"]]]), pk.DtypeError, "dtype string"),
    "tf rank": (lambda: tf.zeros((1, 4)), pk.ShapeError, "received an input of rank 2"),
    "tf too small": (lambda: tf.zeros((1, 1, 1)), pk.ShapeError, "does not fit axis L of size 1"),
    "jax sparse": (lambda: sparse.BCOO.fromdense(jnp.ones((1, 1, 4))), pk.InputError, "a sparse array: x.todense()"),
    "jax complex": (lambda: jnp.zeros((1, 1, 4), "complex64"), pk.DtypeError, "dtype complex64"),
    "jax key": (lambda: jax.random.key(0), pk.PoolkitError, "received an input of"),
    "jax rank": (lambda: jnp.zeros((1, 4)), pk.ShapeError, "received an input of rank 2"),
    "jax empty axis": (lambda: jnp.zeros((2, 3, 0)), pk.ShapeError, "axis L has size 0"),
    "keras sparse": (lambda: keras.Input((1, 4), sparse=True), pk.InputError, "takes a dense keras.KerasTensor"),
    "keras rank": (lambda: keras.Input((4,)), pk.ShapeError, "received an input of rank 2"),
    "keras too small": (lambda: keras.Input((1, 1)), pk.ShapeError, "does not fit axis L of size 1"),
    "keras complex": (lambda: keras.Input((1, 4), dtype="complex64"), pk.DtypeError, "dtype complex64"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_inputs(name: str) -> None:
    make, error, text = CASES[name]
    with pytest.raises(error) as caught:
        pk.pool(make(), SPEC)
    assert text in str(caught.value)


def test_errors_keep_their_type_in_a_tf_function() -> None:
    @tf.function
    def pooled(x: Any) -> Any:
        return pk.pool(x, SPEC)

    with pytest.raises(pk.ShapeError, match="does not fit axis L of size 1"):
        pooled(tf.zeros((1, 1, 1)))


def test_an_unknown_rank_is_taken_from_the_layout() -> None:
    function = tf.function(lambda x: pk.pool(x, SPEC), input_signature=[tf.TensorSpec(None)])
    assert function(tf.constant([[[1.0, 3.0, 2.0]]])).numpy().tolist() == [[[3.0]]]
    symbolic = tf.function(
        lambda x: pk.pool(x, SPEC.replace(layout="channels_first")), input_signature=[tf.TensorSpec(None)]
    )
    with pytest.raises(pk.PoolkitError, match="rank"):
        symbolic(tf.zeros((1, 1, 4)))


def test_a_variable_and_a_parameter_are_tensors() -> None:
    x = [[[1.0, 3.0, 2.0, 0.0]]]
    assert pk.pool(tf.Variable(x), SPEC).numpy().tolist() == [[[3.0, 2.0]]]
    assert pk.pool(torch.nn.Parameter(torch.tensor(x)), SPEC).tolist() == [[[3.0, 2.0]]]
