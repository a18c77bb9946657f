"""What a kind of pooling is to a fold; those that there are, are in `kinds`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops

Tensor = Any
State = tuple[Tensor, ...]

FAR = 2**31 - 1  # behind every position along an axis


class Kind:
    """A fold over windows; subclasses say what they carry."""

    name: ClassVar[str]
    # The state that changes nothing when it is combined: padding is filled with it. A kind that has none (any value
    # could win a tie against a real cell) leaves it None, and `fold_taps` then leaves padding out by itself.
    neutral: tuple[float, ...] | None = None
    ordered: ClassVar[bool] = True  # cells are combined in row-major order, so that the last axis goes first
    idempotent: ClassVar[bool] = False  # runs that share cells may be combined, as for a maximum
    # Or "values", where no derivative is taken; "placed", where only positions are used (`routes.choices`).
    way = "fold"

    def __init__(self, ops: Ops, plan: Plan, **learned: Tensor) -> None:
        self.o = ops
        self.plan = plan
        self.options = {**dict(plan.spec.options), **learned}  # where one is learned, a tensor that meets the input
        self.mask: Tensor | None = None  # which cells are real, where a kind is computed by routes
        self.counted: Tensor | None = None  # how many cells of each window are real, where a mask says so

    def real(self, x: Tensor, value: float) -> Tensor:
        """`x`, in which cells that a mask leaves out hold this value."""
        return x if self.mask is None else self.o.where(self.mask, x, value)

    def lift(self, x: Tensor) -> State:
        return (x,)

    def nothing(self, zero: Tensor) -> State:
        """The state that stands for a window without a real cell, in tensors of zeros."""
        return self.lift(zero)

    def combine(self, a: State, b: State) -> State:
        """The state of two neighbouring runs of cells, of which `a` is the earlier."""
        raise NotImplementedError

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        """The state of all cells along these axes, kept with size 1; `inside` marks which cells count (None: all)."""
        for a in reversed(axes):
            s = self.reduce_axis(s, a, inside)
        return s

    def reduce_axis(self, s: State, a: Axis, inside: Tensor | None) -> State:
        """The state of all cells along one axis, kept with size 1.

        `inside` marks those that are in a bin or under a mask; all others have to be left out. None: all are in.
        """
        raise NotImplementedError

    def slide(self, s: State, a: Axis) -> State | None:
        """The state of each sliding window along an axis; None where it is found by combining."""
        return None

    def beside(self, x: Tensor) -> tuple[Tensor, float]:
        """The cells as `relative` takes those of windows, and one that changes nothing there, for padding."""
        raise NotImplementedError

    def fits(self, s: State, bound: float) -> Any:
        """Whether all was in range, by what a window's cells added up to as they are (`by_sums`); one for all windows.

        `bound` is the largest magnitude of an exponent.
        """
        raise NotImplementedError

    def sound(self, values: Tensor, bound: float) -> Any:
        """Whether all was in range, by what is made of such sums (`certain`), where no derivative is taken.

        `bound` is the largest magnitude of an exponent, less the logarithm of the number of cells.
        """
        raise NotImplementedError

    def cut(self, kept: State) -> bool:
        """Whether sums of whole axes are faster where an axis is cut (`stages.in_eighths`); not if it is the last."""
        return not self.plan.trailing

    def kept(self, x: Tensor, scale: Tensor | None) -> State:
        """What stands behind the sums in the state that `slope` is given: what each cell added, where it was costly.

        It is relative to the scale, or with none as `bounded` has it.
        """
        return ()

    def slope(self, x: Tensor, s: State, change: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """How a window's sums change with its cells, where a framework composes a derivative by hand (`Ops.derived`).

        `s` is carried relative to a scale, which is a constant, and is proportional to `change`, that of the cells.
        """
        raise NotImplementedError

    def cells(self, s: State, a: Axis) -> list[State]:
        """The first cell of each window along an axis, the second, and so on, where they do not lie evenly."""
        raise NotImplementedError

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        """Values, and indices or None; `like` is the input in its working dtype."""
        return s[0], None

    def certain(self, s: State, like: Tensor) -> Tensor:
        """Values of a state that `fits`, which may do without what guards others."""
        return self.finish(s, like)[0]


class Choice(Kind):
    """A kind that hands on one cell of each window, with its position where that is asked for.

    Or, where a `change` of the cells is given, that of the cell.
    """

    change: Tensor | None = None

    @property
    def cells_in_all(self) -> int:
        """Those of the pooled axes, where these are of known length."""
        return math.prod([a.n for a in self.plan.axes])

    @property
    def narrow(self) -> str:
        """The dtype that counts them, in which twice as many fit in the processor's caches and vectors."""
        return "int16" if self.cells_in_all < 2**15 else "int32"

    def earliest(self, cells: Sequence[State], value: Tensor) -> Tensor:
        """How many cells there are from the first on that holds the value; 0 where that is NaN, which equals nothing.

        By products and maxima: where it is chosen by a condition, PyTorch takes 10 times as long.
        """
        o = self.o.of_dtype(self.narrow)
        left = [o.multiply(o.cast(o.equal(cell[0], value), self.narrow), cell[1]) for cell in cells]
        return functools.reduce(functools.partial(o.better, "max"), left)

    def lift(self, x: Tensor) -> State:
        if self.change is not None:
            return self.o.detach(x), self.change
        if self.way == "placed":
            left = self.o.subtract(self.cells_in_all, flat_positions(self.o, self.plan, x, "int32"))
            return x, self.o.cast(left, self.narrow)
        return (x, flat_positions(self.o, self.plan, x, self.o.index)) if self.plan.spec.indices else (x,)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.change is not None:
            return s[1], None
        return s[0], self.o.broadcast(s[1], s[0]) if self.plan.spec.indices else None


def flat_positions(o: Ops, plan: Plan, x: Tensor, dtype: str) -> Tensor:
    """Flat, row-major positions over the pooled axes, with size 1 along all others."""
    flat: Tensor | None = None
    after: Any = 1  # cells between two neighbours along the axis
    for a in reversed(plan.axes):
        line = o.cast(o.iota(x, a.at), dtype)
        flat = line if flat is None else o.add(o.multiply(line, o.number(after, dtype)), flat)
        after = after * a.n
    return flat
