"""Large batches of PyTorch are pooled some at a time where other cells are made of them: the same numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch.autograd.functional import jvp

import poolkit as pk
from poolkit.lowering import parted
from poolkit.running import dispatch

KINDS = ("softmax", "lp", "gem p=2.5", "logsumexp beta=2.0", "stochastic", "std")
TOKENS = [pk.PoolSpec.parse(f"{kind} output_size=1 layout=NLC keepdims=false") for kind in KINDS]
WINDOWS = [pk.PoolSpec.parse(f"{kind} window=3 layout=NCL") for kind in (*KINDS, "blur")]
AT_ONCE = [pk.PoolSpec.parse(f"{kind} window=3 layout=NCL") for kind in ("avg", "max", "median", "mean_sqrt")]
SLIDING = [pk.PoolSpec.parse(f"{kind} window=7 stride=1 padding=same layout=NHW") for kind in ("avg", "max", "min")]
AT_ONCE += [
    pk.PoolSpec("softmax", output_size=1, layout="LC"),
    pk.PoolSpec("max", window=3, layout="NCL", indices=True),
]


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parted, "MANY", 1)
    monkeypatch.setattr(parted, "SOME", 2 * 12 * 9)  # two of a batch of maps of 12x9
    dispatch.forget()
    yield
    dispatch.forget()


def sources() -> list[bool]:
    """Whether each program that ran does so in parts."""
    return ["in_parts" in p.source for p in dispatch._PROGRAMS["torch"].values()]  # pyright: ignore[reportPrivateUsage]


def numbers(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand((5, 12, 9), generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype) - 0.25


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("spec", [*TOKENS, *WINDOWS], ids=str)
def test_the_numbers_are_those_of_the_whole(
    spec: pk.PoolSpec, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = numbers(dtype)
    endless = x.clone()
    endless[1, 2] = math.inf  # of which another branch is taken, in its part alone
    parts = [pk.pool(x, spec), pk.pool(endless, spec)]
    assert sources() == [True]
    monkeypatch.setattr(parted, "MANY", math.inf)
    dispatch.forget()
    for part, whole in zip(parts, (pk.pool(x, spec), pk.pool(endless, spec)), strict=True):
        torch.testing.assert_close(part, whole, rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("spec", SLIDING, ids=str)
def test_windows_that_overlap_cell_by_cell_are_the_same_in_parts(
    spec: pk.PoolSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand((5, 30, 40), generator=torch.Generator().manual_seed(0))  # of fewer numbers it is one call
    parts = pk.pool(x, spec)
    pk.pool(x, spec.replace(window=2))  # for which two passes are enough
    pk.pool(x.requires_grad_(), spec)
    assert sources() == [True, False, False]
    monkeypatch.setattr(parted, "MANY", math.inf)
    dispatch.forget()
    assert torch.equal(parts, pk.pool(x.detach(), spec))
    assert sources() == [False]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # PyTorch's own use of it
@pytest.mark.parametrize("spec", TOKENS, ids=str)
def test_derivatives_of_each_order_and_mode_are_those_of_the_whole(
    spec: pk.PoolSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = numbers().requires_grad_()

    def found() -> list[torch.Tensor]:
        (first,) = torch.autograd.grad((spec(x) ** 2).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad((first**2).sum(), x)
        forward = jvp(spec, x.detach(), torch.ones_like(x), strict=False)[1]
        with torch.autograd.forward_ad.dual_level():
            dual = spec(torch.autograd.forward_ad.make_dual(x.detach(), torch.ones_like(x)))
            change = torch.autograd.forward_ad.unpack_dual(dual).tangent
        assert change is not None
        return [first.detach(), second, forward.detach(), change]

    parts = found()
    assert set(sources()) == {True}
    monkeypatch.setattr(parted, "MANY", math.inf)
    dispatch.forget()
    for part, whole in zip(parts, found(), strict=True):
        torch.testing.assert_close(part, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("spec", AT_ONCE, ids=str)
def test_what_makes_no_other_cells_is_pooled_at_once(spec: pk.PoolSpec) -> None:
    pk.pool(numbers()[0] if spec.layout == "LC" else numbers(), spec)
    assert sources() == [False]


def test_windows_with_a_derivative_small_batches_masks_and_others_memory_are_pooled_at_once() -> None:
    spec, x = TOKENS[0], numbers()
    pk.pool(x.requires_grad_(), WINDOWS[0])
    pk.pool(x.detach()[:1], spec)
    pk.pool(x.detach(), spec, mask=torch.ones(5, 12, dtype=torch.bool))
    pk.pool(x.detach().mT.contiguous().mT, spec.replace(kind="lp"))
    assert set(sources()) == {False}
    torch.func.vmap(spec)(x.detach()[None])
    assert set(sources()) == {False}


def test_the_program_runs_alone() -> None:
    spec, x = TOKENS[0], numbers()
    wanted = pk.pool(x, spec)
    (program,) = dispatch._PROGRAMS["torch"].values()  # pyright: ignore[reportPrivateUsage]
    alone: dict[str, object] = {}
    exec(program.source, alone)
    pool = alone["pool"]
    assert callable(pool)
    torch.testing.assert_close(pool(x), wanted, rtol=0, atol=0)
    assert "in_parts" not in pk.lower(spec, "torch", x.shape).source
