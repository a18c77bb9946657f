"""Kinds that are sums, powers and quotients run on an adapter's routes for sums, and give what the fold gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.lowering.derived import Derived
from poolkit.running import registry
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit_conformance import runner

GLOBAL: dict[str, Any] = {"layout": "NCL", "output_size": 1, "keepdims": False}
WINDOWS: dict[str, Any] = {"layout": "NCL", "window": 3, "stride": 2, "padding": "same"}
WHOLE = [pk.PoolSpec(kind, **GLOBAL) for kind in ("lp", "gem", "logsumexp", "softmax")]
SLIDING = [
    pk.PoolSpec("lp", **WINDOWS),
    pk.PoolSpec("lp", p=3.0, normalize="mean", **WINDOWS),
    pk.PoolSpec("gem", p=1.5, **WINDOWS),
]
PLAIN = [pk.PoolSpec("lp", p=p, **WINDOWS) for p in (1.0, float("inf"))]
BOUNDED = [pk.PoolSpec(kind, **WINDOWS, beta=beta) for kind in ("softmax", "logsumexp") for beta in (1.0, -4.0)]
FAR = [1e20, 3e38, 0.0, 0.0, 1e-30, -2e-30, 1e-6, 0.0, 3.0, -4.0, 1e-38, 2.0]


def first(h: Any, spec: Any, x: Any, **tensors: Any) -> str:
    return str(routes_for(x, spec, **tensors)[0].name).split(":")[0]


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax", "keras"])
def test_the_first_route_is_by_sums(backend: str) -> None:
    h = runner.harness(backend)
    x, mask = h.from_numpy(np.ones((2, 3, 12), "float32")), h.from_numpy(np.ones((2, 12), "bool"))
    p = h.from_numpy(np.ones((), "float32"))
    tries = backend in ("torch", "tensorflow")
    way = "tried" if tries else "relative"
    if backend != "keras":  # whose tensors are those of any engine
        assert {first(h, spec, x) for spec in WHOLE} == {"derived" if backend == "jax" else way}
        assert {first(h, spec, x, mask=mask) for spec in WHOLE} == {way}
    assert first(h, WHOLE[1], x, p=p) == "relative"
    assert {first(h, spec, x) for spec in PLAIN} == {"plain"}
    if backend != "keras":
        way = "tried" if tries else "bounded"
        assert {first(h, spec, x) for spec in SLIDING} == {"wide" if backend == "numpy" else way}
        assert {first(h, spec, x) for spec in BOUNDED} == {first(h, BOUNDED[0], x, mask=mask)} == {way}
        assert first(h, BOUNDED[0], x, beta=p) == way
    if tries:
        many = h.from_numpy(np.ones((2, 3, 60), "float32"))
        assert first(h, SLIDING[0].replace(window=26), many) == "wide"
        assert first(h, BOUNDED[0].replace(window=26), many) == "bounded"


@pytest.mark.parametrize("ending", [[], [np.inf], [-np.inf], [np.nan]], ids=str)
@pytest.mark.parametrize("spec", [*WHOLE[:2], *SLIDING], ids=str)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_cells_that_are_far_apart_are_right_in_every_window(backend: str, spec: Any, ending: list[float]) -> None:
    h, cells = runner.harness(backend), np.array([[[*FAR, *ending]]], "float32")
    x, wanted = h.from_numpy(cells), pool_through(cells.astype("float64"), spec, "fold")
    for route in routes_for(x, spec):
        found = h.to_numpy(pool_through(x, spec, route.name))
        np.testing.assert_allclose(found, wanted.astype("float32"), rtol=1e-6)


# The last cell is the only one that is far from 0, so that a map's other windows are folded for its sake alone.
@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
@pytest.mark.parametrize("spec", BOUNDED, ids=str)
def test_exponentials_on_both_sides_of_the_bound(backend: str, spec: Any) -> None:
    h = runner.harness(backend)
    for last in (3.9, 16.1, -400.0, 1e30):
        cells = np.array([[[0.3, -1.0, 2.0, 2.0, 0.0, 0.0, -3.0, last]]], "float32")
        wanted = pool_through(cells.astype("float64"), spec, "fold")
        np.testing.assert_allclose(h.to_numpy(pk.pool(h.from_numpy(cells), spec)), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [1.0, 1e-14, 1e-25, 1e30])
@pytest.mark.parametrize("spec", [*SLIDING, pk.StochasticPool(3, 2, layout="NCL")], ids=str)
def test_powers_on_both_sides_of_the_bound(spec: Any, size: float) -> None:
    """In float64 the same at the eighth power, whose bound is as many times as far."""
    cells = np.array([[[0.3, -1.0, 2.0, 2.0, 0.0, 0.0, -3.0, 0.1, 5.0, 0.0, 0.0, 0.0]]]) * size
    wanted = pool_through(cells.astype("float32").astype("float64"), spec, "fold")
    x = registry.adapter("jax").from_numpy(cells.astype("float32"))
    np.testing.assert_allclose(np.asarray(pk.pool(x, spec)), wanted, rtol=1e-6)
    far = cells * size**7
    assert {r.name.split(":")[0] for r in routes_for(far, spec)} >= {"bounded", "fold"}
    np.testing.assert_allclose(pk.pool(far, spec), pool_through(far, spec, "fold"), rtol=1e-14)


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
def test_a_learned_beta_of_next_to_nothing(backend: str) -> None:
    h = runner.harness(backend)
    x, beta = (h.from_numpy(np.array(t, "float32")) for t in ([[[1e38, 1e38, 1e38]]], [1e-37]))
    found = h.to_numpy(pk.pool(x, pk.SoftPool(2, stride=1, layout="NCL"), beta=beta))
    np.testing.assert_allclose(found, np.full((1, 1, 2), 1e38), rtol=1e-6)


def test_maps_on_both_sides_of_the_bound_under_vmap() -> None:
    """Where each map has its own bound JAX runs both branches, and keeps the gradient out of the one not taken."""
    jax: Any = pytest.importorskip("jax")
    spec, maps = pk.SoftPool(2, stride=1, layout="L"), np.array([[0.3, -1.0, 2.0], [1e30, 0.0, 1.0]], "float32")

    def total(maps: Any) -> Any:
        return jax.vmap(spec)(maps).sum()

    slopes = jax.grad(total)(jax.numpy.asarray(maps))
    for cells, found in zip(maps.astype("float64"), slopes, strict=True):
        windows = np.stack([cells[:2], cells[1:]])
        weights = np.exp(windows - windows.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        each = weights * (1 + (windows - (weights * windows).sum(1, keepdims=True)))
        np.testing.assert_allclose(found, [each[0, 0], each[0, 1] + each[1, 0], each[1, 1]], rtol=1e-5)


@pytest.mark.parametrize(("most", "wanted"), [(4.0, [2.0, -6.0]), (3.0, [0.0, -4.0])])
def test_a_branch_by_other_primitives(most: float, wanted: list[float]) -> None:
    """An adapter of somebody else has no own one."""
    base: Any = registry.adapter("numpy").ops
    o: Any = type("Bare", (base,), {name: getattr(Derived, name) for name in ("between", "branch")})(1, "float64")
    x = np.array([1.0, -3.0])

    def near(x: Any) -> Any:
        return o.multiply(x, 2.0)

    def far(x: Any) -> Any:
        return o.subtract(x, 1.0)

    assert o.branch(o.between(x, -most, most), near, far, x).tolist() == wanted


NEAR = np.array([[[0.5, 2.0, 1.0, 0.25, 0.5, 1.5]]], "float32")
DERIVED = [
    *WHOLE,
    pk.PoolSpec("softmax", grad="semi", **GLOBAL),
    pk.PoolSpec("lp", p=3.0, **GLOBAL),
    pk.PoolSpec("logsumexp", beta=-4.0, **GLOBAL),
    pk.PoolSpec("stochastic", **GLOBAL),
]


@pytest.mark.parametrize(
    "cells",
    [NEAR, NEAR * 1e30, NEAR * 1e-30, NEAR - 1.0, np.zeros_like(NEAR), NEAR + np.array([0, 0, 0, np.inf, 0, 0], "f")],
    ids=["near", "large", "small", "signs", "zeros", "infinite"],
)
@pytest.mark.parametrize("spec", DERIVED, ids=str)
def test_a_derivative_by_hand_is_that_of_the_fold(spec: Any, cells: Any) -> None:
    """In both branches: values, slopes, how slopes change, and in forward mode; `vmap` runs both.

    An infinite cell makes a softmax NaN.
    """
    jax: Any = pytest.importorskip("jax")
    x, u = jax.numpy.asarray(cells), jax.numpy.asarray(NEAR[:, :, ::-1].copy())
    names = [route.name for route in routes_for(x, spec)]
    assert names[0].startswith("derived: ")
    if spec.kind == "softmax" and not np.isfinite(cells).all():
        return

    def told(name: str) -> list[Any]:
        def value(t: Any) -> Any:
            return pool_through(t, spec, name)[0, 0]

        def slopes(t: Any) -> Any:
            return jax.grad(value)(t)

        every = jax.vmap(value)(jax.numpy.stack([x, jax.numpy.asarray(NEAR)]))
        return [value(x), slopes(x), jax.jvp(slopes, (x,), (u,))[1], jax.jvp(value, (x,), (u,))[1], every]

    results, expected = told(names[0]), told("fold")
    for found, wanted in zip(results, expected, strict=True):
        scale = np.abs(np.nan_to_num(np.asarray(wanted), posinf=0.0)).max()
        atol = max(2e-6 * float(scale), 2e-7 if spec.kind == "logsumexp" else 0.0)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=atol)


@pytest.mark.parametrize("middle", [-1e4, -94.0, -88.0, -17.0, 0.0, 12.0, 17.0, 87.0, 1e4])
@pytest.mark.parametrize("fields", [GLOBAL, WINDOWS], ids=["whole", "windows"])
@pytest.mark.parametrize("kind", ["softmax", "logsumexp", "stochastic"])
def test_values_alone_are_those_beside_a_derivative(kind: str, fields: dict[str, Any], middle: float) -> None:
    """Without one it is the values that tell whether exponentials were in range, of cells of any spread."""
    jax: Any = pytest.importorskip("jax")
    spec, rng = pk.PoolSpec(kind, **fields), np.random.default_rng(0)
    for spread in (0.5, 8.0, 60.0):
        cells = (middle + spread * rng.standard_normal((2, 3, 40))).astype("float32")
        wanted = pool_through(cells.astype("float64"), spec, "fold")
        x, most = jax.numpy.asarray(cells), float(np.abs(cells).max())
        np.testing.assert_allclose(spec(x), wanted, atol=1e-6 * most)
        np.testing.assert_allclose(jax.vjp(spec, x)[0], wanted, atol=1e-6 * most)


@pytest.mark.parametrize("size", [1e-6, 3e5])
@pytest.mark.parametrize("fields", [GLOBAL, WINDOWS], ids=["whole", "windows"])
def test_a_root_of_powers_that_are_tried_has_two_derivatives(fields: dict[str, Any], size: float) -> None:
    """Fourth powers add up to 2**-75 and 2**77, whose root has a second derivative by the power 1.75 of that."""
    torch: Any = pytest.importorskip("torch")
    spec = pk.PoolSpec("lp", p=4.0, **fields)

    def bent(dtype: Any, name: str) -> Any:
        x = torch.tensor(NEAR * np.float32(size), dtype=dtype, requires_grad=True)
        (slope,) = torch.autograd.grad(pool_through(x, spec, name).sum(), x, create_graph=True)
        return torch.autograd.grad((slope * torch.tensor(NEAR[:, :, ::-1].copy())).sum(), x)[0]

    name = routes_for(torch.from_numpy(NEAR).requires_grad_(), spec)[0].name
    assert name.startswith("tried")
    found, wanted = bent(torch.float32, name), bent(torch.float64, "fold")
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * float(wanted.abs().max()))
