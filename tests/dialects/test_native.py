"""The own layers of torch.nn and Keras for a spec: read back they are the spec, and they give its numbers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import poolkit as pk
from poolkit import NotExactError, PoolSpec, ShapeError
from poolkit.dialects.calls import Call, call
from poolkit.dialects.normal import normal
from poolkit.dialects.reading import read_call
from poolkit.dialects.writing import native_call
from tests.helpers import specs

BACKENDS = ("torch", "keras")

# The first example imports the frameworks.
PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SPATIAL = {1: "L", 2: "HW", 3: "DHW"}


@st.composite
def likely(draw: st.DrawFn) -> PoolSpec:
    """Specs with small numbers that a framework's own layer may well be equal to."""
    n = draw(st.integers(1, 3))
    spatial = SPATIAL[n]
    fields: dict[str, Any] = {
        "layout": draw(st.sampled_from([f"NC{spatial}", f"N{spatial}C", f"C{spatial}"])),
        "axes": draw(st.sampled_from([spatial, spatial, spatial[-1]])),
    }
    count = len(fields["axes"])
    kind = draw(st.sampled_from(["avg", "max", "sum", "lp"]))
    if draw(st.booleans()):
        fields |= draw(adaptive(count))
    else:
        fields |= draw(sliding(kind, count))
    if kind == "max":
        fields["indices"] = draw(st.booleans())
    if kind == "lp":
        fields["p"] = draw(st.sampled_from([1, 2, 2, 4, 6.5, float("inf")]))
    if kind == "avg":
        fields["divisor_override"] = draw(st.sampled_from([None, None, None, 1, 3, 4, -2, 0.5]))
    return PoolSpec(kind, **fields)


@st.composite
def adaptive(draw: st.DrawFn, count: int) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"output_size": 1, "keepdims": draw(st.booleans())}
    size = st.integers(1, 4)
    return {"output_size": draw(size | st.tuples(*[st.none() | size] * count))}


@st.composite
def sliding(draw: st.DrawFn, kind: str, count: int) -> dict[str, Any]:
    small = st.integers(1, 3)
    pads = st.integers(0, 1)
    pairs = st.tuples(*[st.tuples(pads, pads)] * count)
    words = st.sampled_from(["valid", "same", "same_lower", "causal"])
    fields = {
        "window": draw(specs.per_axis(st.integers(1, 4), count)),
        "stride": draw(st.none() | specs.per_axis(small, count)),
        "padding": draw(words | specs.per_axis(pads, count) | pairs),
        "dilation": draw(st.just(1) | specs.per_axis(st.integers(1, 2), count)),
    }
    fields["ceil_mode"] = fields["padding"] not in ("same", "same_lower") and draw(st.booleans())
    fields["count_include_pad"] = kind == "avg" and draw(st.booleans())
    return fields


def own(spec: PoolSpec, backend: str) -> Call | None:
    """The own layer; where there is none, the nearest can at least be made."""
    try:
        return native_call(spec, backend)
    except NotExactError as error:
        if error.nearest is not None:
            error.nearest.make()
        return None


@pytest.mark.parametrize("backend", BACKENDS)
@given(spec=likely() | specs.specs())
@PROPERTY
def test_the_own_layer_reads_as_its_spec(backend: str, spec: PoolSpec) -> None:
    made = own(spec, backend)
    if made is None:
        return
    assert normal(read_call(made, spec.layout)) == normal(spec)
    assert normal(pk.read(made.source(), spec.layout)) == normal(spec)
    assert normal(pk.read(made.make(), spec.layout)) == normal(spec)


# ---------------------------------------------------------------------------------------------------- the numbers


def shape_of(spec: PoolSpec, draw: st.DrawFn) -> tuple[int, ...]:
    return tuple({"N": 2, "C": 3}.get(letter) or draw(st.integers(4, 8)) for letter in spec.letters)


def numbers(shape: tuple[int, ...]) -> np.ndarray:
    """Small integers, of which many are equal."""
    return np.random.default_rng(0).integers(-3, 4, shape).astype("float64")


@given(spec=likely(), data=st.data())
@NUMBERS
def test_torch_gives_the_numbers_of_the_spec(spec: PoolSpec, data: st.DataObject) -> None:
    made = own(spec, "torch")
    if made is None:
        return
    x = torch.tensor(numbers(shape_of(spec, data.draw)))
    assert_same_as_torch(made.make(), spec, x)


