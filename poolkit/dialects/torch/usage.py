"""How programs use PyTorch, besides calling its pools."""

from __future__ import annotations

import re
from dataclasses import replace

from poolkit.dialects.calls import Call
from poolkit.dialects.reductions import reduction
from poolkit.dialects.usage import Methods, Spelling, Usage
from poolkit.spec.pool_spec import PoolSpec

NAMES = {"avg": "mean", "max": "amax", "min": "amin", "sum": "sum"}


def _reduction(spec: PoolSpec) -> Call:
    return reduction(spec, f"torch.{NAMES[spec.kind]}", "dim")


def _function(call: Call) -> tuple[Call, str]:
    """A module of torch.nn as the function that it calls; where Flatten follows it, as one call more."""
    if call.name == "torch.nn.Sequential":
        return _function(call.args[0])[0], ".flatten(1)"
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=LP)(?=P)", "_", call.name.removeprefix("torch.nn.")).lower()
    return replace(call, name=f"torch.nn.functional.{name}"), ""


def _zeros(padding: tuple[tuple[int, int], ...], first: bool) -> Call | None:
    around = [side for pair in reversed(padding) for side in pair]
    sides = around[0] if len(set(around)) == 1 else tuple(around)
    return Call(f"torch.nn.ConstantPad{len(padding)}d", (sides, 0.0)) if first else None


USAGE = Usage(
    shorts={"nn": "torch.nn", "F": "torch.nn.functional"},
    imports={"torch.nn": ("nn", "from torch import nn")},
    places=("nn", "functional", "timm", "torchvision", "kornia", "antialiased_cnns"),
    unsaid=(
        *("torch.nn.functional.interpolate", "torch.nn.Upsample"),  # which pool where their mode is "area"
        *(f"torchvision.ops.{name}" for name in ("RoIAlign", "roi_align", "MultiScaleRoIAlign")),
        *("torchvision.ops.PSRoIAlign", "torchvision.ops.ps_roi_align"),
        *("timm.layers.LsePlus1d", "timm.layers.LsePlus2d"),
    ),
    holders=("torch.nn.Sequential",),
    beside=("torch.nn.Flatten",),
    methods=Methods("torch.Tensor", frozenset({"dim", "keepdim"})),
    spelling=Spelling("torch.nn", re.compile(r"((Adaptive)?(Max|Avg)|LP)Pool[123]d"), ("nn",), shared=True),
    around=("torchvision", "torch_geometric", "kornia", "monai", "mmcv"),
    axes={
        0: "Softmax LogSoftmax Softmin GLU",
        1: "cat concat concatenate stack unsqueeze softmax log_softmax softmin glu mean sum std var std_mean var_mean "
        "amax amin argmax argmin max min median nanmedian nanmean nansum mode prod logsumexp cumsum cumprod cummax "
        "cummin logcumsumexp all any count_nonzero flip squeeze narrow select index_select index_add index_fill "
        "index_copy unbind sort argsort gather scatter scatter_add",
        2: "split chunk tensor_split roll rot90 norm vector_norm topk kthvalue quantile diff normalize "
        "cosine_similarity repeat_interleave take_along_dim renorm",
    },
    unsaid_axes={
        ("dim", -1): "torch.sort torch.argsort torch.topk torch.kthvalue torch.mode torch.diff torch.nn.GLU "
        "torch.nn.functional.glu",
        ("dim", 1): "torch.nn.functional.normalize torch.nn.functional.cosine_similarity torch.nn.CosineSimilarity",
    },
    values={f"{where}.{name}": f"{where}.a{name}" for where in ("torch", "torch.Tensor") for name in ("max", "min")},
    none={"stride": "window", "output_size": "axis"},
    single_images=True,
    reduction=_reduction,
    zeros=_zeros,
    chain=lambda before, after: Call("torch.nn.Sequential", (before, after)),
    function=_function,
    resizes="torch.nn.functional.interpolate",
)
