"""The fields of a pooling, without what is done with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from poolkit.spec.vocabulary import SYMBOLIC, spatial_letters

Sizes = int | Sequence[int]
Padding = str | int | Sequence[int | Sequence[int]]
Options = Mapping[str, Any] | Sequence[tuple[str, Any]]


@dataclasses.dataclass(frozen=True, repr=False)
class Fields:
    """What `PoolSpec` keeps; what each field means is said there, and its rules are in `validate`."""

    kind: str
    _: dataclasses.KW_ONLY
    layout: str
    axes: str | None = None
    output_size: int | Sequence[int | None] | None = None
    window: Sizes | None = None
    stride: Sizes | None = None
    padding: Padding = "valid"
    dilation: Sizes = 1
    ceil_mode: bool = False
    count_include_pad: bool = False
    divisor_override: float | None = None
    keepdims: bool = True
    indices: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def spatial(self) -> str | None:
        """The spatial letters of the layout, pooled or not; None where it does not name them."""
        return None if self.layout in SYMBOLIC else spatial_letters(self.layout.removeprefix("..."))
