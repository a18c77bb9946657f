"""NumPy's reductions read and written, against NumPy's own numbers."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import poolkit as pk
from poolkit import NotExactError, PoolSpec
from poolkit.dialects.table import dialect
from tests.helpers.portable import assert_reads, assert_refused, native_or_refusal, numbers, portable_specs
from tests.helpers.support import python

X = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype("float32")

NAMES = ("mean", "sum", "max", "amax", "min", "amin")
METHODS = ("mean", "sum", "max", "min")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments", ["axis=(1, 2)", "axis=(-2, -1), keepdims=True", "(2, 1), None, None, True"])
def test_functions(name: str, arguments: str) -> None:
    if name not in ("mean", "sum"):
        arguments = arguments.replace("None, None", "None")
    source = f"np.{name}(x, {arguments})"

    assert_reads(source, eval(source, {"np": np, "x": X}), X)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("arguments", ["axis=(1, 2)", "axis=(-2, -1), keepdims=True"])
def test_methods(name: str, arguments: str) -> None:
    source = f"x.{name}({arguments})"

    assert_reads(source, eval(source, {"x": X}), X)
    assert pk.read(source) == pk.read(f"np.{name}(x, {arguments})")


def test_a_method_by_its_class() -> None:
    assert_reads("np.ndarray.mean(x, (1, 2))", X.mean((1, 2)), X)
    read = {name for name in dialect("numpy").words if "median" not in name}
    assert read == {f"numpy.{n}" for n in NAMES} | {f"numpy.ndarray.{n}" for n in NAMES}


def test_partials() -> None:
    function = functools.partial(np.max, axis=(2, 3), keepdims=True)

    assert pk.read(function) == PoolSpec("max", output_size=1, layout="NCHW")
    np.testing.assert_array_equal(pk.pool(X, pk.read(function)), function(X))


def test_the_layout_decides_what_an_axis_is() -> None:
    assert pk.read("np.mean(x, axis=1)", layout="NLC") == PoolSpec("avg", output_size=1, layout="NLC", keepdims=False)
    assert_refused("np.mean(x, axis=1)", "not the spatial ones")
    assert pk.read("np.max(x, axis=(-3, -2))", layout="...HWC") == PoolSpec(
        "max", output_size=1, layout="...HWC", keepdims=False
    )
    with pytest.raises(NotExactError, match=r"not the spatial ones of \.\.\.HWC"):
        pk.read("np.max(x, axis=(0, 1))", layout="...HWC")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "over every axis"),
        ("axis=-1", "not the spatial ones"),
        ("axis=(1, 2), dtype=np.float64", "dtype changes the type"),
        ("axis=(1, 2), out=y", "out names a tensor"),
        ("axis=(1, 2), where=mask", "where leaves cells out"),
        ("axis=(1, 2), keepdims=kept", "keepdims=kept is not known here"),
    ],
)
def test_what_is_refused(arguments: str, text: str) -> None:
    assert_refused(f"np.mean(x, {arguments})", text)


def test_an_initial_value_takes_part() -> None:
    assert_refused("np.max(x, axis=(1, 2), initial=0)", "initial takes part in the result")


def test_native_calls_in_source() -> None:
    from poolkit.dialects.writing import native_call

    spec = pk.GlobalAvgPool(layout="NHWC", keepdims=True)

    assert str(native_call(spec, "numpy")) == "functools.partial(numpy.mean, axis=(1, 2), keepdims=True)"
    np.testing.assert_array_equal(pk.native(spec, "numpy")(X), X.mean((1, 2), keepdims=True))


@given(portable_specs(), st.integers(0, 99))
def test_native(spec: PoolSpec, seed: int) -> None:
    call = native_or_refusal(spec, "numpy")
    if call is not None:
        x = numbers(spec, seed)
        np.testing.assert_allclose(call.make()(x), pk.pool(x, spec), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (pk.MaxPool(2, layout="NCHW"), "NumPy has no pooling over windows"),
        (PoolSpec("avg", output_size=2, layout="NCHW"), "NumPy has no adaptive pooling"),
        (PoolSpec("avg", output_size=(None, None), layout="NCHW"), "it leaves every axis as it is"),
        (PoolSpec("softmax", output_size=1, layout="NCHW"), "NumPy has no softmax pooling"),
        (PoolSpec("max", output_size=1, layout="NCHW", indices=True), "return no indices"),
        (PoolSpec("avg", output_size=1, layout="NCHW", divisor_override=3), "divide by the count"),
        (PoolSpec("avg", output_size=1, layout="channels_last"), "does not say at which positions"),
    ],
)
def test_what_has_no_native_call(spec: PoolSpec, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.native(spec, "numpy")


def test_reading_imports_no_numpy() -> None:
    code = "import sys; sys.modules['numpy'] = None; import poolkit as pk; print(pk.read('np.mean(x, axis=(1, 2))'))"

    assert python(code).strip() == "avg output_size=1 layout=NHWC keepdims=false"
