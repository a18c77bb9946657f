"""What a backend gives: primitives (`Ops`), routes that are faster (`Route`), facts about its tensors (`Adapter`).

With the primitives alone the core computes every kind, exactly, in every mode. Routes are optional.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan

Tensor = Any
Size = Any


class Ops(Protocol):
    """Plain operations with the same meaning in every framework.

    Made anew for each lowering, with the input's rank and the dtype that the plan works in. Tensors of another rank
    have primitives of their own, `of_rank`. A Python float is taken in the dtype of the tensor that it meets.
    `poolkit.lowering.operators` says those in terms of others that can be.

    The attributes named in `imports` are the framework's own modules. While a lowering is recorded they are stand-ins
    that write down what is called, so a primitive may use nothing but these attributes, its arguments, and their
    methods. `at` is always a non-negative axis; `a` and `b` broadcast; reductions keep the axis with size 1.
    """

    imports: ClassVar[dict[str, str]]  # attribute -> import statement that binds that name
    index: str  # dtype of indices
    pairwise_sums: bool  # axes of known length are added up by halves (`poolkit.lowering.fold.total`), not by `sum`
    sizes_are_data: ClassVar[bool]  # sizes can be tensors that a pad or slice does not take
    rank: int
    dtype: str  # that in which the kind is computed

    def __init__(self, rank: int, dtype: str) -> None: ...
    def of_rank(self, rank: int) -> Ops:
        """The same primitives for tensors of another rank."""
        ...

    # sizes
    def size(self, x: Tensor, at: int) -> Size: ...
    def number(self, n: Size, dtype: str) -> Any:
        """A size as something that multiplies and divides a tensor of this dtype."""

    # shape
    def pad(self, x: Tensor, at: int, low: Size, high: Size, value: float) -> Tensor: ...
    def slice(self, x: Tensor, at: int, start: int, stop: int | None, step: int) -> Tensor:
        """`stop` may be negative, counted from the end."""

    def concat(self, parts: Sequence[Tensor], at: int) -> Tensor: ...
    def drop(self, x: Tensor, ats: tuple[int, ...]) -> Tensor: ...
    def expand(self, x: Tensor, at: int) -> Tensor:
        """A new axis of size 1, which is then axis `at`."""

    def reshape(self, x: Tensor, shape: tuple[Size, ...]) -> Tensor:
        """One size may be -1."""

    def permute(self, x: Tensor, order: tuple[int, ...]) -> Tensor: ...
    def broadcast(self, x: Tensor, like: Tensor) -> Tensor: ...

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
    def absolute(self, a: Tensor) -> Tensor:
        """Its derivative at 0 is not looked at."""

    def floor(self, a: Tensor) -> Tensor: ...
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

    # along axes
    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        """Within the error that docs/semantics.md (6) allows, eager and compiled; keeps the dtype.

        For axes of unknown length; for known ones too, unless `pairwise_sums`.
        """

    def max(self, x: Tensor, at: int) -> Tensor:
        """What it gives where there is a NaN is not looked at."""

    def min(self, x: Tensor, at: int) -> Tensor: ...
    def any(self, x: Tensor, at: int) -> Tensor: ...
    def count(self, chosen: Tensor, at: int, dtype: str) -> Tensor:
        """How many are true."""

    def pick(self, chosen: Tensor, x: Tensor, at: int) -> Tensor:
        """The element of `x` where `chosen` is true, which it is exactly once along the axis."""

    def take(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        """The elements at `places`, int32 along one axis and of rank 1; one out of range is not looked at."""

    def take_along(self, x: Tensor, places: Tensor, at: int) -> Tensor:
        """As NumPy's `take_along_axis`: `places` has the rank of `x`, and broadcasts along the other axes."""

    def order(self, x: Tensor, at: int) -> Tensor:
        """The places, in int32, that sort an axis: equal ones stay in order; not looked at where there is a NaN."""

    def sort(self, x: Tensor, at: int) -> Tensor: ...

    # lines along one axis, with size 1 along all others
    def iota(self, x: Tensor, at: int) -> Tensor:
        """0, 1, 2, … in int32 along an axis of `x`."""

    def line(self, values: tuple[int, ...], at: int, dtype: str, like: Tensor) -> Tensor:
        """These numbers along an axis, on the device of `like`."""

    # the tensor as a whole
    def cast(self, x: Tensor, dtype: str) -> Tensor: ...
    def cast_like(self, x: Tensor, like: Tensor) -> Tensor: ...
    def detach(self, x: Tensor) -> Tensor: ...
    def copy(self, x: Tensor) -> Tensor:
        """Memory of its own, where tensors can be changed."""


