"""Runs the measured example of a caveat: what a framework's own layer gives on it. Imports that framework alone.

``main(engine)`` prints the results for one engine of Keras, for the tests that run it in a process of its own.
"""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np

from poolkit import NotExactError, PoolSpec
from poolkit.dialects.dialect import Caveat, Measured
from poolkit.dialects.table import dialect
from poolkit.dialects.writing import native


def array(measured: Measured) -> np.ndarray:
    """The input; text is an expression of NumPy's functions that stands in this repository."""
    x = eval(measured.x, vars(np)) if isinstance(measured.x, str) else measured.x
    return np.asarray(x).astype(dtype_of(measured))


def indices(measured: Measured) -> np.ndarray:
    """Those of the values, where it is one of them that are put back."""
    given = measured.indices
    return eval(given, vars(np)) if isinstance(given, str) else np.asarray(given, "int64")


def dtype_of(measured: Measured) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16 if measured.dtype == "bfloat16" else measured.dtype)


def cells(result: Any, measured: Measured) -> list[float]:
    """The cells that an example is about."""
    flat = np.asarray(result).astype("float64").ravel()
    return flat.tolist() if measured.at is None else [float(flat[measured.at])]


def own(caveat: Caveat, backend: str) -> list[float] | str:
    """What the own layer gives: the cells, or the name of what it raises."""
    measured = caveat.measured
    try:
        layer = native(measured.spec, backend)
    except NotExactError as error:  # it is not native on the engine where it is measured
        if caveat.engine is None or error.nearest is None:
            raise
        layer = error.nearest.make()
    try:
        return cells(RUN[backend](layer, measured), measured)
    except Exception as error:
        return type(error).__name__


def _numpy(layer: Any, measured: Measured) -> Any:
    return layer(array(measured))


def _torch(layer: Any, measured: Measured) -> Any:
    import torch

    x = torch.tensor(array(measured).tolist(), dtype=getattr(torch, measured.dtype), requires_grad=measured.slopes)
    y = layer(x) if measured.indices is None else layer(x, torch.from_numpy(indices(measured)))
    return (torch.autograd.grad(y.sum(), x)[0] if measured.slopes else y).double().numpy()


def _tensorflow(layer: Any, measured: Measured) -> Any:
    import tensorflow as tf

    return layer(tf.constant(array(measured))).numpy()


def _jax(layer: Any, measured: Measured) -> Any:
    import jax.numpy as jnp

    return layer(jnp.asarray(array(measured)))


def _keras(layer: Any, measured: Measured) -> Any:
    import keras

    assert isinstance(measured.spec, PoolSpec)
    if "float" in measured.dtype:
        layer.dtype_policy = keras.DTypePolicy(measured.dtype)
    options = {} if measured.mask is None else {"mask": keras.ops.convert_to_tensor(np.array(measured.mask))}
    if measured.traced:
        layer = _traced(layer, len(measured.spec.letters))
    result = layer(keras.ops.convert_to_tensor(array(measured)), **options)
    return keras.ops.convert_to_numpy(keras.ops.cast(result, "float32"))


def _traced(layer: Any, rank: int) -> Any:
    """The layer inside a graph of TensorFlow's that knows the number of channels and no other size."""
    import tensorflow as tf

    return tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec([*[None] * (rank - 1), 1])])


RUN = {"numpy": _numpy, "torch": _torch, "tensorflow": _tensorflow, "jax": _jax, "keras": _keras}


def of_engine(engine: str) -> list[Caveat]:
    """Keras's caveats of an engine that can be run beside others, and those of every engine."""
    return [c for c in dialect("keras").caveats if c.engine in (engine, None) and c.measured.own != "ends"]


def main(engine: str) -> None:
    print(json.dumps([own(caveat, "keras") for caveat in of_engine(engine)]))  # noqa: T201
