"""Kinds that are given all cells of a window: against SciPy's rank filters, and in programs that stay short."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

import poolkit as pk
from poolkit.lowering.kinds.median import comparisons
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for

X = np.random.default_rng(3).integers(-9, 10, (2, 2, 9, 12)).astype("float32")


def filtered(rank: int, k: int) -> Any:
    """SciPy's filter where its window is whole."""
    inside = slice(k // 2, -(k // 2))
    whole: Any = ndimage.rank_filter(X, rank, size=(1, 1, k, k))
    return whole[:, :, inside, inside]


@pytest.mark.parametrize("quantile", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("k", [3, 5])
def test_quantiles_are_those_of_a_rank_filter(k: int, quantile: float) -> None:
    spec = pk.PoolSpec("median", window=k, stride=1, quantile=quantile, layout="NCHW")
    np.testing.assert_array_equal(pk.pool(X, spec), filtered(int(quantile * (k * k - 1)), k))


def test_a_program_grows_with_the_side_of_a_window() -> None:
    def lines(spec: pk.PoolSpec) -> int:
        return len(pk.lower(spec, "torch", (1, 1, 64, 64)).source.splitlines())

    small, large = (lines(pk.PoolSpec("median", window=k, layout="NCHW")) for k in (3, 15))
    assert large <= small + 2 * 12
    assert lines(pk.PoolSpec("median", output_size=1, layout="NCHW")) <= small


@pytest.mark.parametrize("n", range(1, 10))
def test_comparisons_bring_the_cell_of_each_rank_to_its_place(n: int) -> None:
    """What sorts zeros and ones sorts everything (Knuth, 5.3.4)."""
    for rank in range(n):
        for cells in itertools.product((0, 1), repeat=n):
            made = list(cells)
            for i, j, low, high in comparisons(n, rank):
                a, b = made[i], made[j]
                made[i], made[j] = min(a, b) if low else a, max(a, b) if high else b
            assert made[rank] == sorted(cells)[rank]


@pytest.mark.parametrize(
    "spec",
    [
        "median window=3 stride=1",
        "median window=2,4 quantile=0.9",
        "fractional_max window=3 output_size=5",
        "fractional_max window=2 output_size=4",
    ],
)
@pytest.mark.parametrize("data", ["", "nan", "ties"])
def test_what_is_chosen_at_once_is_what_the_fold_chooses(spec: str, data: str) -> None:
    x = {"": X, "ties": np.floor(X / 5), "nan": np.where(X > 7, np.float32(np.nan), X)}[data]
    pool = pk.PoolSpec.parse(f"{spec} layout=NCHW")
    seen, held = pool.replace(indices=True), torch.from_numpy(x).requires_grad_()

    assert routes_for(held.detach(), pool)[0].name == "values"
    assert routes_for(held, pool)[0].name == ("spread" if "fractional" in spec else "placed")  # PyTorch's own
    assert routes_for(held.detach(), seen)[0].name == "placed"
    np.testing.assert_array_equal(pk.pool(x, pool), pool_through(x, pool, "fold"))
    np.testing.assert_array_equal(pk.pool(held.detach(), pool), pool_through(x, pool, "fold"))
    values, places = seen(held)
    expected = pool_through(x, seen, "fold")
    np.testing.assert_array_equal(values.detach(), expected[0])
    real = np.isfinite(expected[0])
    np.testing.assert_array_equal(places[real], expected[1][real])
    assert np.isnan(x.reshape(2, 2, -1)).any() == (data == "nan")
    taken = np.take_along_axis(x.reshape(2, 2, -1), places.numpy().reshape(2, 2, -1), 2).reshape(expected[0].shape)
    np.testing.assert_array_equal(taken, expected[0])


@pytest.mark.parametrize("data", ["", "nan", "ties"])
@pytest.mark.parametrize("spec", ["median window=3 stride=2", "fractional_max window=3 output_size=5"])
def test_a_compiled_choice_looks_for_cells_only_where_a_derivative_is_taken(spec: str, data: str) -> None:
    """Values, slopes, and how these change along a line, which is nowhere; the places are not part of the values."""
    jax: Any = pytest.importorskip("jax")
    cells = {"": X, "ties": np.floor(X / 5), "nan": np.where(X > 8, np.float32(np.nan), X)}[data]
    x, u = jax.numpy.asarray(cells), jax.numpy.asarray(X[:, :, ::-1].copy())
    pool = pk.PoolSpec.parse(f"{spec} layout=NCHW")

    def told(name: str) -> list[Any]:
        def value(t: Any) -> Any:
            return (pool_through(t, pool, name) * jax.numpy.arange(1.0, 6.0)[: pool.output_shape(t.shape)[-1]]).sum()

        slopes = jax.grad(value)
        every = jax.vmap(lambda t: pool_through(t, pool, name))(jax.numpy.stack([x, u]))
        return [every, slopes(x), jax.jvp(slopes, (x,), (u,))[1], jax.jvp(value, (x,), (u,))[1]]

    assert routes_for(x, pool)[0].name == "sought"
    results = told("sought")
    for found, wanted in zip(results, told("fold"), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert not np.any(results[2])
    assert " = ne " not in str(jax.make_jaxpr(lambda t: pool_through(t, pool, "sought"))(x))


def test_pytorch_exports_a_masked_median_of_any_number_of_cells() -> None:
    """torch.take_along_dim makes the length of the example of one that is not known."""
    spec, cells = pk.PoolSpec("median", output_size=1, layout="NLC"), torch.export.Dim("cells")

    class Masked(torch.nn.Module):
        def forward(self, x: torch.Tensor, mask: torch.Tensor) -> Any:
            return pk.pool(x, spec, mask=mask)

    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 9, 3)))
    given = x, x[..., 0] > 0
    exported = torch.export.export(Masked(), given, dynamic_shapes=({1: cells}, {1: cells}), strict=False).module()

    found = exported(x[:, :5], given[1][:, :5])
    np.testing.assert_array_equal(found, pk.pool(x[:, :5].numpy(), spec, mask=given[1][:, :5].numpy()))