class Situation(NamedTuple):
    """All that may steer the choice of a route besides the plan; part of the key under which programs are kept."""

    derivative: bool = True  # a derivative may be taken
    tracing: bool = False  # the framework's own tracer is looking on
    wrapped: bool = False  # by vmap or another functional transform
    autocast: bool = False
    empty: bool = False  # an axis that is not pooled has size 0
    device: Hashable = None
    format: Hashable = None  # memory format, or what an adapter's routes need of that sort


@dataclasses.dataclass(frozen=True)
class Route:
    """A faster way to reduce, for some kinds, plans and situations.

    `lower(ops, x, plan)` gives (values, indices or None) with the pooled axes kept. It is given the input in its own
    dtype if it takes that or no cast is needed, otherwise in the plan's working dtype.
    """

    name: str
    kinds: tuple[str, ...]
    lower: Callable[..., tuple[Tensor, Tensor | None]]  # of a Plan, or of a Composite by `poolkit.lower`
    when: Callable[[Plan, Situation], bool]
    cost: Callable[[Plan], float]  # passes over the input; the fold's is `poolkit.lowering.lower.fold_cost`
    differentiable: bool = True  # right, and fast, when a derivative may be taken
    needs_sizes: bool = True  # looks at sizes, so they must be known
    takes_half_precision: bool = False  # itself, and accumulates in float32
    takes_integers: bool = False  # itself
    indices: bool = False  # gives positions
    decorator: str = ""  # over the function of the program, as "@tf.function"; a mix has none
    reference: bool = False  # the framework's own call for this layer, also offered as "native"


class Adapter(Protocol):
    """One backend."""

    name: str
    ops: type[Any]  # an Ops class
    routes: tuple[Route, ...]
    executables: int | None
    """How many programs are kept, each for one shape, where the framework compiles them; None where they just run."""

    def check(self, x: Tensor) -> None:
        """Raise `InputError` where `x` is no dense tensor of this framework."""

    def dtype(self, x: Tensor) -> str: ...
    def rank(self, x: Tensor, letters: int) -> tuple[Tensor, int]:
        """The tensor and its rank; an unknown rank is taken to be `letters`."""
        ...

    def known_size(self, x: Tensor, at: int) -> int | None:
        """A size as an int, or None where it is a symbol."""

    def situation(self, x: Tensor) -> Situation: ...
    def key(self, x: Tensor, spec: Any) -> Hashable:
        """What a program may depend on; None where sizes are symbols, and the lowering has to run directly."""

    def widen(self, dtype: str) -> str | None:
        """The dtype in which this framework compares an integer dtype; None where there is none."""

    def layer(self, spec: Any, *, route: str | None = None, **options: Any) -> Any:
        """A layer of this framework that pools by `spec`."""

    def evaluate(self, spec: Any, array: Any) -> Any:
        """Pool a NumPy array by way of this framework: NumPy in, NumPy out. For demonstrations and checks."""

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The compiled function of a program, made ready to be called (JAX wraps it in `jit`)."""
        ...


class ThirdParty(Adapter, Protocol):
    """What an entry point of the group ``poolkit.backends`` names."""

    framework: str  # the module that has to be installed

    def serves(self, x: Tensor) -> Adapter | None:
        """The adapter for this object: itself, or one of several; None where it is no tensor of this backend."""
        ...
