"""What looks like a pool and is none, or pools something that was changed: refused, each with what was received."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from torch import nn

import poolkit as pk


def with_hook() -> nn.Module:
    module = nn.MaxPool2d(2)
    module.register_forward_hook(lambda module, inputs, output: output * 2)
    return module


def with_forward() -> nn.Module:
    module = nn.MaxPool2d(2)
    module.forward = lambda x: x  # type: ignore[method-assign]
    return module


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (with_hook, "has hooks, which may change its result"),
        (with_forward, "has a forward of its own"),
        (lambda: "F.max_pool2d(F.avg_pool2d(x, 3), 2)", "its input is computed by torch.nn.functional.avg_pool2d"),
        (lambda: "nn.MaxPool2d(2)(nn.MaxPool2d(2)(x))", "its input is computed by"),
        (lambda: "F.max_pool2d(-x, 2)", "its input is computed by -x"),
        (lambda: "torch.relu(x).mean((2, 3))", "its input is computed by torch.relu"),
        (lambda: 'nn.AvgPool2d(2, padding="same")', "is for convolutions"),
        (lambda: "keras.layers.MaxPooling2D(2, padding='causal')", "is none of Keras's pools'"),
        (lambda: "keras.layers.AdaptiveMaxPooling2D((None, 2))", "needs a size for every axis"),
        (lambda: "keras.layers.GlobalMaxPooling2D(keepdims='yes')", "is no flag"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_spec_is(given: Callable[[], Any], text: str) -> None:
    with pytest.raises(pk.NotExactError, match=text):
        pk.read(given())


def test_a_flatten_behind_no_batch() -> None:
    with pytest.raises(pk.NotExactError, match="by their positions behind a batch axis"):
        pk.read(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), "CHW")


@pytest.mark.parametrize("source", ["nn.MaxPool2d(" + "-" * 5000 + "2)", "torch(2)", "haiku(3)"])
def test_no_traceback_of_its_own(source: str) -> None:
    with pytest.raises(pk.PoolkitError, match="received"):
        pk.read(source)


def test_other_numbers_and_flags() -> None:
    assert pk.read(nn.AvgPool2d(3, 1, np.int64(1))).padding == ((1, 1), (1, 1))  # type: ignore[arg-type]
    assert pk.read("nn.MaxPool2d((3,), 2, ceil_mode=1)") == pk.MaxPool(3, 2, layout="NCHW", ceil_mode=True)
    mean = functools.partial(torch.Tensor.mean, dim=(2, 3))
    assert pk.read(mean) == pk.GlobalAvgPool(layout="NCHW", keepdims=False)


def test_poolkits_own_words() -> None:
    spec = pk.MaxPool(3, 2, "same", layout="NCHW")
    for text in (repr(spec), str(spec), 'pk.MaxPool(3, 2, "same", layout="NCHW")'):
        assert pk.read(text) == spec
    mix = pk.Mix((spec, spec.replace(kind="avg")), how="cat")
    assert pk.read(repr(mix)) == mix
    with pytest.raises(pk.NotExactError, match="with variables in it"):
        pk.read('pk.MaxPool(k, layout="NCHW")')


def test_programs_say_for_which_sizes_they_are() -> None:
    same = pk.MaxPool(3, 2, "same", layout="NCHW")
    assert ", for H 112, W 112 only" in pk.lower(same, "torch", shape=(1, 3, 112, 112)).source
    assert ", for every size of HWC without axes before" in pk.lower(pk.MaxPool(2, layout="...HWC"), "torch").source


def test_keras_lowers_global_maxima() -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype("float32")
    program = pk.lower(pk.GlobalMaxPool(layout="NHWC", keepdims=True), "keras")
    got = program.function(keras.ops.convert_to_tensor(x))

    np.testing.assert_array_equal(keras.ops.convert_to_numpy(got), x.max((1, 2), keepdims=True))


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (pk.AvgPool((4, 2, 2), (2, 2, 3), "same", layout="NDHWC"), (2, 3, 7, 4, 3)),
        (pk.AvgPool(3, 1, 1, layout="NCDHW"), (1, 1, 2, 8, 8)),
        (pk.AvgPool((2, 3, 4), (3, 3, 2), ceil_mode=True, layout="NCDHW"), (2, 2, 2, 3, 4)),
        (pk.SumPool(3, 1, 1, layout="NCDHW"), (1, 1, 2, 8, 8)),
    ],
    ids=str,
)
def test_maps_that_are_smaller_than_a_padded_window(spec: pk.PoolSpec, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    got = pk.pool(torch.tensor(x, requires_grad=True), spec)

    np.testing.assert_allclose(got.detach().numpy(), pk.pool(x, spec), rtol=1e-12)


def test_torch_pads_a_dilated_window_by_half_of_its_cells() -> None:
    spec = pk.PoolSpec("max", window=3, stride=1, padding=2, dilation=2, layout="NCHW")
    with pytest.raises(pk.NotExactError, match="at most half of the window"):
        pk.native(spec, "torch")


def test_sizes_that_are_not_compared() -> None:
    with pytest.raises(pk.ShapeError, match="holds ints of at least 0"):
        pk.diff("nn.AvgPool2d(3)", "nn.MaxPool2d(3)", (1, 1, -1, 3))
    with pytest.raises(pk.ShapeError, match="cells are compared"):
        pk.diff("nn.AvgPool2d(20000)", "nn.AvgPool2d(20001)")


CALLED = [
    ('keras.layers.MaxPooling2D(keras.utils.get_file("http://x/y"))', 'window=keras.utils.get_file("http://x/y"), and'),
    ("nn.AvgPool2d((2, torch.tensor(2)))", "torch.tensor(2)"),
    ("nn.MaxPool2d(2, torch.float32)", "stride=torch.float32, and"),
    ("x.mean((1, k))", "(1, k)"),
]


@pytest.mark.parametrize(("line", "said"), CALLED)
def test_values_are_said_as_they_are_written(line: str, said: str) -> None:
    with pytest.raises(pk.PoolkitError) as raised:
        pk.read(line)
    assert said in str(raised.value)
    assert "name=" not in str(raised.value)
    assert "text=" not in str(raised.value)
