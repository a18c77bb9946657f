"""timm's layers, read: their own output and gradient against what their specs give."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch

import poolkit as pk
from poolkit import Mix, NotExactError, PoolSpec
from poolkit.dialects.torch.read import canonical
from tests.helpers.support import python
from tests.helpers.vision import timm, torchvision

LAYERS = timm.layers
FAST = timm.layers.adaptive_avgmax_pool
SAME = timm.layers.pool2d_same
MEDIAN = importlib.import_module("timm.layers.median_pool")

SHAPES = {"NCHW": (2, 3, 7, 9), "NHWC": (2, 7, 9, 3), "NCL": (2, 3, 9), "NLC": (2, 9, 3)}

ALL_TYPES = ("avg", "max", "avgmax", "catavgmax")

SELECTED = [
    *({"pool_type": kind, "output_size": size} for kind in ALL_TYPES for size in (1, 3, (2, 4), (1, 1))),
    *({"pool_type": kind, "flatten": True} for kind in ALL_TYPES),
    *(
        {"pool_type": f"fast{kind}", "flatten": flatten, "input_fmt": input_fmt}
        for kind in ("", *ALL_TYPES)
        for flatten in (False, True)
        for input_fmt in ("NCHW", "NHWC")
    ),
    *({"pool_type": kind, "input_fmt": "NHWC"} for kind in ALL_TYPES),
    {"pool_type": "AvgMax"},
    {},
]

WINDOWS = [
    (k, s, options) for k in (1, 2, 3, (2, 5), 4) for s in (1, 2, (3, 2)) for options in ({}, {"ceil_mode": True})
]


def assert_same(layer: Any, spec: PoolSpec | Mix) -> None:
    """Values and gradients, on distinct numbers."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SHAPES[spec.layout], generator=generator, dtype=torch.float64)
    own, ours = x.clone().requires_grad_(), x.clone().requires_grad_()
    expected, given = layer(own), pk.pool(ours, spec)
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-12)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    (expected * weights).sum().backward()
    (given * weights).sum().backward()
    torch.testing.assert_close(ours.grad, own.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", SELECTED, ids=str)
def test_select_adaptive_pool(options: dict[str, Any]) -> None:
    layer = LAYERS.SelectAdaptivePool2d(**options)
    spec = pk.read(layer)
    assert_same(layer, spec)
    arguments = ", ".join(f"{name}={value!r}" for name, value in options.items())
    assert pk.read(f"timm.layers.SelectAdaptivePool2d({arguments})") == spec


def test_mixes_have_the_form_that_is_documented() -> None:
    avg, top = (PoolSpec(kind, output_size=1, layout="NCHW") for kind in ("avg", "max"))
    assert pk.read(LAYERS.SelectAdaptivePool2d(pool_type="avgmax")) == Mix(
        (avg, top), how="add", coefficients=(0.5, 0.5)
    )
    assert pk.read(FAST.AdaptiveCatAvgMaxPool2d()) == Mix((avg, top), how="cat")


@pytest.mark.parametrize("size", [1, 2, (3, 2)])
@pytest.mark.parametrize("name", ["AdaptiveAvgMaxPool2d", "AdaptiveCatAvgMaxPool2d"])
def test_adaptive_mixes(name: str, size: Any) -> None:
    layer = getattr(FAST, name)(size)
    assert_same(layer, pk.read(layer))


@pytest.mark.parametrize("input_fmt", list(SHAPES))
@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("kind", ["Avg", "Max", "AvgMax", "CatAvgMax"])
def test_fast_layers(kind: str, flatten: bool, input_fmt: str) -> None:
    layer = getattr(FAST, f"FastAdaptive{kind}Pool")(flatten, input_fmt=input_fmt)
    assert_same(layer, pk.read(layer))


@pytest.mark.parametrize(("kernel", "stride", "options"), WINDOWS, ids=str)
def test_windows_padded_as_tensorflow_does(kernel: Any, stride: Any, options: dict[str, Any]) -> None:
    for counted in (True, False):
        average = LAYERS.AvgPool2dSame(kernel, stride, count_include_pad=counted, **options)
        assert_same(average, pk.read(average))
    for dilation in (1, 2, (1, 3)):
        largest = SAME.MaxPool2dSame(kernel, stride, dilation=dilation, **options)
        assert_same(largest, pk.read(largest))


def test_zeros_are_counted_whatever_count_include_pad_says() -> None:
    layer = LAYERS.AvgPool2dSame(2, 2, count_include_pad=False)
    x = torch.ones(1, 1, 3, 3)
    assert layer(x).tolist() == pk.pool(x, pk.read(layer)).tolist() == [[[[1.0, 0.5], [0.5, 0.25]]]]
    assert pk.read("timm.layers.AvgPool2dSame(2, 2, count_include_pad=False)").count_include_pad


FUNCTIONS = [
    (LAYERS.adaptive_avgmax_pool2d, "(x, 2)", {"output_size": 2}, "NCHW"),
    (FAST.adaptive_catavgmax_pool2d, "(x)", {}, "NCHW"),
    (LAYERS.select_adaptive_pool2d, "(x, 'avgmax', 3)", {"pool_type": "avgmax", "output_size": 3}, "NCHW"),
    (LAYERS.select_adaptive_pool2d, "(x)", {}, "NCHW"),
    (SAME.avg_pool2d_same, "(x, (3, 3), (2, 2))", {"kernel_size": (3, 3), "stride": (2, 2)}, "NCHW"),
    (SAME.max_pool2d_same, "(x, (3, 3), (2, 2))", {"kernel_size": (3, 3), "stride": (2, 2)}, "NCHW"),
    (LAYERS.global_pool_nlc, "(x, 'avg', 0)", {"pool_type": "avg", "num_prefix_tokens": 0}, "NLC"),
    (
        LAYERS.global_pool_nlc,
        "(x, pool_type='avgmax', reduce_include_prefix=True)",
        {"pool_type": "avgmax", "reduce_include_prefix": True},
        "NLC",
    ),
]


@pytest.mark.parametrize(
    ("function", "arguments", "options", "layout"), FUNCTIONS, ids=lambda v: getattr(v, "__name__", str(v))
)
def test_functions(function: Any, arguments: str, options: dict[str, Any], layout: str) -> None:
    spec = pk.read(f"timm.layers.{function.__name__}{arguments}")
    assert spec.layout == layout
    assert_same(lambda x: function(x, **options), spec)


REFUSED = [
    ("timm.layers.SelectAdaptivePool2d(pool_type='')", "pools nothing"),
    ("timm.layers.SelectAdaptivePool2d(2, 'avg', flatten=True)", "vector of the 2 bins"),
    ("timm.layers.SelectAdaptivePool2d(pool_type=kind)", "pool_type=kind is not known"),
    ("timm.layers.SelectAdaptivePool2d(size, 'avgmax')", "output_size=size is not known"),
    ("timm.layers.SelectAdaptivePool2d(2, 'fastavg')", "takes output_size=1"),
    ("timm.layers.SelectAdaptivePool2d(pool_type='median')", "none of timm's"),
    ("timm.layers.AvgPool2dSame(2)", "give stride"),
    ("timm.layers.MaxPool2dSame(2)", "give stride"),
    ("timm.layers.global_pool_nlc(x)", "first token"),
    ("timm.layers.global_pool_nlc(x, 'avg')", "leaves out the first 1 tokens"),
]


@pytest.mark.parametrize(("source", "text"), REFUSED)
def test_what_a_spec_cannot_say(source: str, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(source)


NEIGHBOURS = [
    (lambda: LAYERS.SelectAdaptivePool2d(pool_type=""), "pools nothing"),
    (lambda: LAYERS.SelectAdaptivePool2d(2, "avg", flatten=True), "vector of the"),
    (lambda: LAYERS.AvgPool2dSame(2), "give stride"),
    (LAYERS.LsePlus1d, "its r is learned"),
    (LAYERS.LsePlus2d, r"write poolkit\.LearnedOption\(poolkit\.PoolSpec\(\"logsumexp\", output_size=1, beta=10\.0"),
    (lambda: LAYERS.SimPool2d(8), "attention"),
    (lambda: LAYERS.AttentionPool2d(8, head_dim=8), "attention"),
    (lambda: LAYERS.RotAttentionPool2d(8, head_dim=8), "attention"),
    (lambda: LAYERS.AttentionPoolLatent(8), r"attention.*write poolkit\.LatentAttentionPool"),
    (lambda: LAYERS.BlurPool2d(8, pad_mode="circular"), "no padding that a blur has"),
    (lambda: LAYERS.BlurPool2d(8, 9), "windows of 1 to 7 cells"),
    (lambda: MEDIAN.MedianPool2d(same=True), "mirrors the edge"),
    (lambda: MEDIAN.MedianPool2d(padding=1), "mirrors the edge"),
    (lambda: LAYERS.SEModule(8), "knows no pooling called timm.layers.SEModule"),
]


@pytest.mark.parametrize(("make", "text"), NEIGHBOURS, ids=[text for _, text in NEIGHBOURS])
def test_neighbours_say_what_they_are(make: Any, text: str) -> None:
    with pytest.raises(NotExactError, match=text):
        pk.read(make())


BLURS = [
    *((size, stride, "reflect") for size in range(2, 8) for stride in (1, 2, 3)),
    *((size, 2, mode) for size in (3, 4) for mode in ("replicate", "constant")),
]


@pytest.mark.parametrize(("size", "stride", "mode"), BLURS)
def test_a_blur_is_that_of_timm(size: int, stride: int, mode: str) -> None:
    layer = LAYERS.BlurPool2d(3, size, stride, mode)
    x = torch.randn(2, 3, 11, 14, dtype=torch.float64, requires_grad=True)

    spec = pk.read(layer)
    assert spec == pk.read(f"timm.layers.BlurPool2d(3, {size}, {stride}, {mode!r})")
    theirs, ours = layer.double()(x), pk.pool(x, spec)
    torch.testing.assert_close(ours, theirs)
    for mine, other in zip(*(torch.autograd.grad(y.square().sum(), x) for y in (ours, theirs)), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("flatten", [True, False])
def test_a_log_sum_exp_whose_r_is_fixed_is_that_of_timm(flatten: bool) -> None:
    for layer in (LAYERS.LsePlus2d(5.5, False, flatten), LAYERS.LsePlus1d(2.0, False)):
        assert_same(layer.double(), pk.read(layer))
    line = f"timm.layers.LsePlus2d(5.5, r_learnable=False, flatten={flatten})"
    assert pk.read(line) == pk.read(LAYERS.LsePlus2d(5.5, False, flatten))


@pytest.mark.parametrize("blur", ["timm.layers.BlurPool2d(3)", "kornia.filters.BlurPool2D(3)"])
def test_a_maximum_and_a_blur_behind_it_are_a_chain(blur: str) -> None:
    spec = pk.read(f"nn.Sequential(nn.MaxPool2d(3, 1, 1), {blur})")
    assert spec == pk.Chain((pk.read("nn.MaxPool2d(3, 1, 1)"), pk.read(blur)))  # type: ignore[arg-type]
    assert pk.read(torch.nn.Sequential(torch.nn.MaxPool2d(3, 1, 1), LAYERS.BlurPool2d(3))) == pk.read(
        "nn.Sequential(nn.MaxPool2d(3, 1, 1), timm.layers.BlurPool2d(3))"
    )


def test_a_chain_of_a_maximum_and_a_blur_is_what_both_give() -> None:
    layers = torch.nn.Sequential(torch.nn.MaxPool2d(3, 1, 1), LAYERS.BlurPool2d(3)).double()
    x = torch.randn(2, 3, 9, 12, dtype=torch.float64)
    torch.testing.assert_close(pk.pool(x, pk.read(layers)), layers(x))


@pytest.mark.parametrize("given", [(3,), ((2, 3), (2, 1))])
def test_a_median_is_that_of_timm(given: tuple[Any, ...]) -> None:
    layer = MEDIAN.MedianPool2d(*given)
    x = torch.randn(2, 3, 7, 8)

    assert torch.equal(pk.pool(x, pk.read(layer)), layer(x))


def test_every_pooling_layer_of_real_networks() -> None:
    for network in (timm.create_model("resnet18"), timm.create_model("tf_efficientnet_b0")):
        assert pk.read(network.global_pool) == PoolSpec("avg", output_size=1, layout="NCHW", keepdims=False)
    assert pk.read(torchvision.models.resnet18(weights=None).maxpool) == PoolSpec(
        "max", window=3, stride=2, padding=1, layout="NCHW"
    )


def test_reading_a_line_imports_neither() -> None:
    code = (
        "import sys, poolkit as pk; pk.read('timm.layers.SelectAdaptivePool2d(pool_type=\"avgmax\")'); "
        "print([name for name in ('timm', 'torch') if name in sys.modules])"
    )
    assert python(code).strip() == "[]"


def test_the_name_of_a_package_alone_is_no_word() -> None:
    assert canonical("timm") == "timm"
    assert canonical("timm.layers.pool2d_same.AvgPool2dSame") == "timm.layers.AvgPool2dSame"
