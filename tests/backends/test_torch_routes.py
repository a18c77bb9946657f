"""Every route of the PyTorch adapter against the fold: values, gradients, positions, NaN, infinities, half types."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import poolkit as pk
from poolkit.lowering.lower import chosen, routes_of
from poolkit.lowering.plan import plan_of
from poolkit.running import dispatch
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit_torch import ADAPTER

Tensor = Any

# What is asked of two axes of 9 and 12 cells, or 8 and 12; each is also asked in other layouts.
WINDOWS: tuple[dict[str, Any], ...] = (
    {"window": 2},
    {"window": 3, "stride": 2, "padding": 1},
    {"window": 3, "stride": 2, "padding": "same"},
    {"window": 3, "stride": 2, "padding": "same_lower"},
    {"window": 2, "stride": 1, "padding": "same"},
    {"window": 2, "stride": 1, "padding": ((0, 1), (0, 0))},
    {"window": 3, "stride": 1, "padding": "same"},
    {"window": 5, "stride": 1, "padding": "same"},
    {"window": (1, 7), "stride": 1, "padding": "same"},
    {"window": 7, "stride": 1, "padding": "same"},
    {"window": 4, "stride": 4, "padding": 2, "ceil_mode": True},
    {"window": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"window": 3, "stride": 2, "padding": ((1, 0), (0, 2))},
    {"window": 3, "stride": 2, "padding": "causal"},
    {"window": (2, 3), "stride": (3, 1)},
    {"window": 2, "stride": 5},
)
DILATED = ({"window": 3, "dilation": 2, "padding": 1}, {"window": 2, "stride": 2, "dilation": 3, "padding": 1})
COUNTED = tuple(
    {**w, **extra}
    for w in (*WINDOWS[1:5], *WINDOWS[10:13])
    for extra in ({"count_include_pad": True}, {"divisor_override": 3}, {"divisor_override": 1.5})
)
GLOBAL_BY_3 = {"output_size": 1, "divisor_override": 3}
ADAPTIVE = tuple({"output_size": o} for o in (1, 2, 3, (1, 3), (None, 1), (3, None), (4, 5), (11, 13), (9, 12)))

SHAPES = {
    "NCHW": (2, 3, 9, 12),
    "NHWC": (2, 8, 12, 3),
    "CHW": (2, 8, 12),
    "...HWC": (2, 2, 9, 12, 3),
    "...CHW": (2, 1, 3, 8, 12),
}
GRAPHS = ("steps", "apart_padded", "beside")  # tests/backends/test_torch_compiled.py and test_torch_kept.py
ROUTES = {(kind, route.name) for route in ADAPTER.routes if route.name not in GRAPHS for kind in route.kinds}


FEW = (*WINDOWS[1:6], *ADAPTIVE[:6])


def specs() -> Iterator[tuple[pk.PoolSpec, tuple[int, ...]]]:
    for kind, layout in itertools.product(("avg", "max", "min", "sum"), SHAPES):
        everything = (*WINDOWS, *DILATED, *ADAPTIVE, *((*COUNTED, GLOBAL_BY_3) if kind == "avg" else ()))
        for asked in everything if kind in ("avg", "max") and layout in ("NCHW", "NHWC") else FEW:
            yield pk.PoolSpec(kind, layout=layout, **asked), SHAPES[layout]
    yield from other_ranks()


def other_ranks() -> Iterator[tuple[pk.PoolSpec, tuple[int, ...]]]:
    shapes = {"NCL": (2, 3, 12), "NLC": (2, 9, 3), "NCDHW": (1, 2, 4, 6, 5), "NDHWC": (1, 6, 5, 4, 2), "HW": (9, 12)}
    shapes["L"] = (12,)
    asked: tuple[dict[str, Any], ...] = (*WINDOWS[:4], *DILATED, *ADAPTIVE[:3])
    for kind, (layout, shape), a in itertools.product(("avg", "max", "min", "sum"), shapes.items(), asked):
        yield pk.PoolSpec(kind, layout=layout, **a), shape
    yield pk.PoolSpec("sum", output_size=(1, 3), layout="NHWC"), (1, 20, 60, 2)
    for kind in ("max", "min"):
        yield pk.PoolSpec(kind, output_size=1, layout="NCHW"), (2, 2, 48, 56)  # 14 blocks of 192 cells
    yield from ((pk.BlurPool(3, 2, layout=layout), (2, 9, 12, 3)) for layout in ("NCHW", "NHWC"))
    yield pk.FractionalMaxPool(3, output_size=5, layout="NCHW"), (2, 3, 9, 12)
    yield pk.PoolSpec("max", window=3, layout="NTHWC", axes="T"), (2, 9, 2, 3, 2)
    yield pk.PoolSpec("avg", window=2, layout="NTHWC", axes="TW"), (2, 9, 2, 6, 2)
    for kind in ("avg", "sum"):
        yield pk.PoolSpec(kind, window=(21, 7), stride=1, padding="same", layout="NHWC"), (2, 22, 8, 2)


def offered(x: Tensor, spec: pk.PoolSpec) -> list[str]:
    """The names of the routes, without the fold, that are right for this very tensor."""
    plan = plan_of(spec, x.dim(), ADAPTER.dtype(x), lambda at: (x.shape[at], True), ADAPTER.widen)
    return [route.name for route in routes_of(ADAPTER, plan, ADAPTER.situation(x)) if route.name != "fold"]


def each(x: Tensor, spec: pk.PoolSpec) -> Iterator[tuple[str, Tensor]]:
    """Every route, with the result that it gives; those that are for a derivative are asked with one in sight."""
    for t in (x.detach(), x.detach().requires_grad_()):
        for route in offered(t, spec):
            yield route, pool_through(t, spec, route).detach()


def numbers(shape: tuple[int, ...], dtype: Any = torch.float64) -> Tensor:
    """Few values, so that most windows hold ties; their sums are exact in any type."""
    return torch.randint(-2, 3, shape, generator=torch.Generator().manual_seed(0)).to(dtype)


def with_gradient(x: Tensor, spec: pk.PoolSpec, route: str) -> tuple[Tensor, Tensor]:
    x = x.detach().requires_grad_()
    y = pool_through(x, spec, route)
    weights = torch.arange(1, y.numel() + 1, dtype=x.dtype).view(y.shape)
    return y.detach(), torch.autograd.grad(y, x, weights)[0]


def indexed(spec: pk.PoolSpec) -> pk.PoolSpec:
    return spec.replace(indices=True)


# ---------------------------------------------------------------------------------------------------------------- tests


def test_values_and_gradients_are_those_of_the_fold() -> None:
    hit = set()
    for spec, shape in specs():
        x = numbers(shape)
        expected, gradient = with_gradient(x, spec, "fold")
        for route in offered(x, spec):
            hit.add((spec.kind, route))
            torch.testing.assert_close(
                pool_through(x, spec, route), expected, rtol=1e-14, atol=1e-14, msg=f"{route} {spec}"
            )
        single = {*offered(x.float().requires_grad_(), spec)}
        for route in single - {*offered(x, spec)}:  # those that accumulate in float64, and those of float32 alone
            hit.add((spec.kind, route))
            y, got = with_gradient(x.float(), spec, route)
            torch.testing.assert_close(y.double(), expected, rtol=1e-6, atol=1e-6, msg=f"{route} {spec}")
            torch.testing.assert_close(got.double(), gradient, rtol=1e-6, atol=1e-5, msg=f"gradient of {route} {spec}")
        for route in offered(x.requires_grad_(), spec):
            hit.add((spec.kind, route))
            y, got = with_gradient(x, spec, route)
            torch.testing.assert_close(y, expected, rtol=1e-14, atol=1e-14, msg=f"{route} {spec}")
            torch.testing.assert_close(got, gradient, rtol=1e-14, atol=1e-12, msg=f"gradient of {route} {spec}")
    assert hit >= ROUTES, ROUTES - hit


def test_positions_are_those_of_the_fold() -> None:
    for spec, shape in specs():
        if spec.kind not in ("max", "min"):
            continue
        x = numbers(shape)
        expected = pool_through(x, indexed(spec), "fold")
        for route in offered(x, indexed(spec)):
            values, places = pool_through(x, indexed(spec), route)
            assert torch.equal(values, expected[0]), (route, spec)
            assert torch.equal(places, expected[1]), (route, spec)


@pytest.mark.parametrize("value", [-math.inf, math.inf])
def test_a_window_of_infinities_is_a_tie(value: float) -> None:
    for spec, shape in specs():
        if spec.kind not in ("max", "min"):
            continue
        x = torch.full(shape, value)
        expected, gradient = with_gradient(x, spec, "fold")
        for route in offered(x, spec):
            assert torch.equal(pool_through(x, spec, route), expected), (route, spec)
        for route in offered(x.requires_grad_(), spec):
            found = with_gradient(x, spec, route)[1]
            # Of a window of -inf, the least there is, it is not specified where its gradient goes; into padding, too.
            assert torch.equal(found, gradient) or (value < 0) == (spec.kind == "max"), (route, spec)
        for route in offered(x, indexed(spec)):
            assert torch.equal(pool_through(x, indexed(spec), route)[1], pool_through(x, indexed(spec), "fold")[1]), (
                route,
                spec,
            )


def test_nan_propagates_and_is_what_the_index_points_at() -> None:
    for spec, shape in specs():
        x = numbers(shape)
        x[torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.1] = math.nan
        expected = pool_through(x, spec, "fold")
        for route, y in each(x, spec):
            torch.testing.assert_close(y, expected, rtol=1e-14, atol=1e-14, equal_nan=True, msg=f"{route} {spec}")
        if spec.kind in ("max", "min") and spec.layout == "NCHW":
            for route in offered(x, indexed(spec)):
                values, places = pool_through(x, indexed(spec), route)
                picked = x.flatten(2).gather(2, places.flatten(2)).view(values.shape)
                torch.testing.assert_close(picked, values, rtol=0, atol=0, equal_nan=True, msg=f"{route} {spec}")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_accumulate_in_float32(dtype: Any) -> None:
    """Sums of up to 108 numbers near 8, which in a half type itself would be off by more than one rounding."""
    step = torch.finfo(dtype).eps
    for spec, shape in specs():
        x = (8 + torch.rand(shape, generator=torch.Generator().manual_seed(2))).to(dtype)
        expected = pool_through(x.double(), spec, "fold")
        for route, y in each(x, spec):
            assert y.dtype == dtype
            torch.testing.assert_close(y.double(), expected, rtol=0.51 * step, atol=0, msg=f"{route} {spec}")


EPS = 2.0**-23


@pytest.mark.parametrize("value", ["equal", "random"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "asked",
    [
        {"output_size": 1},
        {"output_size": 2},
        {"output_size": 6},
        {"output_size": 7},
        {"window": 5},
        {"window": 6},
        {"window": 31, "stride": 1},
        {"window": 5, "stride": 1},
    ],
    ids=str,
)
def test_averages_are_within_the_error_that_is_allowed(asked: dict[str, Any], layout: str, value: str) -> None:
    """Maps that are constant, a number a channel, or nearly so: there rounding errors add up to the most.

    4 eps, or a quarter of one for each of at most 128 cells; 4 for gradients.
    """
    shape = (1, 40, 60, 60) if layout == "NCHW" else (1, 60, 60, 40)
    constants = 1 + torch.rand(40, generator=torch.Generator().manual_seed(3))
    x = constants.view((40, 1, 1) if layout == "NCHW" else 40).expand(shape).contiguous()
    x = x if value == "equal" else 100 + torch.rand(shape, generator=torch.Generator().manual_seed(3))
    spec = pk.PoolSpec("avg", layout=layout, **asked)
    cells = (asked.get("window") or -(-60 // asked["output_size"])) ** 2
    expected, exact_gradient = with_gradient(x.double(), spec, "fold")
    for route, y in each(x, spec):
        assert ((y.double() - expected).abs() / expected).max() <= max(4, cells / 4 if cells <= 128 else 4) * EPS, route
    for route in offered(x.detach().requires_grad_(), spec):
        gradient = with_gradient(x, spec, route)[1]
        torch.testing.assert_close(gradient.double(), exact_gradient, rtol=4 * EPS, atol=0, msg=route)


def test_native_is_torchs_own_call() -> None:
    asked = {
        "torch.max_pool2d": pk.MaxPool(3, 2, 1, layout="NCHW"),
        "F.adaptive_avg_pool2d": pk.GlobalAvgPool(layout="NCHW", keepdims=True),
    }
    for call, spec in asked.items():
        assert f"{call}(" in pk.lower(spec, "torch", route="native").source


def test_native_of_a_channels_last_mean_is_a_mean() -> None:
    source = pk.lower(pk.GlobalAvgPool(layout="NHWC", keepdims=True), "torch", route="native").source
    assert "return torch.mean(x, (1, 2), keepdim=True)" in source


def test_a_compiler_pads_before_it_pools() -> None:
    """Inductor's backward pass of a pool that pads reads outside of its input where a window holds -inf only."""
    spec = pk.MaxPool(3, 2, 1, layout="NCHW")
    graphs: list[Any] = []

    def keep(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph

    torch.compile(lambda x: pk.pool(x, spec), backend=keep, fullgraph=True)(torch.rand(1, 2, 8, 8))
    assert re.search(r"(\w+) = torch\._C\._nn\.pad\(.*max_pool2d\(\1, 3, 2\)", graphs[0].code, re.DOTALL)


def test_an_exported_graph_holds_torchs_own_call() -> None:
    for spec, call in (
        (pk.MaxPool(3, 2, 1, layout="NCHW"), "max_pool2d"),
        (pk.AdaptiveAvgPool(1, layout="NCHW"), "adaptive_avg_pool2d"),
    ):
        exported = torch.export.export(spec.layer("torch"), (torch.rand(1, 2, 8, 8),))
        assert call in str(exported.graph)


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("derivative", [False, True])
def test_a_small_map_takes_the_one_call_that_pytorch_has(kind: str, derivative: bool) -> None:
    spec = pk.PoolSpec(kind, window=2, layout="NCHW")

    def name(*shape: int) -> str:
        x = torch.zeros(shape, requires_grad=derivative)
        plan = dispatch.plan_of_tensor(ADAPTER, x, spec)[1]
        return chosen(ADAPTER, plan, ADAPTER.situation(x), None).name

    assert name(1, 4, 32, 32) == "native"
    assert name(1, 5, 32, 32) != "native"


def test_a_map_in_the_memory_format_channels_last_is_not_read_against_its_order() -> None:
    spec = pk.GlobalMaxPool(layout="NCHW", keepdims=True)
    x = torch.ones(1, 64, 56, 56).contiguous(memory_format=torch.channels_last).requires_grad_()
    assert {r.name for r in routes_for(x, spec)}.isdisjoint({"line", "blocks"})
    for layout, name in (("NHWC", "adaptive"), ("NDHWC", "guarded")):  # whatever the strides of the gradient
        assert (
            routes_for(torch.ones((8,) * len(layout), requires_grad=True), spec.replace(layout=layout))[0].name == name
        )
