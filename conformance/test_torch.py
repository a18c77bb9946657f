from __future__ import annotations

import pytest
import torch
from torch._dynamo.testing import CompileCounter

import poolkit as pk
from poolkit_conformance import PoolConformance


class TestTorch(PoolConformance):
    backend = "torch"


# What a model consists of: adaptive bins, a global maximum, windows whose padding depends on the size, both layouts.
DYNAMIC = [
    pk.PoolSpec("avg", output_size=6, layout="NCHW"),
    pk.PoolSpec("max", output_size=1, layout="NCHW", keepdims=False),
    pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC", indices=True),
    pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NHWC"),
    pk.PoolSpec("max", window=3, stride=2, padding=1, ceil_mode=True, layout="NCHW"),
    pk.PoolSpec("softmax", window=2, layout="NCHW"),
    pk.PoolSpec("max", window=3, stride=2, padding=1, layout="NCL"),
    pk.PoolSpec("min", window=3, stride=2, padding="same", layout="NLC"),
]
SIZES = (8, 9, 13, 32, 57)


def same(found: object, expected: object) -> None:
    torch.testing.assert_close(found, expected, equal_nan=True)


@pytest.mark.parametrize("spec", DYNAMIC, ids=str)
def test_five_sizes_are_compiled_at_most_twice(spec: pk.PoolSpec) -> None:
    torch._dynamo.reset()
    counter = CompileCounter()
    run = torch.compile(lambda x: pk.pool(x, spec), backend=counter, dynamic=True, fullgraph=True)

    for n in SIZES:
        x = torch.randn((2, n, n + 3, 5)[: len(spec.layout)])
        same(run(x), pk.pool(x, spec))

    assert counter.frame_count <= 2


def test_pytorch_takes_a_size_of_one_for_a_constant() -> None:
    """Why `constants` leaves out what has one window: a program of PyTorch's own layer for any size takes no other."""
    axes = dict.fromkeys((2, 3), torch.export.Dim.DYNAMIC)
    program = torch.export.export(torch.nn.AvgPool2d(2), (torch.ones(1, 1, 2, 2),), dynamic_shapes=(axes,)).module()

    with pytest.raises(AssertionError, match="Guard failed"):
        program(torch.ones(1, 1, 4, 4))


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "not_strict"])
@pytest.mark.parametrize("spec", DYNAMIC, ids=str)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_an_exported_program_takes_any_batch_and_size(spec: pk.PoolSpec, strict: bool) -> None:
    class Model(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> object:
            return pk.pool(x, spec)

    torch._dynamo.reset()
    axes = len(spec.layout)
    dynamic = dict.fromkeys(range(axes), torch.export.Dim.DYNAMIC)
    given = torch.randn((3, 17, 20, 12)[:axes])
    program = torch.export.export(Model(), (given,), dynamic_shapes=(dynamic,), strict=strict).module()

    for shape in ((2, 13, 14, 9), (5, 32, 21, 16)):
        x = torch.randn(shape[:axes])
        same(program(x), pk.pool(x, spec))
