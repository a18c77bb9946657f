"""Cases of poolings with weights: each formula, in windows and over whole maps, with masks, in both layouts."""

from __future__ import annotations

from typing import Any

import poolkit as pk
from poolkit_conformance.case import Case

_MAP, _TOKENS = (2, 3, 4, 5), (2, 4, 3)  # each is so small since slopes are taken by differences, number by number
_WINDOW: dict[str, Any] = {"window": 3, "stride": 2, "padding": "same"}


def _window(kind: str, layout: str) -> pk.PoolSpec:
    return pk.PoolSpec(kind, layout=layout, **_WINDOW)


def _tokens(kind: str) -> pk.PoolSpec:
    return pk.PoolSpec(kind, output_size=1, layout="NLC")


def _pair(layout: str) -> tuple[pk.PoolSpec, pk.PoolSpec]:
    return _window("max", layout), _window("avg", layout)


def _lines() -> tuple[pk.PoolSpec, pk.PoolSpec]:
    """Windows in padding, dilated, and with a stride that leaves cells out."""
    return pk.MaxPool(2, 3, "causal", layout="NCL", dilation=2), pk.AvgPool(2, 3, "causal", layout="NCL", dilation=2)


_EACH: dict[str, Any] = {"channels": 5, "regions": (2, 2)}  # of a map whose channels come last
SPECS: dict[str, tuple[pk.Learned, tuple[int, ...]]] = {
    "option": (pk.LearnedOption(pk.GeM(layout="NCHW", keepdims=False), channels=3), _MAP),
    "option_of_windows": (pk.LearnedOption(pk.SoftPool(2, layout="NHWC")), _MAP),
    "mix": (pk.LearnedMix(*_pair("NCHW")), _MAP),
    "mix_each": (pk.LearnedMix(*_pair("NHWC"), **_EACH), _MAP),
    "mix_tokens": (pk.LearnedMix(_tokens("max"), _tokens("std")), _TOKENS),
    "adapool": (pk.AdaPool(3, 2, "same", layout="NHWC", regions=(2, 2)), _MAP),
    "gate": (pk.GatedMix(*_pair("NCHW")), _MAP),
    "gate_each": (pk.GatedMix(*_pair("NHWC"), **_EACH), _MAP),
    "gate_of_lines": (pk.GatedMix(*_lines()), (2, 3, 7)),
    "lip": (pk.LIPPool(layout="NCHW", channels=3), _MAP),
    "lip_simplified": (pk.LIPPool(layout="NHWC", channels=5, logits="simplified"), _MAP),
    "lip_bottleneck": (pk.LIPPool(2, 2, 0, layout="NCHW", channels=3, logits="bottleneck", hidden=2), _MAP),
    "attention": (pk.AttentionPool(layout="NLC", keepdims=False, channels=3, hidden=5), _TOKENS),
    "attention_plain": (pk.AttentionPool(layout="NCHW", keepdims=True, channels=3, hidden=2, gated=False), _MAP),
    "latent": (pk.LatentAttentionPool(layout="NLC", keepdims=False, channels=4, heads=2), (2, 4, 4)),
    "latent_and_network": (pk.LatentAttentionPool(layout="NCHW", keepdims=True, channels=3, hidden=2), _MAP),
}
_FEW = ("mix", "gate_each", "attention")
_MASKED = (
    "adapool",
    "option_of_windows",
    "mix_tokens",
    "gate",
    "gate_of_lines",
    "attention",
    "latent",
    "latent_and_network",
    "lip",
    "lip_simplified",
)


def _case(name: str, more: str = "", dtype: str = "float32") -> Case:
    spec, shape = SPECS[name]
    tensors = [(weight, dtype) for weight in spec.parameters] + ([("mask", "cells")] if more == "masked" else [])
    said = "_".join(["learned", name, *([more] if more else [])])
    few = name in _FEW and more in ("", "masked")
    return Case(said, spec, shape, dtype, data="positive", few=few, tensors=tuple(tensors))


LEARNED = [
    *[_case(name) for name in SPECS],
    *[_case(name, "masked") for name in _MASKED],
    _case("attention", "float16", "float16"),  # maxima of half types have ties, whose slopes are no differences
    _case("latent", "bfloat16", "bfloat16"),
]
