"""einops patterns are read as specs: einops.reduce itself gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from einops import reduce

import poolkit as pk

MAP = (2, 4, 6, 3)

PATTERNS: list[tuple[str, str, dict[str, int]]] = [
    ("b h w c -> b 1 1 c", "mean", {}),
    ("b h w c -> b c", "max", {}),
    ("b h w c -> b 1 w c", "sum", {}),
    ("b h w c -> b h c", "min", {}),
    ("batch height width channels -> batch channels", "mean", {}),
    ("b c h w -> b c 1 1", "max", {}),
    ("b (h 2) (w 3) c -> b h w c", "max", {}),
    ("b (h i) (w j) c -> b h w c", "mean", {"i": 2, "j": 3}),
    ("b (h 2) w c -> b h w c", "sum", {}),
    ("... h w c -> ... 1 1 c", "mean", {}),
    ("b t h c -> b t c", "mean", {}),
    ("b n h c -> b n c", "mean", {}),
    ("batch n (h 2) c -> batch n h c", "max", {}),
]


@pytest.mark.parametrize(("pattern", "reduction", "lengths"), PATTERNS, ids=str)
def test_einops_gives_the_same(pattern: str, reduction: str, lengths: dict[str, int]) -> None:
    x = np.random.default_rng(0).standard_normal(MAP)
    spec = pk.read(pattern, reduction, **lengths)

    np.testing.assert_allclose(pk.pool(x, spec), reduce(x, pattern, reduction, **lengths), rtol=1e-12)


def test_what_a_pattern_is_read_as() -> None:
    assert pk.read("b h w c -> b c", reduction="mean") == pk.GlobalAvgPool(layout="NHWC", keepdims=False)
    assert pk.read("b (h 2) (w 2) c -> b h w c", "max") == pk.MaxPool(2, layout="NHWC")
    assert pk.read("b (h 2) w c -> b h w c", "max") == pk.MaxPool(2, layout="NHWC", axes="H")
    assert pk.read("b n c h w -> b n c", "mean") == pk.GlobalAvgPool(layout="...CHW", keepdims=False)
    assert pk.read("n c d h w -> n c", "mean") == pk.GlobalAvgPool(layout="NCDHW", keepdims=False)


@pytest.mark.parametrize(
    ("pattern", "reduction", "error", "text"),
    [
        ("b h w c -> b c", "prod", pk.InputError, "einops reduces by mean, max, min, sum"),
        ("b h w c -> b c", None, pk.InputError, "with the reduction None"),
        ("b h w c -> b h w", "mean", pk.NotExactError, "does not pool over spatial axes alone"),
        ("b h w c -> h w c", "mean", pk.NotExactError, "does not pool over spatial axes alone"),
        ("b h w c -> b h w c", "mean", pk.NotExactError, "does not pool over spatial axes alone"),
        ("b h w c -> b c 1 1", "mean", pk.NotExactError, "transpose afterwards"),
        ("b (h 2) w c -> b w h c", "mean", pk.NotExactError, "moves or drops axes beside its windows"),
        ("(b 2) h w c -> b h w c", "mean", pk.NotExactError, "pools over batch or channels"),
        ("b (2 h) w c -> b h w c", "mean", pk.NotExactError, "no axis cut into windows"),
        ("b (h k) w c -> b h w c", "mean", pk.InputError, "without the length of k"),
        ("b rows w c -> b c", "mean", pk.InputError, "'rows' is not"),
        ("b h ? c -> b c", "mean", pk.InputError, "no einops pattern"),
        ("b b h w c -> b c", "mean", pk.InputError, "names an axis twice"),
    ],
)
def test_what_no_spec_says(pattern: str, reduction: Any, error: type[pk.PoolkitError], text: str) -> None:
    with pytest.raises(error, match=text.replace("?", r"\?")):
        pk.read(pattern, reduction)
