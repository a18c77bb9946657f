"""`Ops`: plain operations of a framework, with one meaning everywhere, with which every kind can be computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from poolkit.lowering.axis import Axis

Tensor = Any
Size = Any


class Ops(Protocol):
    """Plain operations with the same meaning in every framework.

    Made anew for each lowering, with the input's rank and the dtype that the plan works in. Tensors of another rank
    have primitives of their own, `of_rank`. A Python float is taken in the dtype of the tensor that it meets.
    `poolkit.lowering.derived` says those in terms of others that can be.

    The attributes named in `imports` are the framework's own modules. While a lowering is recorded they are stand-ins
    that write down what is called, so a primitive may use nothing but these attributes, its arguments, and their
    methods. `at` is always a non-negative axis; `a` and `b` broadcast; reductions keep the axis with size 1.
    """

    imports: ClassVar[dict[str, str]]  # attribute -> import statement that binds that name
    index: str  # dtype of indices
    pairwise_sums: bool  # axes of known length are added up pair by pair (`poolkit.lowering.fold.total`), not by `sum`
    slices_are_free: ClassVar[bool]  # a slice takes no time, so that few cells, too, are added up pair by pair
    calls_are_dear: bool  # one takes longer than reading a small map: bins are cut out of all windows, not one by one
    sizes_are_data: ClassVar[bool]  # an unknown size may be a tensor, which a pad or a slice does not take
    slices_by_size: bool  # in every mode a slice may end at a place that is computed from an unknown size
    exact: bool  # asked for by a lowering: sums of unknown length keep to 4 eps, too
    blind: bool  # asked for by a lowering: no derivative is taken of what is computed
    alone: bool  # asked for by a lowering: no tracer or transform looks on, so that what is new may be written to
    large: bool  # said by a lowering: each of a batch has 2**17 numbers, so that `each` may take them apart
    fused: bool  # a compiler makes these calls into loops, or may: nobody knows of a program that is printed
    puts: bool  # there is `put`
    drops: bool  # `segment` leaves out rows whose numbers are below 0
    nan_wins: bool  # the largest and smallest rows of a segment with a NaN are NaN, those of infinite ones infinite
    zeros: bool  # `segment` takes `or_zero`
    squares: bool  # a derivative of `divide` has the square of its divisor
    rank: int
    dtype: str  # that in which the kind is computed

    def __init__(self, rank: int, dtype: str) -> None: ...
    def of_rank(self, rank: int) -> Ops:
        """The same primitives for tensors of another rank."""
        ...

    def of_dtype(self, dtype: str) -> Ops:
        """The same primitives where a kind is computed in another dtype."""
        ...

    def shared(self, name: str, key: Any, function: Callable[..., Any], outermost: bool = False) -> Any:
        """The function itself; a printed program defines it once, by this name, unless it is a line or shorter.

        Functions with the same `key` are one function. One that uses nothing but its arguments may stand `outermost`.
        """

    # sizes
    def size(self, x: Tensor, at: int) -> Size: ...
    def around(self, a: Axis) -> tuple[Size, Size]:
        """How many cells are put before an axis and behind it; those that no window covers may be left out."""
        ...

    def number(self, n: Size, dtype: str) -> Any:
        """A size as something that multiplies and divides a tensor of this dtype."""

    # shape
    def pad(self, x: Tensor, at: int, low: Size, high: Size, value: float) -> Tensor: ...
    def slice(self, x: Tensor, at: int, start: int, stop: int | None, step: int) -> Tensor:
        """`stop` may be negative, counted from the end."""

    def edged(self, x: Tensor, at: int, low: int, high: int) -> Tensor:
        """With the first cell and the last one again, so many times."""
        ...

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor: ...
    def drop(self, x: Tensor, ats: tuple[int, ...]) -> Tensor: ...
    def expand(self, x: Tensor, at: int) -> Tensor:
        """A new axis of size 1, which is then axis `at`."""

    def reshape(self, x: Tensor, shape: tuple[Size, ...]) -> Tensor:
        """One size may be -1."""

    def merge(self, x: Tensor, n: int, size: Size) -> Tensor:
        """The last `n` axes as one, of this size."""

    def split(self, x: Tensor, sizes: tuple[Size, ...]) -> Tensor:
        """The last axis as several, of these sizes."""

    def permute(self, x: Tensor, order: tuple[int, ...]) -> Tensor: ...
    def broadcast(self, x: Tensor, like: Tensor) -> Tensor: ...
    def lengthened(self, t: Tensor, x: Tensor, at: int) -> Tensor:
        """`t` as long as `x` along one axis, along which it is that long already, or has one cell."""

    # elementwise
    def where(self, condition: Tensor, a: Any, b: Any) -> Tensor:
        """At most one of `a` and `b` is a Python number; it takes the dtype of the other."""

    def greater(self, a: Tensor, b: Any) -> Tensor: ...
    def less(self, a: Tensor, b: Any) -> Tensor: ...
    def equal(self, a: Tensor, b: Any) -> Tensor: ...
    def isnan(self, a: Tensor) -> Tensor: ...
    def both(self, a: Tensor, b: Tensor) -> Tensor: ...
    def either(self, a: Tensor, b: Tensor) -> Tensor: ...
    def add(self, a: Tensor, b: Any) -> Tensor: ...
    def subtract(self, a: Tensor, b: Any) -> Tensor: ...
    def multiply(self, a: Tensor, b: Any) -> Tensor: ...
    def divide(self, a: Tensor, b: Any) -> Tensor: ...
    def exp(self, a: Tensor) -> Tensor: ...
    def log(self, a: Tensor) -> Tensor: ...
    def power(self, a: Tensor, b: Any) -> Tensor: ...
    def quotient(self, a: Tensor, b: Tensor) -> Tensor:
        """By what is not 0, with a derivative that is in range wherever its own numbers are."""
        ...

    def absolute(self, a: Tensor) -> Tensor:
        """Its derivative at 0 may be anything."""

    def better(self, which: str, a: Tensor, b: Tensor) -> Tensor:
        """The larger ("max") or the smaller ("min") of each two; NaN where one is. Only where there is `puts`."""

    def floor(self, a: Tensor) -> Tensor: ...
    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """NaN stays; a cell at an end has its own gradient."""

    def matmul(self, a: Tensor, b: Tensor) -> Tensor:
        """Of the last two axes; there are at least two, and the others broadcast."""

    # int32 alone: sums, differences and products wrap around
    def bit_and(self, a: Tensor, b: Any) -> Tensor: ...
    def bit_or(self, a: Tensor, b: Any) -> Tensor: ...
    def bit_xor(self, a: Tensor, b: Any) -> Tensor: ...
    def shift_left(self, a: Tensor, n: int) -> Tensor: ...
    def shift_right(self, a: Tensor, n: int) -> Tensor:
        """The sign is kept; `n` is 0 to 31."""

    def halve(self, a: Tensor) -> Tensor:
        """Rounded down."""

    def integer_sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """In int32."""

    def running_sum(self, x: Tensor, at: int) -> Tensor:
        """Of each element and those before it along an axis, in int32."""

    # along axes
    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """Within the error that docs/semantics.md (6) allows, eager and compiled; keeps the dtype.

        For axes of unknown length; for known ones too, unless `pairwise_sums`.
        """

    def rows(self, x: Tensor, parts: tuple[int, ...], at: int | None = None) -> Tensor:
        """Cells as axes of the sizes `parts` behind the batch, before `at`, the last axis, where it is given."""

    def running(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """The framework's own, in the dtype of the cells: exact for ones."""

    def own_sum(self, x: Tensor, ats: tuple[int, ...], few: bool = False) -> Tensor:
        """The framework's own, for axes of unknown length, where `sum` needs what converters lack, such as float64.

        Or of a `few` cells, at most 128, which may be added up in a row.
        """

    def max(self, x: Tensor, at: int) -> Tensor:
        """The largest along an axis; where there is a NaN it may be anything."""

    def min(self, x: Tensor, at: int) -> Tensor: ...
    def any(self, x: Tensor, at: int) -> Tensor: ...
    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        """How many are true."""

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        """The element of `x` where `chosen` is true, which it is exactly once along the axis."""

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        """The elements at `places`, int32 and of rank 1, along one axis; what a place out of range gives is open."""

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        """As NumPy's `take_along_axis`: `places` has the rank of `x`, and broadcasts along the other axes."""

    def convolve(
        self, x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
    ) -> Tensor:
        """The sum of each window along all axes but the first, one to three; by a convolution where there is one."""

    def put(self, x: Tensor, places: Tensor, n: Size) -> Tensor:
        """Zeros, `n` along the last axis, with each number of `x` put at its place, which is from 0 to below `n`.

        Of several that are put at one place any one may stand there. Only where there is `puts`.
        """

    def segment(self, x: Tensor, ids: Tensor, n: int, how: str, or_zero: bool = False) -> Tensor:
        """For each number below `n` the sum of the rows, along axis 0, that have it in `ids`, of rank 1.

        `how` is "sum", "max" or "min". The sum of no row is 0, and with `or_zero` an extreme, which may be anything
        otherwise; so may one of rows with a NaN, or of infinite ones alone, unless `nan_wins`. With `exact` sums of
        float32 are added up in float64 where there is one.
        """

    def counts(self, ids: Tensor, n: int) -> Tensor:
        """How often each number below `n` stands in `ids`, of rank 1, in `dtype`."""

    def last(self, x: Tensor, n: Size) -> Tensor:
        """Where, along the last axis, each number below `n` stands last, in int32; anything for one that is absent.

        `x` is of the dtype of indices, from -1 to below `n`.
        """

    def order(self, x: Tensor, at: int) -> Tensor:
        """The places, in int32, that sort an axis: equal ones stay in order; any order where there is a NaN."""

    def sort(self, x: Tensor, at: int) -> Tensor: ...

    # lines along one axis, with size 1 along all others
    def iota(self, x: Tensor, at: int) -> Tensor:
        """0, 1, 2, … in int32 along an axis of `x`."""

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        """These numbers along an axis, on the device of `like`."""

    # the tensor as a whole
    def between(self, x: Tensor, low: float, high: float) -> Any:
        """Whether every number is above `low` and below `high`, as `branch` takes it; NaN is not."""

    def branch(
        self, right: Any, near: Callable[[Tensor], Tensor], far: Callable[[Tensor], Tensor], x: Tensor
    ) -> Tensor:
        """`near(x)` where `right` is true, else `far(x)`, where an adapter's `branches` says that this may be asked."""

    def each(self, function: Callable[[Tensor], Any], x: Tensor) -> Any:
        """`function(x)`; where it is `large`, one along the first axis at a time, in as little memory as one takes."""

    def mended(self, right: Any, found: tuple[Tensor, ...], again: Callable[[Tensor], Any], x: Tensor) -> Any:
        """`found` where `right` is true, else `again(x)`, of the same shapes and dtypes, where an adapter `derives`."""

    def derived(self, function: Callable[[Tensor], Any], slopes: Callable[..., Any], x: Tensor) -> Any:
        """`function(x)`, whose derivative is `slopes(x, function(x), change of x)`, where an adapter `derives`.

        Elsewhere it is what `slopes` makes of the cells themselves, which is the same where cells are chosen. Of a
        tuple, `slopes` gives one; `x` may be several tensors, of which the first is changed.
        """

    def unless_derived(self, alone: Callable[[Tensor], Any], both: Callable[[Tensor], Any], x: Tensor) -> Any:
        """`both(x)`, or `alone(x)`, which is as good, where an adapter `derives` and no derivative is taken."""

    def cast(self, x: Tensor, dtype: str) -> Tensor: ...
    def cast_like(self, x: Tensor, like: Tensor) -> Tensor: ...
    def detach(self, x: Tensor) -> Tensor: ...
    def copy(self, x: Tensor) -> Tensor:
        """Memory of its own, where tensors can be changed."""
