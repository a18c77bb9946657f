"""Tensors that two processes hold parts of pool, and differentiate, to the numbers of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.multiprocessing.spawn import spawn  # pyright: ignore[reportUnknownVariableType]

import poolkit as pk

PROCESSES = 2
KINDS = ("avg", "max", "min", "sum", "softmax", "lp", "gem", "logsumexp", "median", "stochastic")
SPECS: list[pk.PoolSpec] = [
    *[pk.PoolSpec(kind, window=3, stride=2, padding="same", layout="NCHW") for kind in KINDS],
    *[pk.PoolSpec(kind, output_size=1, layout="NHWC", keepdims=False) for kind in KINDS],
    pk.BlurPool(layout="NCHW", pad_mode="reflect"),
    *[pk.PoolSpec(kind, output_size=3, layout="NCHW") for kind in ("avg", "max", "median")],
    *[pk.PoolSpec(kind, output_size=5, layout="NHWC") for kind in ("avg", "max")],
    *[pk.MaxPool(2, layout="NCHW", indices=True), pk.AvgPool(2, layout="NHWC", divisor_override=3)],
    *[pk.GlobalMaxPool(layout="NCHW", keepdims=True), pk.GlobalAvgPool(layout="NCHW", keepdims=True)],
]
PLACEMENTS = (Shard(0), Shard(1), Shard(2), Replicate())


def of(x: torch.Tensor, spec: pk.PoolSpec) -> list[torch.Tensor]:
    """The result, its gradient, and the indices if there are any."""
    found: Any = pk.pool(x, spec)
    values, *indices = found if spec.indices else (found,)
    return [values, *torch.autograd.grad(values.square().sum(), x), *indices]


def differs(spec: pk.PoolSpec, placement: Shard | Replicate, mesh: DeviceMesh) -> str | None:
    """What is not as on one device, of the result and of the gradient."""
    # Its gradient, (2a - average) / sum, cancels, and in float32 the order of sums is seen.
    dtype = torch.float64 if spec.kind == "stochastic" else torch.float32
    plain = torch.arange(2 * 4 * 10 * 10).mul(7).remainder(31).to(dtype).div(31).view(2, 4, 10, 10).requires_grad_()
    parts = distribute_tensor(plain.detach(), mesh, [placement]).requires_grad_()
    expected, found = of(plain, spec), of(parts, spec)
    for name, one, other in zip(("values", "gradients", "indices"), expected, found, strict=False):
        if not isinstance(other, DTensor):
            return f"{spec}, {placement}: {name} are whole"
        if not torch.allclose(other.full_tensor(), one):
            return f"{spec}, {placement}: {name} differ"
    return None


def compare(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    where = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=where, rank=rank, world_size=PROCESSES)
    try:
        mesh = init_device_mesh("cpu", (PROCESSES,))
        found = [differs(spec, placement, mesh) for spec in SPECS for placement in PLACEMENTS]
        Path(folder, str(rank)).write_text("\n".join(map(str, found)))
    finally:
        distributed.destroy_process_group()


def test_shards_pool_to_the_numbers_of_the_whole(tmp_path: Path) -> None:
    spawn(compare, (str(tmp_path),), nprocs=PROCESSES)

    for rank in range(PROCESSES):
        found = (tmp_path / str(rank)).read_text().splitlines()
        assert found == ["None"] * len(PLACEMENTS) * len(SPECS)


def test_nothing_of_a_mesh_is_in_a_program() -> None:
    assert "mesh" not in pk.lower(pk.PoolSpec("median", window=2, layout="NCHW"), "torch").source
