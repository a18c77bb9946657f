"""poolkit_torch's layers against torch.nn's own: the same arguments, the same numbers."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch

import poolkit as pk
import poolkit_torch

SIZES = {1: (11,), 2: (9, 12), 3: (6, 5, 8)}

MAX: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True},
    {"kernel_size": 2, "stride": 1, "dilation": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1, "return_indices": True},
    {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True, "return_indices": True},
)
AVG: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True, "count_include_pad": False},
    {"kernel_size": 2, "stride": 3, "divisor_override": 5},
)
ADAPTIVE: tuple[dict[str, Any], ...] = ({"output_size": 1}, {"output_size": 3}, {"output_size": 13})
INDEXED = tuple({**options, "return_indices": True} for options in ADAPTIVE)

CASES = [
    (f"{name}{rank}d", rank, options)
    for name, table in {
        "MaxPool": MAX,
        "AvgPool": AVG,
        "AdaptiveAvgPool": ADAPTIVE,
        "AdaptiveMaxPool": (*ADAPTIVE, *INDEXED),
    }.items()
    for rank in SIZES
    for options in table
    if not (rank == 1 and "divisor_override" in options)
]


def both(name: str, options: dict[str, Any]) -> tuple[Any, Any]:
    return getattr(poolkit_torch, name)(**options), getattr(torch.nn, name)(**options)


@pytest.mark.parametrize("batch", [(), (2,)], ids=["unbatched", "batched"])
@pytest.mark.parametrize(("name", "rank", "options"), CASES, ids=str)
def test_numbers_and_gradients_are_torchs(
    name: str, rank: int, options: dict[str, Any], batch: tuple[int, ...]
) -> None:
    ours, theirs = both(name, options)
    x = torch.randn(*batch, 3, *SIZES[rank], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x))
    gradients = []
    for layer in (ours, theirs):
        t = x.clone().requires_grad_()
        y = layer(t)
        y = y[0] if isinstance(y, tuple) else y
        gradients.append(torch.autograd.grad((y * torch.arange(y.numel()).view(y.shape)).sum(), t)[0])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", ["AdaptiveAvgPool2d", "AdaptiveMaxPool2d"])
@pytest.mark.parametrize("size", [None, (None, 2), (4, None)])
def test_sizes_that_are_kept(name: str, size: Any) -> None:
    ours, theirs = both(name, {"output_size": size})
    x = torch.randn(2, 3, 9, 12)
    torch.testing.assert_close(ours(x), (x if size is None else theirs(x)))


def test_positional_arguments_stand_in_torchs_order() -> None:
    x = torch.randn(1, 2, 9, 12)
    pairs = [
        ("MaxPool2d", (3, 2, 1, 2, True, True)),
        ("AvgPool2d", (3, 2, 1, True, False)),
        ("AdaptiveMaxPool2d", (2, True)),
    ]
    for name, arguments in pairs:
        torch.testing.assert_close(getattr(poolkit_torch, name)(*arguments)(x), getattr(torch.nn, name)(*arguments)(x))


def test_what_torch_does_not_have() -> None:
    x = torch.arange(1.0, 5.0).view(1, 4, 1)
    assert poolkit_torch.MaxPool1d(3, 2, padding="same", layout="NLC")(x).flatten().tolist() == [3.0, 4.0]
    assert poolkit_torch.MaxPool1d(2, 1, padding=((1, 0),), layout="NLC")(x).flatten().tolist() == [1.0, 2.0, 3.0, 4.0]
    assert poolkit_torch.AdaptiveAvgPool1d(1, layout="NLC", keepdims=False)(x).tolist() == [[2.5]]


def test_bad_arguments_get_our_errors() -> None:
    for arguments in ({"kernel_size": 0}, {"kernel_size": 2, "stride": True}, {"kernel_size": 2, "padding": "full"}):
        with pytest.raises(pk.SpecError):
            poolkit_torch.MaxPool2d(**arguments)
    with pytest.raises(pk.ShapeError):
        poolkit_torch.MaxPool2d(2)(torch.ones(8, 8))
    with pytest.raises(pk.SpecError, match="name"):
        pk.MaxPool(2, layout="NCHW").layer("torch", name="pool")


def test_a_layer_is_a_module_without_state() -> None:
    layer = pk.MaxPool(3, 2, layout="NCHW").layer("torch")
    assert layer.state_dict() == {}
    assert repr(layer) == 'Pool(PoolSpec("max", window=3, stride=2, layout="NCHW"))'
    assert "native" in repr(pk.MaxPool(3, 2, layout="NCHW").layer("torch", route="native"))
    x = torch.randn(1, 2, 8, 8)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.nn.Sequential(layer)):
        assert torch.equal(twin(x), layer(x))


def test_a_layer_takes_the_route_that_is_asked_for() -> None:
    x = torch.randn(1, 2, 8, 8)
    for route in ("native", "fold", "gather"):
        assert torch.equal(pk.MaxPool(3, 2, layout="NCHW").layer("torch", route=route)(x), torch.nn.MaxPool2d(3, 2)(x))
    with pytest.raises(pk.BackendError, match="native"):
        pk.MaxPool(3, 2, layout="NCHW").layer("torch", route="conv")(x)


@pytest.mark.parametrize("layer", [poolkit_torch.MaxPool2d(3, 2, 1), poolkit_torch.AdaptiveAvgPool2d(3)], ids=repr)
def test_layers_are_compiled_and_exported(layer: Any) -> None:
    x = torch.randn(2, 3, 9, 12)
    torch._dynamo.reset()
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))
    batch, height = torch.export.Dim("batch"), torch.export.Dim("height", min=4)
    exported = torch.export.export(layer, (x,), dynamic_shapes=({0: batch, 2: height},)).module()
    for shape in ((1, 3, 9, 12), (4, 3, 14, 12)):
        y = torch.randn(shape)
        torch.testing.assert_close(exported(y), layer(y))
