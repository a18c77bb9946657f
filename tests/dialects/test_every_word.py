"""Every word of every dialect, argument by argument: what a call says is read, or refused, and never passed over."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from typing import Any

import pytest

from poolkit import PoolkitError
from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Dialect, Word
from poolkit.dialects.reading import read_call
from tests.helpers import mutated

REFUSED = "refused"

# What says nothing of the numbers.
SILENT = {"name", "scope", "_scope", "_reuse", "outputs_collections", "promote_integers", "out_sharding"}
SILENT |= {"value", "input"}  # what older interfaces call the tensor
SILENT |= {"storage_order"}  # of indices, which ONNX's MaxPool is read without
SILENT |= {"noop_with_empty_axes"}  # which of two refusals a reduction over no axes is

INDICES = "_with_indices"
PLACES = ("output_dtype", "Targmax", "include_batch_in_index")  # what is said of places that are counted otherwise here

# The same of single words.
FOLLOWS = {  # a function named so gives indices whatever it is told
    *(
        f"torch.nn.functional.{a}max_pool{n}d_with_indices(return_indices)"
        for a in ("", "adaptive_")
        for n in (1, 2, 3)
    ),
    # timm puts its zeros around the input first, then pools all of that.
    *(
        f"timm.layers.{word}({what})"
        for word in ("AvgPool2dSame", "avg_pool2d_same")
        for what in ("padding", "ceil_mode")
    ),
    *(
        f"timm.layers.{word}({what})"
        for word in ("MaxPool2dSame", "max_pool2d_same")
        for what in ("padding", "ceil_mode")
    ),
    *(f"timm.layers.{word}(count_include_pad)" for word in ("AvgPool2dSame", "avg_pool2d_same")),
    *(f"timm.layers.BlurPool2d({what})" for what in ("channels", "device", "dtype")),  # of its weights
    *(f"tensorflow.{nn}.max_pool_with_argmax({what})" for nn in ("nn", "compat.v1.nn") for what in PLACES),
    *(f"timm.layers.LsePlus{n}d({what})" for n in (1, 2) for what in ("device", "dtype")),
    *(f"kornia.filters.{name}(ceil_mode)" for name in ("MaxBlurPool2D", "max_blur_pool2d")),  # of a stride of 1
    *(f"antialiased_cnns.{name}(channels)" for name in ("BlurPool", "BlurPool1D")),  # of its weights
    # Tensors are data, which a spec does not hold.
    *(f"torch.nn.functional.max_unpool{n}d(indices)" for n in (1, 2, 3)),
    *(f"torchvision.ops.roi_{how}(boxes)" for how in ("align", "pool")),
    *(f"torch.nn.FractionalMaxPool{n}d(_random_samples)" for n in (2, 3)),
    *(f"torch.nn.functional.fractional_max_pool{n}d{s}(_random_samples)" for n in (2, 3) for s in ("", INDICES)),
    *(f"torch.nn.functional.fractional_max_pool{n}d{INDICES}(return_indices)" for n in (2, 3)),
}

# They are read in tests of their own, for they take more than plain values: pairs, sizes, other tensors or modules.
ELSEWHERE = {
    *(f"torch.{name}" for name in ("max", "min", "median", "nn.Sequential", "nn.Upsample")),
    *(f"torch.Tensor.{name}" for name in ("max", "min", "median")),
    "torch.nn.functional.interpolate",
    "equinox.nn.Pool",
    *(f"torch_geometric.nn.global_{how}_pool" for how in ("add", "mean", "max")),
    "equinox.nn.AdaptivePool",
}

# Arguments beside which others say something: counting asks for padding, a reduction for axes, timm for a stride.
BESIDE: tuple[dict[str, Any], ...] = (
    {},
    *({name: (1, 2)} for name in ("axis", "dim", "axes")),
    {"padding": 1},
    {"padding": "SAME"},
    {"pads": [1, 1, 1, 1]},
    {"stride": 2},
    {"output_size": 3},
    {"output_ratio": 0.5},
    {"mode": "max"},
    {"r_learnable": False},
    {"pool_type": "avg"},
    {"pool_type": "avg", "num_prefix_tokens": 0},
)


def parameters(word: Word) -> dict[str, inspect.Parameter]:
    named = inspect.signature(word.fields).parameters
    return {name: p for name, p in named.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def read(name: str, word: Word, given: dict[str, Any]) -> str:
    """The spec of a call as text, with channels last where no layout is said; or that it is refused."""
    tensor = () if word.tensor is None else (mutated.X,)
    for layout in (None, "NHWC", "NCHW"):
        try:
            return str(read_call(Call(name, tensor, tuple(given.items())), layout))
        except PoolkitError:
            pass
    return REFUSED


def calls(name: str, word: Word) -> Iterator[tuple[dict[str, Any], str]]:
    """Arguments of calls that say little, with what they give: what has to be given, and one thing more."""
    rng, known = random.Random(0), parameters(word)
    required = [what for what, p in known.items() if p.default is p.empty]
    for beside in BESIDE:
        if beside.keys() <= known.keys():
            tries = [
                {what: mutated.usual(rng, what) for what in required} | beside for _ in range(40 if required else 1)
            ]
            yield next(((t, r) for t in tries if (r := read(name, word, t)) != REFUSED), (tries[0], REFUSED))


def values(what: str) -> list[Any]:
    return [*(v for part, usual in mutated.USUAL.items() if part in what for v in usual), True, False, 2, 3, "odd"]


@pytest.mark.parametrize("dialect", table.dialects(), ids=lambda d: d.name)
def test_every_argument_is_read_or_refused(dialect: Dialect) -> None:
    unread: set[str] = set()
    silent: set[str] = set()
    for name, word in dialect.words.items():
        if word.pools and name not in ELSEWHERE:
            found = list(calls(name, word))
            unread |= {name} if all(result == REFUSED for _, result in found) else set()
            others = parameters(word).keys() - SILENT
            said = {
                what
                for given, result in found
                for what in others
                if any(read(name, word, given | {what: value}) != result for value in values(what))
            }
            silent |= {f"{name}({what})" for what in others - said}
    assert unread == set()
    assert silent - FOLLOWS == set()
