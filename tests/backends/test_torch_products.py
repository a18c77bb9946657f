"""Masked sums of PyTorch as products of matrices, with a derivative of large ones: right for any, and in float32."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch

import poolkit as pk
from poolkit.lowering.products import in_a_row
from poolkit.running import dispatch
from poolkit.running.dispatch import plan_of_tensor
from poolkit_torch import adapter
from poolkit_torch.adapter import ADAPTER

AVG, SUM = (pk.PoolSpec(kind, output_size=1, layout="NLC") for kind in ("avg", "sum"))
LENGTH = 24


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adapter, "SMALL", 0)
    dispatch.forget()
    yield
    dispatch.forget()


def products() -> list[bool]:
    """Whether each program that ran is one of matrices."""
    return [p.route.startswith("product") for p in dispatch._PROGRAMS["torch"].values()]  # pyright: ignore[reportPrivateUsage]


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).float()


def masked(*shape: int) -> torch.Tensor:
    """The first cells of each of a batch; of the last one none."""
    lengths = torch.arange(shape[0] - 1, -1, -1) * math.prod(shape[1:]) // max(shape[0] - 1, 1)
    return (torch.arange(math.prod(shape[1:])) < lengths[:, None]).reshape(shape)


def defined(x: torch.Tensor, mask: torch.Tensor, spec: pk.PoolSpec) -> torch.Tensor:
    axes = tuple(range(1, x.dim() - 1))
    real = mask.reshape(*mask.shape[: x.dim() - 1], -1)
    added = torch.where(real, x.double(), 0).sum(axes, keepdim=spec.keepdims)
    count = real.sum(axes, keepdim=spec.keepdims).clamp(min=1)
    return added / (spec.divisor_override or (count if spec.kind == "avg" else 1))


SPECS = [
    AVG,
    SUM,
    AVG.replace(keepdims=False),
    AVG.replace(divisor_override=3),
    *[pk.PoolSpec(kind, output_size=1, layout="NHWC", keepdims=kind == "avg") for kind in ("avg", "sum")],
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int32], ids=str)
def test_the_numbers_are_those_of_the_definition(spec: pk.PoolSpec, dtype: torch.dtype) -> None:
    sizes = (4, LENGTH) if spec.layout == "NLC" else (4, 4, 6)
    x, mask = (numbers(*sizes, 5) * 9).to(dtype), masked(*sizes)
    off = 4e-3 if dtype == torch.bfloat16 else 1e-6
    for form in (mask, mask[..., None], mask.to(torch.int64)):
        found = pk.pool(x, spec, mask=form)
        torch.testing.assert_close(found.double(), defined(x, form > 0, spec), rtol=off, atol=9 * off)
    assert products() == [True, True, True]


def test_a_cell_out_of_range_counts_where_it_is_real_and_not_where_it_is_masked() -> None:
    x, mask = numbers(4, LENGTH, 5), masked(4, LENGTH)
    for value in (math.nan, math.inf, -math.inf, 3e38):
        hidden = torch.where(mask[..., None], x, value)
        torch.testing.assert_close(pk.pool(hidden, AVG, mask=mask), pk.pool(x, AVG, mask=mask), equal_nan=True)
        x[0, :2, 1] = value
        found = pk.pool(x, SUM, mask=mask)
        wanted = torch.where(mask[..., None], x, 0).sum(1, keepdim=True)
        torch.testing.assert_close(found, wanted, equal_nan=True)
    assert products() == [True, True]


def test_few_cells_are_added_up_in_a_row() -> None:
    """Equal cells are rounded alike each time: in one row of 512 they are 20 to 60 eps off, and 4 are allowed."""
    x = torch.rand(768, generator=torch.Generator().manual_seed(0)).expand(3, 512, 768).contiguous()
    mask = masked(3, 512)
    found, wanted = pk.pool(x, AVG, mask=mask), defined(x, mask, AVG)
    assert products() == [True]
    assert ((found.double() - wanted).abs() <= 4 * torch.finfo(torch.float32).eps * wanted.abs()).all()


@pytest.mark.parametrize(
    ("shape", "layout", "row"),
    [
        ((2, 512, 3), "NLC", 8),
        ((2, 14, 14, 3), "NHWC", 7),
        ((2, 50, 3), "NLC", 5),
        ((2, 197, 3), "NLC", 0),
        ((2, 3, 512), "NCL", 0),
        ((512, 3), "LC", 0),
        ((2, 3, 16, 3), "NTLC", 0),
    ],
)
def test_rows_divide_the_cells_between_a_batch_and_its_channels(shape: tuple[int, ...], layout: str, row: int) -> None:
    spec = pk.PoolSpec("avg", output_size=1, layout=layout, axes="L" if "T" in layout else None)
    assert in_a_row(plan_of_tensor(ADAPTER, torch.ones(shape), spec)[1]) == row
    if len(shape) < 4:
        mask = torch.ones([n for n, c in zip(shape, layout, strict=True) if c != "C"], dtype=torch.bool)
        torch.testing.assert_close(pk.pool(torch.ones(shape), spec, mask=mask).unique(), torch.ones(1))
        assert products() == [row > 0]


def test_an_input_is_large_together_with_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    x, mask = numbers(4, LENGTH, 5), masked(4, LENGTH)
    for most in (x.numel(), 2 * x.numel(), 2 * x.numel() + 1):
        monkeypatch.setattr(adapter, "LARGE", most)
        dispatch.forget()
        pk.pool(x.requires_grad_(), AVG, mask=mask)
        assert products() == [most <= 2 * x.numel()]


def test_of_large_inputs_a_derivative_is_one_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "LARGE", 0)
    x, mask = numbers(4, LENGTH, 5).requires_grad_(), masked(4, LENGTH)
    wanted = (mask / mask.sum(1, keepdim=True).clamp(min=1))[..., None].expand(x.shape)
    for value in (0.5, math.nan, math.inf):
        hidden = torch.where(mask[..., None], x, value)
        found = pk.pool(hidden, AVG, mask=mask)
        torch.testing.assert_close(found, defined(x, mask, AVG).float(), rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(torch.autograd.grad(found.sum(), x)[0], wanted)
    assert products() == [True]
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(pk.pool(x, AVG, mask=mask), pk.pool(x.detach(), AVG, mask=mask))
    assert products().count(True) == 1


def test_where_products_are_rounded_a_mask_has_channels_or_a_derivative_is_taken_none_is_made() -> None:
    x, mask = numbers(4, LENGTH, 5), masked(4, LENGTH)
    wanted = pk.pool(x, AVG, mask=mask)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(pk.pool(x, AVG, mask=mask), wanted, rtol=1e-6, atol=1e-6)
    assert products() == [True, False]
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        torch.testing.assert_close(pk.pool(x, SUM, mask=mask), defined(x, mask, SUM).float(), rtol=1e-5, atol=1e-5)
    finally:
        torch.set_float32_matmul_precision(before)
    torch.testing.assert_close(pk.pool(x, AVG, mask=mask[..., None].expand(x.shape).clone()), wanted)
    torch.testing.assert_close(pk.pool(x.requires_grad_(), AVG, mask=mask).detach(), wanted)
    torch.testing.assert_close(pk.pool(x.detach().mT.contiguous().mT, AVG, mask=mask), wanted)
    assert products().count(True) == 1