def assert_same_as_torch(layer: Any, spec: PoolSpec, x: torch.Tensor) -> None:
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    try:
        given = pk.pool(ours, spec)
    except ShapeError:
        with pytest.raises((RuntimeError, ValueError)):
            layer(theirs)
        return
    expected = layer(theirs)
    if spec.indices:
        assert torch.equal(given[1], expected[1])
        given, expected = given[0], expected[0]
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-12)
    weights = torch.arange(1.0, 1 + expected.numel(), dtype=x.dtype).reshape(expected.shape)
    (expected * weights).sum().backward()
    (given * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-9)


@given(spec=likely(), data=st.data())
@NUMBERS
def test_keras_gives_the_numbers_of_the_spec(spec: PoolSpec, data: st.DataObject) -> None:
    made = own(spec, "keras")
    if made is None or ends_the_process(made):
        return
    x = numbers(shape_of(spec, data.draw)).astype("float32")
    try:
        given = pk.pool(x, spec)
    except ShapeError:
        return
    expected = keras.ops.convert_to_numpy(made.make()(keras.ops.convert_to_tensor(x)))
    assert given.shape == expected.shape
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)


def ends_the_process(made: Call) -> bool:
    """One bin of Keras's adaptive maximum on TensorFlow's engine, which is one of the caveats."""
    spec = read_call(made)
    assert isinstance(spec, PoolSpec)
    return "AdaptiveMax" in made.name and 1 in spec.output_size  # type: ignore[operator]


# -------------------------------------------------------------------------------------------------- and the reverse


