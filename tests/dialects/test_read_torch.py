"""torch.nn's layers and functions, read: their own output, positions and gradient against what their specs give."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import poolkit as pk
from poolkit import InputError, NotExactError, PoolSpec
from tests.helpers.support import python

SHAPES = {1: (2, 3, 11), 2: (2, 3, 7, 10), 3: (1, 2, 5, 7, 6)}
LAYOUTS = {1: "NCL", 2: "NCHW", 3: "NCDHW"}


def numbers(n: int) -> torch.Tensor:
    """Small integers, so that windows hold equal elements."""
    return torch.randint(-3, 4, SHAPES[n], generator=torch.Generator().manual_seed(0)).double()


def assert_same(layer: Any, spec: pk.PoolSpec | pk.Mix, x: torch.Tensor) -> None:
    own, ours = x.clone().requires_grad_(), x.clone().requires_grad_()
    expected, given = layer(own), pk.pool(ours, spec)
    if isinstance(expected, tuple):
        assert torch.equal(given[1], expected[1])
        expected, given = expected[0], given[0]
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-12)
    weights = torch.arange(1.0, 1 + expected.numel(), dtype=x.dtype).reshape(expected.shape)
    (expected * weights).sum().backward()
    (given * weights).sum().backward()
    torch.testing.assert_close(ours.grad, own.grad, rtol=1e-9, atol=1e-9)


MAX = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1, "padding": 1, "return_indices": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "dilation": 2, "return_indices": True},
    {"kernel_size": 2, "stride": 2, "ceil_mode": True, "return_indices": True, "padding": 1},
]

AVERAGE = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True},
    {"kernel_size": 2, "stride": 2, "ceil_mode": True, "count_include_pad": False, "padding": 1},
]

DIVIDED = [
    {"kernel_size": 3, "stride": 2, "padding": 1, "divisor_override": 5},
    {"kernel_size": 2, "ceil_mode": True, "divisor_override": 1},
    {"kernel_size": 2, "divisor_override": -3, "count_include_pad": False},
]

NORMS = [
    {"norm_type": 2, "kernel_size": 2},
    {"norm_type": 4.0, "kernel_size": 3, "stride": 2},
    {"norm_type": 6, "kernel_size": 3, "stride": 1},
]

SIZES = {1: (1, 4, (3,), 15), 2: (1, 3, (2, 4), (1, 1), (None, 2), 12), 3: (1, 2, (2, 3, 4), (1, None, 1))}

LAYERS = [
    *((n, "MaxPool", options) for n in (1, 2, 3) for options in MAX),
    *((n, "AvgPool", options) for n in (1, 2, 3) for options in AVERAGE),
    *((n, "AvgPool", options) for n in (2, 3) for options in DIVIDED),
    *((n, "LPPool", options) for n in (1, 2, 3) for options in NORMS),
    *((n, "AdaptiveAvgPool", {"output_size": size}) for n in (1, 2, 3) for size in SIZES[n]),
    *(
        (n, "AdaptiveMaxPool", {"output_size": size, "return_indices": given})
        for n in (1, 2, 3)
        for size in SIZES[n]
        for given in (False, True)
    ),
    (2, "MaxPool", {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0), "dilation": (1, 3)}),
    (2, "AvgPool", {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)}),
]

FUNCTIONS = {
    "MaxPool": "max_pool",
    "AvgPool": "avg_pool",
    "LPPool": "lp_pool",
    "AdaptiveAvgPool": "adaptive_avg_pool",
    "AdaptiveMaxPool": "adaptive_max_pool",
}


@pytest.mark.parametrize(("n", "name", "options"), LAYERS, ids=str)
def test_a_layer_and_its_function(n: int, name: str, options: dict[str, Any]) -> None:
    layer = getattr(nn, f"{name}{n}d")(**options)
    spec = pk.read(layer)
    assert spec.layout == LAYOUTS[n]
    assert_same(layer, spec, numbers(n))
    arguments = ", ".join(f"{key}={value}" for key, value in options.items())
    function = f"{FUNCTIONS[name]}{n}d"
    assert pk.read(f"nn.{name}{n}d({arguments})") == spec
    assert pk.read(f"F.{function}(x, {arguments})") == spec
    assert pk.read(f"torch.nn.functional.{function}(input=x, {arguments})") == spec
    assert pk.read(functools.partial(getattr(F, function), **options)) == spec
    if hasattr(layer, "output_size") or n == 1:
        return
    unbatched = spec.replace(layout=spec.layout[1:])
    assert pk.read(layer, spec.layout[1:]) == unbatched
    assert_same(layer, unbatched, numbers(n)[0])


def test_a_norm_with_an_infinite_p_is_the_largest_magnitude() -> None:
    layer = nn.LPPool2d(math.inf, 3, 2, ceil_mode=True)
    assert_same(layer, pk.read(layer), torch.randn(SHAPES[2], dtype=torch.float64))


def test_positional_arguments_stand_in_each_ones_own_order() -> None:
    """The module takes return_indices before ceil_mode, the function after it."""
    assert pk.read("nn.MaxPool2d(3, 2, 1, 1, True)").indices
    assert pk.read("F.max_pool2d(x, 3, 2, 1, 1, True)").ceil_mode
    assert pk.read("torch.max_pool2d(x, 3, 2, 1, 1, True)") == pk.read("F.max_pool2d(x, 3, 2, 1, 1, True)")
    assert pk.read("F.avg_pool2d(x, 3, 2, 1, True, False, 4)") == PoolSpec(
        "avg", window=3, stride=2, padding=1, ceil_mode=True, divisor_override=4, layout="NCHW"
    )
    assert pk.read("F.max_pool2d_with_indices(x, 3)") == PoolSpec("max", window=3, indices=True, layout="NCHW")
    assert pk.read("F.adaptive_max_pool1d_with_indices(x, 3)").indices


REDUCTIONS = [
    (lambda x: x.mean((2, 3)), "x.mean((2, 3))", "NCHW"),
    (lambda x: x.mean([-2, -1], True), "x.mean([-2, -1], True)", "NCHW"),
    (lambda x: x.mean(dim=(2, 3), keepdim=True), "x.mean(dim=(2, 3), keepdim=True)", "NCHW"),
    (lambda x: torch.mean(x, (2, 3, 4)), "torch.mean(x, (2, 3, 4))", "NCDHW"),
    (lambda x: torch.mean(x, dim=(-3, -2)), "torch.mean(x, dim=(-3, -2))", "NHWC"),
    (lambda x: x.sum((2, 3), keepdim=True), "x.sum((2, 3), keepdim=True)", "NCHW"),
]


@pytest.mark.parametrize(("function", "source", "layout"), REDUCTIONS, ids=[source for _, source, _ in REDUCTIONS])
def test_reductions(function: Any, source: str, layout: str) -> None:
    spec = pk.read(source)
    assert spec.layout == layout
    assert_same(function, spec, numbers(len(layout) - 2))


def test_maxima_by_value() -> None:
    """Their gradient is shared between equal elements, so they are asked without any."""
    x = numbers(2) + torch.arange(420.0, dtype=torch.float64).reshape(2, 3, 7, 10) / 1000
    assert_same(lambda x: x.amax((2, 3), True), pk.read("x.amax((2, 3), True)"), x)
    assert_same(lambda x: torch.amin(x, dim=(-1, -2)), pk.read("torch.amin(x, dim=(-1, -2))"), x)
    assert_same(lambda x: x.mean(-1), pk.read("torch.mean(x, -1)", "NCHW"), x)


def test_a_global_pool_and_flatten() -> None:
    for made in (nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d((1, 1)), nn.AdaptiveAvgPool3d(1)):
        layer = nn.Sequential(made, nn.Flatten())
        spec = pk.read(layer)
        assert not spec.keepdims
        assert_same(layer, spec, numbers(len(spec.letters) - 2))
    assert pk.read("nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(1))") == pk.read("x.mean((2, 3))")
    assert pk.read(nn.Sequential(nn.MaxPool2d(2))) == pk.read(nn.MaxPool2d(2))


def test_a_layer_called_with_a_tensor_is_the_layer() -> None:
    assert pk.read("nn.AvgPool2d(3, stride=1, padding=1)(features)") == pk.read(nn.AvgPool2d(3, 1, 1))


class Shifted(nn.MaxPool2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + 1


NOT_LAYERS = [
    (lambda: nn.LPPool2d(3, 3), r"x\*\*3 with the signs of x"),
    (lambda: nn.LPPool1d(-math.inf, 3), "with the signs of x"),
    (lambda: nn.LPPool3d(0.5, 3), "with the signs of x"),
    (lambda: nn.LPPool2d(2, 3, ceil_mode=True), "as if it were whole"),
    (lambda: nn.Conv2d(3, 3, 2), "convolution"),
    (lambda: nn.Upsample(scale_factor=2), "interpolates"),
    (nn.Identity, "pools nothing"),
    (lambda: nn.BatchNorm2d(3), r"no pooling called torch\.nn\.BatchNorm2d"),
    (nn.Flatten, r"no pooling called torch\.nn\.Flatten"),
    (nn.Sequential, "not a pooling layer"),
    (lambda: nn.Sequential(nn.Flatten()), "not a pooling layer"),
    (lambda: nn.Sequential(nn.Conv2d(3, 3, 2), nn.MaxPool2d(2)), "not a pooling layer"),
    (lambda: nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2)), "not a pooling layer"),
    (lambda: nn.Sequential(Shifted(2)), "not a pooling layer"),
    (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()), "a vector of them"),
    (lambda: nn.Sequential(nn.MaxPool2d(2), nn.Flatten()), "a vector of them"),
    (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(0)), "batch and channels"),
    (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Flatten()), "batch and channels"),
]


@pytest.mark.parametrize(("make", "text"), NOT_LAYERS, ids=[f"{n}-{text}" for n, (_, text) in enumerate(NOT_LAYERS)])
def test_layers_that_no_spec_says(make: Any, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(make())


NOT_LINES = [
    ("F.lp_pool2d(x, 1, 3)", r"x\*\*1 with the signs of x"),
    ("F.lp_pool2d(x, p, 3)", "norm_type=p is not known"),
    ("F.interpolate(x, scale_factor=2)", "interpolates"),
    ("x.mean()", "every axis"),
    ("torch.mean(x)", "every axis"),
    ("x.max()", "every axis"),
    ("x.max(2)", "values and indices"),
    ("torch.max(x, dim=2)", "values and indices"),
    ("x.mean(1)", "not the spatial ones"),
    ("x.mean((0, 2, 3))", "not the spatial ones"),
    ("x.mean((2, 3), dtype=torch.float64)", "cast before the mean"),
    ("nn.MaxPool2d(size)", "window=size is not known"),
    ("nn.AvgPool2d(3, pad=1)", "unexpected keyword argument 'pad'"),
    ("nn.AvgPool1d(3, divisor_override=2)", "divisor_override"),
    ("nn.Conv2d(3, 3, 1)", "convolution"),
    ("nn.MaxPool2d()", "missing a required argument: 'kernel_size'"),
]


@pytest.mark.parametrize(("source", "text"), NOT_LINES)
def test_lines_that_no_spec_says(source: str, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(source)


def test_a_subclass_may_pool_otherwise() -> None:
    with pytest.raises(InputError, match="Shifted"):
        pk.read(Shifted(2))
    with pytest.raises(NotExactError, match="channels first"):
        pk.read(nn.MaxPool2d(2), "NHWC")


def test_reading_a_line_imports_no_torch() -> None:
    code = "import sys, poolkit as pk; print(pk.read('nn.MaxPool2d(2)'), 'torch' in sys.modules)"
    assert python(code).strip() == "max window=2 layout=NCHW False"


def test_what_is_printed_for_lines_is_read_again() -> None:
    """PyTorch's maximum of lines looks at the size, which no symbol passes, unless positions are asked for."""
    spec = pk.MaxPool(2, layout="NCL")
    line = pk.lower(spec, "torch").source.splitlines()[-1].removeprefix("    return ")

    assert line.endswith("return_indices=True)[0]")
    assert pk.read(line) == spec
    with pytest.raises(InputError, match="a line of source is a call"):
        pk.read("torch.nn.functional.avg_pool1d(x, 2)[0]")
