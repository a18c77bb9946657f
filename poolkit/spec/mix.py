"""Several pools of one input, added or put side by side: mixed pooling (Lee, Gallagher, Tu, 2016) and its kin."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from poolkit.spec.arguments import as_shape
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Operation, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import VERSION, fields_of_dict
from poolkit.spec.values import is_many, number, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

HOWS = ("add", "cat")


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Mix(Operation):
    """Two or more pools of one input: their weighted sum (``how="add"``), or side by side along channels (``"cat"``).

    All parts have one layout and drop the same axes, and give one size on every axis. `coefficients` are numbers, one a
    part, of an "add"; without them every part has the same share. Raises `SpecError` where the parts do not fit
    together, and, once an input is there, `ShapeError` where their outputs differ in size.

    >>> import numpy as np
    >>> from poolkit import GlobalAvgPool, GlobalMaxPool
    >>> parts = [pool(layout="NCL", keepdims=False) for pool in (GlobalAvgPool, GlobalMaxPool)]
    >>> Mix(parts, how="add", coefficients=(0.5, 0.5))(np.array([[[1.0, 2.0, 6.0]]]))
    array([[4.5]])
    >>> Mix(parts, how="cat")(np.array([[[1.0, 2.0, 6.0]]]))
    array([[3., 6.]])
    """

    key = "parts"

    parts: Sequence[PoolSpec]
    _: dataclasses.KW_ONLY
    how: str
    coefficients: Sequence[float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _parts(self.parts))
        for name in ("layout", "axes", "keepdims", "indices"):
            object.__setattr__(self, name, getattr(self.parts[0], name))
        how: object = plain(self.how)
        object.__setattr__(self, "how", how)
        if not isinstance(how, str) or how not in HOWS:
            raise wrong(
                f"how={shown(self.how)}", f"pools are mixed by {' or '.join(map(quoted, HOWS))}", "give one of them"
            )
        if self.how == "cat" and "C" not in self.letters and self.axes is not None:
            raise wrong(f"layout={quoted(self.layout)}", '"cat" puts parts side by side along C', "name the channels C")
        object.__setattr__(self, "coefficients", _coefficients(plain(self.coefficients), self.how, len(self.parts)))

    def __repr__(self) -> str:
        shares = f", coefficients={self.coefficients}" if self.coefficients is not None else ""
        return f'Mix(({", ".join(map(repr, self.parts))}), how="{self.how}"{shares})'

    def __str__(self) -> str:
        if self.coefficients is None:
            return f"cat({', '.join(map(str, self.parts))})"
        return " + ".join(f"{c} * ({part})" for c, part in zip(self.coefficients, self.parts, strict=True))

    @property
    def shares(self) -> Sequence[float] | None:
        return self.coefficients

    @property
    def takes(self) -> tuple[str, ...]:
        """What any of its parts takes, each of which is given what it takes."""
        return tuple(dict.fromkeys([name for part in self.parts for name in part.takes]))

    @property
    def learned(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([name for part in self.parts for name in part.learned]))

    @property
    def selects(self) -> bool:
        """Whether every number of the result is one of the input."""
        return self.how == "cat" and all(part.selects for part in self.parts)

    @property
    def rank(self) -> int | None:
        ranks = [part.rank for part in self.parts if part.rank is not None]
        return max(ranks, default=None)

    def poolings(self) -> tuple[PoolSpec, ...]:
        return tuple(self.parts)

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        results = math.prod(n or 0 for n in self.output_shape(shape))
        return results * (2 * len(self.parts) - 1) if self.how == "add" else 0

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        """Parts that are added are float32 until their sum is rounded, once."""
        works = [part.work_dtype(dtype, widen) for part in self.parts]
        if self.selects:
            return works[0]
        return dtype if dtype in ("float32", "float64") else "float32"

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        """A plan for each part, all in the dtype in which they are mixed."""
        from poolkit.lowering.mixed import plan_of_mix

        return plan_of_mix(self, rank, dtype, size, widen, further)

    def replace(self, **changes: Any) -> Self:
        """The mix with other values; those of a PoolSpec are changed in every part.

        >>> from poolkit import AvgPool, MaxPool
        >>> Mix((AvgPool(2, layout="NCL"), MaxPool(2, layout="NCL")), how="cat").replace(layout="NLC").layout
        'NLC'
        """
        own = {name: changes.pop(name) for name in ("parts", "how", "coefficients") if name in changes}
        parts = tuple(part.replace(**changes) for part in _parts(own.pop("parts", self.parts)))
        kept: dict[str, Any] = {"how": self.how, "coefficients": self.coefficients}
        return type(self)(parts, **(kept | own))

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result for an input of this shape; None where it depends on a size that is None."""
        from poolkit.lowering.mixed import shape_of_mix

        return shape_of_mix(self, as_shape(shape, unknown=True))

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_dict` reads it back."""
        shares = {} if self.coefficients is None else {"coefficients": list(self.coefficients)}
        return {"version": VERSION, "how": self.how, **shares, "parts": [part.to_dict() for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The mix that `to_dict` described."""
        fields = fields_of_dict(data, ("parts", "how", "coefficients"))
        parts = fields.pop("parts", None)
        return cls([PoolSpec.from_dict(part) for part in parts] if is_many(parts) else parts, **fields)


def _parts(parts: object) -> tuple[PoolSpec, ...]:
    given: tuple[Any, ...] = tuple(parts) if is_many(parts) else ()
    several = tuple(part for part in given if isinstance(part, PoolSpec))
    if len(several) < max(2, len(given)):
        raise wrong(shown(parts), "a mix has two PoolSpecs or more", 'write it as in Mix((a, b), how="add")')
    first = several[0]
    for part in several[1:]:
        for name in ("layout", "axes", "keepdims"):
            if getattr(part, name) != getattr(first, name):
                received = f"parts with {name}={shown(getattr(first, name))} and {name}={shown(getattr(part, name))}"
                raise wrong(received, f"all parts of a mix have one {name}", f"give them the same {name}")
    if any(part.indices for part in several):
        raise wrong("a part with indices=True", "a mix of elements has no position", "leave indices out")
    return several


def _coefficients(given: object, how: str, count: int) -> tuple[float, ...] | None:
    if how == "cat":
        if given is not None:
            raise wrong(f"coefficients={shown(given)}", '"cat" weights nothing', "leave them out")
        return None
    if given is None:
        return (1 / count,) * count
    numbers = [number(value) for value in given] if is_many(given) else []
    values = tuple(value for value in numbers if value is not None and math.isfinite(value))
    if len(numbers) != count or len(values) != count:
        raise wrong(
            f"coefficients={shown(given)}",
            f"a mix of {count} parts has {count} finite numbers",
            "give one for each part",
        )
    return values
