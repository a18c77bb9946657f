"""Bad input while a framework traces, compiles or exports: poolkit says what is wrong, and no graph is made first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch.fx.experimental.proxy_tensor import make_fx

import poolkit as pk
from poolkit.running import registry
from poolkit_torch.exports import Model

Tensor = Any
Tensors = tuple[Any, ...]
Function = Callable[..., Any]
Mode = Callable[[Function, Tensors], Any]
STEM = pk.MaxPool(3, 2, layout="NCHW")
MAP = (2, 3, 8, 8)


class Fault(NamedTuple):
    """A call, what it is given, and what the error says."""

    call: Callable[[Tensors], Any]
    shapes: tuple[tuple[int, ...], ...]
    error: type[pk.PoolkitError]
    said: str
    dtypes: tuple[str, ...] = ("float32", "float32")


FAULTS = {
    "window": Fault(
        lambda t: pk.pool(t[0], pk.MaxPool(9, layout="NCHW")), (MAP,), pk.ShapeError, "does not fit axis H of size 8"
    ),
    "rank": Fault(lambda t: pk.pool(t[0], STEM), ((3, 8),), pk.ShapeError, "received an input of rank 2"),
    "empty": Fault(lambda t: pk.pool(t[0], STEM), ((2, 3, 0, 8),), pk.ShapeError, "axis H has size 0"),
    "dtype": Fault(lambda t: pk.pool(t[0], STEM), (MAP,), pk.DtypeError, "complex64", ("complex64",)),
    "mask": Fault(lambda t: pk.pool(t[0], STEM, mask=t[1]), (MAP, (2, 5, 8)), pk.ShapeError, "received mask of shape"),
    "weight": Fault(lambda t: pk.pool(t[0], STEM, weight=t[1]), (MAP, MAP), pk.InputError, "leave weight out"),
    "no spec": Fault(lambda t: pk.pool(t[0], "max"), (MAP,), pk.InputError, "pool takes (tensor, PoolSpec)"),
    "list": Fault(
        lambda t: pk.pool([t[0]], STEM), (MAP,), pk.InputError, "received a list, and pooling takes a tensor"
    ),
    "bad spec": Fault(lambda t: pk.pool(t[0], pk.MaxPool(0, layout="NCHW")), (MAP,), pk.SpecError, "window=0"),
    "key": Fault(
        lambda t: pk.pool(t[0], pk.StochasticPool(3, 2, layout="NCHW"), key=t[1]),
        (MAP, (3,)),
        pk.ShapeError,
        "received a key of shape (3,)",
        ("float32", "int32"),
    ),
}


def stacked(tensors: Tensors) -> list[Tensor]:
    return [each[None] for each in tensors]


def torch_compiled(function: Function, tensors: Tensors) -> Any:
    torch._dynamo.reset()
    run: Function = torch.compile(function, backend="eager", fullgraph=True)
    return run(*tensors)


def torch_exported(function: Function, tensors: Tensors, strict: bool = False) -> Any:
    torch._dynamo.reset()
    return torch.export.export(Model(function), tensors, strict=strict)


def functional(function: Function, tensors: Tensors) -> Any:
    inputs = [keras.Input(batch_shape=tuple(t.shape), dtype=keras.backend.standardize_dtype(t.dtype)) for t in tensors]
    return keras.Model(inputs, function(*inputs))


graph: Any = tf.function  # whose types say nothing of what it takes


def lite(function: Function, tensors: Tensors) -> Any:
    described = [tf.TensorSpec(t.shape, t.dtype) for t in tensors]
    concrete = graph(function, input_signature=described).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


MODES: dict[str, Mode] = {
    "torch compile": torch_compiled,
    "torch export": torch_exported,
    "torch strict export": lambda f, t: torch_exported(f, t, strict=True),
    "torch jit.trace": lambda f, t: torch.jit.trace(Model(f), t, check_trace=False),
    "torch make_fx": lambda f, t: make_fx(f, tracing_mode="fake")(*t),
    "torch vmap": lambda f, t: torch.func.vmap(f)(*stacked(t)),
    "torch onnx": lambda f, t: torch.onnx.export(Model(f).eval(), t, dynamo=True, verbose=False),
    "tensorflow function": lambda f, t: graph(f)(*t),
    "tensorflow jit_compile": lambda f, t: graph(f, jit_compile=True)(*t),
    "tensorflow vectorized_map": lambda f, t: tf.vectorized_map(lambda each: f(*each), stacked(t)),
    "tensorflow lite": lite,
    "keras functional": functional,
    "jax jit": lambda f, t: jax.jit(f)(*t),
    "jax vmap": lambda f, t: jax.vmap(f)(*stacked(t)),
    "jax export": lambda f, t: jax.export.export(jax.jit(f))(*t),
}
# A trace of PyTorch's takes every size for a symbol, of which nothing can be said while it is made; Keras has no
# complex input, and takes no empty one.
UNDECIDED = {
    "torch jit.trace": ("window", "empty", "mask", "key"),
    "keras functional": ("dtype", "empty"),
}
# What says it in an error of its own, with the text.
WRAPS = ("torch compile", "torch strict export", "torch onnx")


@pytest.mark.filterwarnings("ignore:`torch.jit.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("mode", MODES)
def test_bad_input_is_told_while_a_graph_is_made(mode: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    if name in UNDECIDED.get(mode, ()):
        pytest.skip("nothing is known of it while the graph is made")
    caplog.set_level(logging.CRITICAL)
    fault, backend = FAULTS[name], mode.split()[0]
    adapter = registry.adapter("tensorflow" if backend == "keras" else backend)
    tensors = [adapter.from_numpy(np.ones(s, d)) for s, d in zip(fault.shapes, fault.dtypes, strict=False)]

    def function(*given: Tensor) -> Any:
        return fault.call(given)

    with pytest.raises(Exception, match=r"(?s).") as caught:
        MODES[mode](function, tuple(tensors))

    assert fault.said in str(caught.value), f"{type(caught.value).__name__}: {caught.value}"
    assert isinstance(caught.value, fault.error) or mode in WRAPS
