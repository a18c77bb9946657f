"""What a function makes of its arguments is made once, of the same arguments alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import poolkit as pk
from poolkit.running import dispatch
from poolkit.running import segment as segment_module
from poolkit.running import unpool as unpool_module

ROWS, IDS = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 0, 1])


def test_one_operation_serves_the_same_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls(x: torch.Tensor, ids: torch.Tensor, kind: str = "sum") -> int:
        made.clear()
        pk.segment(x, ids, 3, kind)
        return len(made)

    def noted(*args: Any, **named: Any) -> pk.Segment:
        made.append(args)
        return pk.Segment(*args, **named)

    made: list[Any] = []
    monkeypatch.setattr(segment_module, "Segment", noted)
    pk.segment(ROWS, IDS, 2)  # which makes the type of tensors known
    dispatch.forget()
    assert [calls(ROWS, IDS), calls(ROWS + 1, IDS + 1), calls(ROWS, IDS, "max"), calls(ROWS, IDS)] == [1, 0, 1, 0]
    assert calls(ROWS[:2], IDS[:2]) == 1  # of another shape


def test_one_unpool_serves_the_same_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    def noted(pooling: pk.PoolSpec, size: Any) -> pk.Unpool:
        made.append(size)
        return pk.Unpool(pooling, size)

    made: list[Any] = []
    monkeypatch.setattr(unpool_module, "Unpool", noted)
    pool = pk.MaxPool(2, layout="NCL", indices=True)
    x = torch.arange(12.0).reshape(1, 3, 4)
    for size in (4, (4,), (4,), 4, "smallest", "smallest"):
        values, indices = pk.pool(x, pool)
        pk.unpool(values, indices, pool, size)
    assert made == [4, (4,), "smallest"]


def test_what_can_change_is_no_key() -> None:
    values, indices = pk.pool(
        torch.tensor([[[1.0, 5.0, 2.0, 4.0, 3.0]]]), pool := pk.MaxPool(2, layout="NCL", indices=True)
    )
    size = [5]
    assert pk.unpool(values, indices, pool, size).shape == (1, 1, 5)
    size[0] = 4
    assert pk.unpool(values, indices, pool, size).shape == (1, 1, 4)
    assert pk.unpool(values, indices, pool, torch.Size([5])).shape == (1, 1, 5)


@pytest.mark.parametrize("number", [True, 2.5, "2", None, [2]])
def test_an_argument_that_equals_a_right_one_is_as_wrong_as_before(number: Any) -> None:
    pk.segment(ROWS, IDS, 1)
    pk.segment(ROWS, IDS, 2)
    with pytest.raises(pk.SpecError, match="num_segments"):
        pk.segment(ROWS, IDS, number)


def test_segments_and_unpools_of_the_same_arguments_are_compiled() -> None:
    def both(x: torch.Tensor) -> Any:
        values, indices = torch.nn.functional.max_pool1d(x, 2, return_indices=True)
        pool = pk.MaxPool(2, layout="NCL", indices=True)
        return pk.segment(x[0], torch.tensor([0, 0, 1]), 2), pk.unpool(values, indices, pool, 4)

    x = torch.arange(12.0).reshape(1, 3, 4)
    for _ in range(2):
        found = torch.compile(both, backend="eager", fullgraph=True)(x)
        torch.testing.assert_close(found, both(x))
        torch.compiler.reset()
