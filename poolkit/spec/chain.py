"""Pools one after the other: MaxBlurPool, the SPPF of YOLO, pools of an axis and then of another."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from poolkit.spec.arguments import as_shape
from poolkit.spec.composite import SIDE_BY_SIDE, Composite, parsed, parts_of
from poolkit.spec.kinds import RANDOM
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Size, Step, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import keep_text
from poolkit.spec.values import plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

TEXT = re.compile(r"chain\((.*?)\)(?: keep=(\w+))?")


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Chain(Composite):
    """Two or more pools, of which the first takes the input, and each other the result of the one before.

    With ``keep="cat"`` the result is the input and what each part gives, side by side along channels. All parts have
    one layout, and all but the last keep their axes. Raises `SpecError` where the parts do not fit together, and, once
    an input is there, `ShapeError` where a part does not fit, or what stands side by side differs in size.

    >>> import numpy as np
    >>> from poolkit import AvgPool, MaxPool
    >>> x = np.array([[[1.0, 4.0, 2.0, 3.0]]])
    >>> Chain((MaxPool(2, 1, layout="NCL"), AvgPool(3, layout="NCL")))(x)
    array([[[3.66666667]]])
    >>> Chain((MaxPool(3, 1, "same", layout="NCL"),) * 2, keep="cat")(x)
    array([[[1., 4., 2., 3.],
            [4., 4., 4., 3.],
            [4., 4., 4., 4.]]])
    """

    key = "chain"
    apart = False
    name = "a chain"
    example = "Chain((a, b))"

    parts: Sequence[PoolSpec]
    _: dataclasses.KW_ONLY
    keep: str | None = None

    def __post_init__(self) -> None:
        self.settle()
        self.same("layout", self.parts)
        object.__setattr__(self, "keep", plain(self.keep))
        keep: object = self.keep
        if keep is not None and not (isinstance(keep, str) and keep == SIDE_BY_SIDE):
            rule = "a chain keeps its last result, or with that the input and all others side by side"
            raise wrong(f"keep={shown(keep)}", rule, f"leave it out, or write keep={quoted(SIDE_BY_SIDE)}")
        if keep is not None:
            self.check_channels()
        if not all(part.keepdims for part in self.parts[: None if keep else -1]):
            behind = "what stands side by side" if keep else "the next part"
            rule = f"{behind} needs the axes of the input"
            raise wrong("a part with keepdims=False", rule, "leave keepdims out of all parts but the last of a result")
        keep_text(self)

    def own(self) -> dict[str, Any]:
        return {} if self.keep is None else {"keep": self.keep}

    def __str__(self) -> str:
        return f"chain({', '.join(map(str, self.parts))})" + (f" keep={self.keep}" if self.keep else "")

    @classmethod
    def written(cls, text: str) -> bool:
        return text.startswith("chain(")

    @classmethod
    def parse(cls, string: str) -> Self:
        """The chain of a text like ``str(chain)``.

        >>> Chain.parse("chain(max window=2 layout=NCL, avg window=2 layout=NCL) keep=cat").keep
        'cat'
        """
        found = parsed(string, TEXT, "chain(max window=2 layout=NCL, avg window=2 layout=NCL)")
        return cls(parts_of(found[1]), keep=found[2])

    @property
    def joined(self) -> str:
        return "one after the other" + (" and side by side with the input" if self.keep else "")

    def given(self) -> list[tuple[str, ...]]:
        """What describes the input is the first part's, what stands in the place of an option is every part's."""
        first, *others = self.parts
        own = tuple([name for name in first.takes if name not in RANDOM])
        return [own, *[part.learned for part in others]]

    def each(self, shape: Sequence[int]) -> tuple[Step, ...]:
        found: list[Step] = []
        now: Any = tuple(shape)
        for part, names in zip(self.parts, self.given(), strict=True):
            found.append(Step(part, now, names))
            now = part.output_shape(now)
        return tuple(found)

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        """A plan for each part, on what the one before it gives."""
        from poolkit.lowering.operations.chained import plan_of_chain

        return plan_of_chain(self, rank, dtype, size, widen, further)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        from poolkit.lowering.operations.chained import shape_of_chain

        return shape_of_chain(self, as_shape(shape, unknown=True))
