"""The text of poolings with weights, and what reads it back."""

from __future__ import annotations

import re

import pytest

import poolkit as pk
from poolkit.spec.operation import Operation

PARTS = (pk.MaxPool(2, layout="NCHW"), pk.AvgPool(2, layout="NCHW"))
MADE = [
    pk.LearnedOption(pk.GeM(layout="NCHW", keepdims=False), channels=5),
    pk.LearnedMix(*PARTS),
    pk.LearnedMix(*PARTS, channels=3, regions=(4, 3)),
    pk.LearnedMix(pk.MaxPool(2, layout="NCL"), pk.AvgPool(2, layout="NCL"), regions=(4,)),
    pk.GatedMix(*PARTS, channels=3),
    pk.AdaPool(3, 2, "same", layout="NHWC", regions=(3, 2)),
    pk.LIPPool(layout="NCHW", channels=5, logits="bottleneck", hidden=3),
    pk.AttentionPool(layout="NLC", keepdims=False, channels=4, hidden=3),
    pk.LatentAttentionPool(layout="NLC", keepdims=False, channels=4, heads=2, hidden=8),
]


@pytest.mark.parametrize("made", MADE, ids=str)
def test_a_text_is_read_back(made: pk.Learned) -> None:
    assert pk.Learned.parse(str(made)) == made
    assert Operation.parse(str(made)) == made


def test_a_text_says_formula_pools_and_sizes() -> None:
    text = "learned mix of max window=2 layout=NCHW and avg window=2 layout=NCHW"
    assert str(MADE[1]) == text
    assert str(MADE[2]) == f"{text} with channels=3 regions=4,3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learned mix of", 'received "learned mix of", and such a text is written as in "learned option of gem'),
        ("learned mix of avg window=2 layout=NCL", '"mix" has 2 PoolSpec; write as many'),
        ("learned nix of avg window=2 layout=NCL", 'received formula="nix", and the formulas are'),
        (f"{MADE[1]} with channel=3", 'received "channel", and behind the pools stand channels, regions, hidden'),
        (f"{MADE[1]} with channels=many", "channels is a count from 1 to"),
        (f"{MADE[1]} with", "after the kind every word is name=value"),
    ],
)
def test_texts_that_are_none(text: str, said: str) -> None:
    with pytest.raises(pk.SpecError, match=re.escape(said)):
        pk.Learned.parse(text)


@pytest.mark.parametrize("form", ["xyz", "nan", "7", "1", "true", "none", "projection"])
@pytest.mark.parametrize("formula", ["attention", "latent"])
def test_a_form_that_a_formula_has_not_is_refused(formula: str, form: str) -> None:
    text = f"learned {formula} of avg output_size=1 layout=NCL keepdims=true with channels=8 form={form}"
    with pytest.raises(pk.SpecError, match=f'the forms of "{formula}" are ""'):
        pk.Learned.parse(text)


def test_too_many_weights_are_those_of_what_has_them() -> None:
    """Its windows may be what is too large, and channels not said at all."""
    with pytest.raises(pk.SpecError, match=r'received "learned gate of max window=1000000 .*at most \d+ weights'):
        pk.GatedMix(pk.MaxPool(10**6, layout="NCHW"), pk.AvgPool(10**6, layout="NCHW"))
