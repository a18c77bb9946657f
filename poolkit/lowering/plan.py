"""Plan: a spec together with what an input settles, its axes, rank and dtype. One lowering turns it into calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import ShapeError
from poolkit.lowering.geometry import Axis, axes_of, letters_of, positions
from poolkit.spec.dtypes import FLOATS, HALVES, result_dtype
from poolkit.spec.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.lowering.means import Means
    from poolkit.lowering.primitives import Ops
    from poolkit.spec.operation import Further, Operation
    from poolkit.spec.pool_spec import PoolSpec

Tensor = Any
Run = Callable[..., tuple[Tensor, Tensor | None]]  # of the input, and the tensors that a part takes besides


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a lowering needs to know: the spec, its axes on this input, the input's rank and dtype.

    `work` is the dtype in which the kind is computed: float32 for half types and for integers that are averaged or
    summed, a wider integer where a framework cannot compare the input's own, otherwise the dtype itself.
    """

    spec: PoolSpec
    axes: tuple[Axis, ...]
    rank: int
    dtype: str
    work: str

    whole = False

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def at(self) -> tuple[int, ...]:
        """Positions of the pooled axes."""
        return tuple(a.at for a in self.axes)

    @property
    def known(self) -> bool:
        """Whether all pooled sizes are ints."""
        return all(a.known for a in self.axes)

    @property
    def further(self) -> tuple[Further, ...]:
        return ()

    @property
    def untouched(self) -> bool:
        """Whether every window is one cell that a fold hands on as it is."""
        one_cell = all(a.form == "keep" or (a.form == "taps" and a.window == 1) for a in self.axes)
        return one_cell and KINDS[self.kind].hands_on

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATS

    @property
    def half_precision(self) -> bool:
        return self.dtype in HALVES

    @property
    def is_map(self) -> bool:
        """Whether there is one window, the map as a whole."""
        return all(a.form == "whole" for a in self.axes)

    @property
    def trailing(self) -> bool:
        """Whether the pooled axes are the last ones, whose cells lie side by side in a contiguous tensor."""
        return self.at == tuple(range(self.rank - len(self.axes), self.rank))

    @property
    def consecutive(self) -> bool:
        """Whether no axis that is not pooled stands between two that are."""
        return self.at == tuple(range(self.at[0], self.at[0] + len(self.at)))

    @property
    def letters(self) -> str:
        """One letter for each axis of the input; leading axes are dots."""
        letters = letters_of(self.spec, self.rank)
        return "." * (self.rank - len(letters)) + letters

    @property
    def result(self) -> str:
        return result_dtype(self.spec, self.dtype)


@dataclasses.dataclass(frozen=True)
class Composite:
    """The plan of an operation that asks for routes from inside: each of its parts is lowered by one of its own.

    Where `whole` is true each part gives the result of its pooling, and what is joined is that of the operation;
    otherwise parts give values in the dtype in which they are computed, with all axes, as the operation does.
    """

    spec: Operation
    parts: tuple[AnyPlan, ...]
    axes: tuple[Axis, ...]  # of the input, for which a program is made
    rank: int
    dtype: str
    work: str

    untouched = whole = False
    refuses = False  # its program refuses what some of its further tensors may hold (`Operation.refused`)
    note = ""  # of a plan without parts: why its program may be long
    way = "fold"  # of a plan without parts: how it is joined, which is the name of its route
    further: tuple[Further, ...] = dataclasses.field(default=(), kw_only=True)

    @property
    def known(self) -> bool:
        return all(a.known for a in self.axes)

    @property
    def result(self) -> str:
        return result_dtype(self.spec, self.dtype)

    def ways(self, means: Means) -> Sequence[Composite]:
        """The plans that may stand in its place, the best first, each joined in another way; itself among them."""
        return (self,)

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        """Values, and indices or None, of the input; `runs` pool a tensor by each part."""
        raise NotImplementedError


AnyPlan = Plan | Composite


def plan_of(
    spec: PoolSpec,
    rank: int,
    dtype: str,
    size: Callable[[int], tuple[Any, bool]],
    widen: Callable[[str], str | None] = lambda dtype: dtype,
) -> Plan:
    """Resolve a spec on an input; `widen` names the dtype in which a framework compares an integer one, or None."""
    axes = axes_of(spec, rank, size)
    check_cells(axes)
    return Plan(spec, axes, rank, dtype, spec.work_dtype(dtype, widen))


MOST_CELLS = 2**26  # that a map may grow to by padding or bins, where it is not large itself


def check_cells(axes: Sequence[Axis]) -> None:
    """`ShapeError` where padding or bins make so much of an input that no memory holds it."""
    before = after = 1
    for a in axes:  # a loop, which compilers that look on can follow
        if a.known:
            before, after = before * a.n, after * max(a.out, a.n + a.total)
    if after > MOST_CELLS and after > 4 * before:
        raise ShapeError(
            f"received {before} cells along {''.join([a.letter for a in axes])}, which padding and bins would turn "
            f"into {after}, and {MOST_CELLS} is the most; give smaller ones"
        )


def channel(spec: Operation, rank: int) -> int:
    """The position of the channels in an input of this rank; -1 where the layout has none."""
    letters = letters_of(spec, rank)
    return rank - len(letters) + letters.index("C") if "C" in letters else -1


def dropped(plan: AnyPlan) -> tuple[int, ...]:
    """The axes that the result does not have."""
    return () if plan.whole or plan.spec.keepdims else positions(plan.spec, plan.rank)
