"""Several pools of one input, added or put side by side: mixed pooling (Lee, Gallagher, Tu, 2016) and its kin."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from poolkit.spec.arguments import as_shape
from poolkit.spec.composite import SIDE_BY_SIDE, Composite, parsed, parts_of
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import keep_text
from poolkit.spec.values import is_many, number, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

HOWS = ("add", SIDE_BY_SIDE)
COEFFICIENTS = "coefficients"
TERM = r"(\S+) \* \(([^()]*)\)"
TEXT = re.compile(rf"cat\((.*)\)|{TERM}(?: \+ {TERM})*")


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Mix(Composite):
    """Two or more pools of one input: their weighted sum (``how="add"``), or side by side along channels (``"cat"``).

    All parts have one layout and drop the same axes, and give one size on every axis. `coefficients` are numbers, one a
    part, of an "add"; without them every part has the same share. In their place a tensor may be given when pooling,
    one number a part, or for each of these a number for every channel, region or batch: (parts, N, C, H, W), with the
    axes of the result, each of its size or of 1. Raises `SpecError` where the parts do not fit together, and, once an
    input is there, `ShapeError` where their outputs differ in size.

    >>> import numpy as np
    >>> from poolkit import GlobalAvgPool, GlobalMaxPool
    >>> parts = [pool(layout="NCL", keepdims=False) for pool in (GlobalAvgPool, GlobalMaxPool)]
    >>> Mix(parts, how="add", coefficients=(0.5, 0.5))(np.array([[[1.0, 2.0, 6.0]]]))
    array([[4.5]])
    >>> Mix(parts, how="cat")(np.array([[[1.0, 2.0, 6.0]]]))
    array([[3., 6.]])
    >>> shares = np.array([[[0.25]], [[0.75]]])  # of the average and the maximum, for all batches and channels
    >>> Mix(parts, how="add")(np.array([[[1.0, 2.0, 6.0]]]), coefficients=shares)
    array([[5.25]])
    """

    key = "parts"
    name = "a mix"
    example = 'Mix((a, b), how="add")'

    parts: Sequence[PoolSpec]
    _: dataclasses.KW_ONLY
    how: str
    coefficients: Sequence[float] | None = None

    def __post_init__(self) -> None:
        self.settle()
        for name in ("layout", "axes", "keepdims"):
            self.same(name, self.parts)
        how: object = plain(self.how)
        object.__setattr__(self, "how", how)
        if not isinstance(how, str) or how not in HOWS:
            raise wrong(
                f"how={shown(self.how)}", f"pools are mixed by {' or '.join(map(quoted, HOWS))}", "give one of them"
            )
        if how == SIDE_BY_SIDE:
            self.check_channels()
        object.__setattr__(self, "coefficients", _coefficients(plain(self.coefficients), how, len(self.parts)))
        keep_text(self)

    def own(self) -> dict[str, Any]:
        return {"how": self.how} | ({} if self.coefficients is None else {"coefficients": self.coefficients})

    def __str__(self) -> str:
        if self.coefficients is None:
            return f"cat({', '.join(map(str, self.parts))})"
        return " + ".join(f"{c} * ({part})" for c, part in zip(self.coefficients, self.parts, strict=True))

    @classmethod
    def written(cls, text: str) -> bool:
        return re.match(r"cat\(\w|[-+.\w]+ \* \(", text) is not None

    @classmethod
    def parse(cls, string: str) -> Self:
        """The mix of a text like ``str(mix)``.

        >>> Mix.parse("0.5 * (avg window=2 layout=NCL) + 0.5 * (max window=2 layout=NCL)").how
        'add'
        """
        found = parsed(string, TEXT, "cat(avg window=2 layout=NCL, max window=2 layout=NCL)")
        if found[1] is not None:
            return cls(parts_of(found[1]), how=SIDE_BY_SIDE)
        terms = re.findall(TERM, string)
        return cls([PoolSpec.parse(part) for _, part in terms], how="add", coefficients=[_share(c) for c, _ in terms])

    @property
    def takes(self) -> tuple[str, ...]:
        # Dynamo follows no property of a superclass.
        own = [COEFFICIENTS] if self.how == "add" else []
        return tuple(dict.fromkeys([name for names in [*self.given(), own] for name in names]))

    loose = (COEFFICIENTS,)

    @property
    def lengths(self) -> Mapping[str, int | None]:
        return {_other(self.letters): len(self.parts)} if self.axes is not None else {}

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        """The axes that a further tensor may have, of the letters of an input.

        >>> from poolkit import AvgPool, MaxPool
        >>> Mix((AvgPool(2, layout="NCL"), MaxPool(2, layout="NCL")), how="add").axes_of("coefficients", "NCL")
        ('A', 'ANCL')
        """
        if name != COEFFICIENTS:
            return super().axes_of(name, letters)
        part = _other(letters)
        left = "".join([c for c in letters if self.keepdims or c not in (self.axes or "")])
        return (part, part + left) if not self.layout.startswith("...") else (part,)

    @property
    def shares(self) -> Sequence[float] | None:
        return self.coefficients

    @property
    def selects(self) -> bool:
        return self.how == SIDE_BY_SIDE and super().selects

    @property
    def joined(self) -> str:
        return "side by side along the channels" if self.how == SIDE_BY_SIDE else ""

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
        from poolkit.lowering.operations.mixed import plan_of_mix

        return plan_of_mix(self, rank, dtype, size, widen, further)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        from poolkit.lowering.operations.mixed import shape_of_mix

        return shape_of_mix(self, as_shape(shape, unknown=True))


def _other(letters: str) -> str:
    """A letter that no axis has."""
    return next(c for c in "ABEFGIJKMOPQRSUVXYZ" if c not in letters)


def _share(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text  # which `_coefficients` refuses


def _coefficients(given: object, how: str, count: int) -> tuple[float, ...] | None:
    if how == SIDE_BY_SIDE:
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