@st.composite
def torch_calls(draw: st.DrawFn) -> Call:
    n = draw(st.integers(1, 3))
    size = specs.per_axis(st.integers(1, 5), n)
    kind = draw(st.sampled_from(["AdaptiveAvg", "AdaptiveMax", "Avg", "Max"]))
    name = f"torch.nn.{kind}Pool{n}d"
    if kind == "AdaptiveAvg":
        return draw(with_flatten(call(name, draw(size))))
    if kind == "AdaptiveMax":
        return call(name, draw(size), return_indices=draw(st.booleans()))
    window = draw(size)
    options: dict[str, Any] = {"stride": draw(st.none() | size), "ceil_mode": draw(st.booleans())}
    halves = [k // 2 for k in (window if isinstance(window, tuple) else (window,) * n)]
    options["padding"] = tuple(draw(st.integers(0, half)) for half in halves)
    if kind == "Max":
        options |= {"dilation": draw(size), "return_indices": draw(st.booleans())}
    else:
        options |= {"count_include_pad": draw(st.booleans())}
        if n > 1:
            options["divisor_override"] = draw(st.none() | st.integers(1, 9))
    return call(name, window, **options)


@st.composite
def with_flatten(draw: st.DrawFn, made: Call) -> Call:
    one = made.args[0] == 1 or set(made.args[0] if isinstance(made.args[0], tuple) else ()) == {1}
    return call("torch.nn.Sequential", made, call("torch.nn.Flatten")) if one and draw(st.booleans()) else made


@st.composite
def keras_calls(draw: st.DrawFn) -> Call:
    n = draw(st.integers(1, 3))
    size = specs.per_axis(st.integers(1, 5), n)
    kind = draw(st.sampled_from(["Average", "Max"]))
    options: dict[str, Any] = {"data_format": draw(st.sampled_from(["channels_first", "channels_last"]))}
    form = draw(st.sampled_from(["", "Global", "Adaptive"]))
    name = f"keras.layers.{form}{kind}Pooling{n}D"
    if form == "Global":
        return call(name, keepdims=draw(st.booleans()), **options)
    if form == "Adaptive":
        return call(name, draw(size), **options)
    padding = draw(st.sampled_from(["valid", "same"]))
    return call(name, draw(size), draw(st.none() | size), padding, **options)


@given(made=torch_calls())
@PROPERTY
def test_every_layer_of_torch_has_itself_as_its_own(made: Call) -> None:
    spec = read_call(made)
    again = read_call(native_call(spec, "torch"))
    assert normal(again) == normal(spec)
    assert normal(pk.read(made.make())) == normal(spec)


@given(made=keras_calls())
@PROPERTY
def test_every_layer_of_keras_has_itself_as_its_own(made: Call) -> None:
    """Except where it shares the gradient between equal elements, or is global by another name."""
    spec = read_call(made)
    again = own_or_nearest(spec, "keras")
    assert normal(read_call(again)) == normal(spec)
    assert normal(pk.read(made.make())) == normal(spec)


def own_or_nearest(spec: PoolSpec | pk.Mix, backend: str) -> Any:
    try:
        return native_call(spec, backend)
    except NotExactError as error:
        if "GlobalMax" not in str(error.nearest) and "AdaptiveMax" not in str(error.nearest):
            raise
        return error.nearest


# ----------------------------------------------------------------------------------------------------- what it says

EXAMPLES = [
    ("torch", pk.GlobalAvgPool(layout="NCHW", keepdims=True), "torch.nn.AdaptiveAvgPool2d(1)"),
    (
        "torch",
        pk.GlobalAvgPool(layout="NCHW", keepdims=False),
        "torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())",
    ),
    ("torch", pk.SumPool(2, layout="NCHW"), "torch.nn.AvgPool2d(2, divisor_override=1)"),
    ("torch", pk.MaxPool(3, 2, 1, layout="CHW", indices=True), None),
    ("torch", pk.MaxPool(3, 1, "same", layout="NCL"), "torch.nn.MaxPool1d(3, 1, padding=1)"),
    ("keras", pk.MaxPool(3, 1, 1, layout="NLC"), 'keras.layers.MaxPooling1D(3, 1, padding="same")'),
    ("keras", pk.AdaptiveAvgPool(3, layout="NCHW"), None),
]


@pytest.mark.parametrize(("backend", "spec", "source"), EXAMPLES, ids=str)
def test_how_a_layer_is_written(backend: str, spec: PoolSpec, source: str | None) -> None:
    written = str(native_call(spec, backend))
    assert source is None or written == source


REASONS = [
    ("torch", pk.GlobalAvgPool(layout="NHWC", keepdims=True), "channels first", "torch.nn.AdaptiveAvgPool2d(1)"),
    (
        "torch",
        pk.AvgPool(3, 2, "same", layout="NCHW"),
        "by the input's size",
        "torch.nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)",
    ),
    ("torch", pk.AvgPool(2, layout="...NCHW"), "any number before", "torch.nn.AvgPool2d(2)"),
    ("torch", pk.MaxPool(2, padding=((0, 1), (0, 1)), layout="NCHW"), "both ends alike", "torch.nn.MaxPool2d(2)"),
    ("torch", pk.MinPool(2, layout="NCHW"), "no min pooling", None),
    ("torch", pk.AvgPool(2, layout="NCL", divisor_override=3), "no divisor_override", "torch.nn.AvgPool1d(2)"),
    (
        "torch",
        PoolSpec("avg", output_size=2, layout="NCL", divisor_override=3),
        "the cells of each bin",
        "torch.nn.AdaptiveAvgPool1d(2)",
    ),
    ("keras", pk.GlobalMaxPool(layout="NHWC", keepdims=False), "shares", "keras.layers.GlobalMaxPooling2D()"),
    ("keras", pk.MaxPool(3, 2, 1, layout="NHWC"), "valid and same", 'keras.layers.MaxPooling2D(3, 2, padding="same")'),
    ("keras", pk.MaxPool(3, layout="NHWC", indices=True), "no indices", "keras.layers.MaxPooling2D(3)"),
    ("keras", pk.MaxPool(2, ceil_mode=True, layout="NLC"), "no ceil mode", "keras.layers.MaxPooling1D(2)"),
    (
        "keras",
        PoolSpec("avg", output_size=1, layout="NLC", divisor_override=3),
        "cells of each bin",
        "keras.layers.GlobalAveragePooling1D(keepdims=True)",
    ),
]


@pytest.mark.parametrize(("backend", "spec", "reason", "nearest"), REASONS, ids=lambda v: str(v)[:40])
def test_why_there_is_none(backend: str, spec: PoolSpec, reason: str, nearest: str | None) -> None:
    with pytest.raises(NotExactError, match=reason) as caught:
        pk.native(spec, backend)
    assert (None if caught.value.nearest is None else str(caught.value.nearest)) == nearest
