"""What a backend gives: primitives (`primitives`), faster routes (`Route`), facts about its tensors (`Adapter`).

With the primitives alone the core computes every kind, exactly, in every mode. Routes are optional.
"""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from poolkit.errors import InputError

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan, Plan

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]  # values, and positions where they are asked for

SUMS, EXTREMA = ("avg", "sum"), ("max", "min")  # the kinds for which frameworks have calls of their own


class Situation(NamedTuple):
    """All that may steer the choice of a route besides the plan; part of the key under which programs are kept."""

    derivative: bool = True  # a derivative may be taken
    tracing: bool = False  # the framework's own tracer is looking on
    wrapped: bool = False  # by vmap or another functional transform
    rounds: bool = False  # products of matrices may be rounded to fewer bits, as under autocast
    empty: bool = False  # an axis that is not pooled has size 0
    small: bool = False  # calling takes longer than reading: the fewer calls the better
    large: bool = False  # no cache holds its numbers
    vast: bool = False  # nor may memory hold copies of it
    thin: bool = False  # few numbers lie side by side along the last axis
    shipped: bool = False  # printed, exported or compiled elsewhere: the framework's own calls come first
    device: Hashable = None
    format: Hashable = None  # memory format, or what an adapter's routes need of that sort


When = Callable[["Plan", Situation], bool]


@dataclasses.dataclass(frozen=True)
class Route:
    """A faster way to reduce, for some kinds, plans and situations.

    `lower(ops, x, plan)` gives (values, indices or None) with the pooled axes kept. It is given the input in its own
    dtype if it takes that or no cast is needed, otherwise in the plan's working dtype.
    """

    name: str
    kinds: tuple[str, ...]
    lower: Callable[..., Reduced]  # of a Plan, or of a Composite by `poolkit.lower`
    when: When
    cost: Callable[[Any], float]  # passes over the input; the fold's is 100
    differentiable: bool = True  # right, and fast, when a derivative may be taken
    needs_sizes: bool = True  # looks at sizes, so they must be known
    takes_half_precision: bool = False  # as it is, and adds up in float32; others are given float32
    takes_integers: bool = False  # as they are; others are given the dtype that the plan works in
    indices: bool = False  # gives positions
    decorator: str = ""  # over the function of the program, as "@tf.function"; a mix has none
    note: str = ""  # why its program may be long
    reference: bool = False  # the framework's own call for this layer, also offered as "native"
    refuses: bool = False  # it raises a RuntimeError or IndexError where further tensors hold what it is not right for
    copies: bool = False  # takes more than 1.2 times the memory of that call, behind which it goes where that counts


def every(*conditions: When) -> When:
    """Where all of several are met."""
    return lambda plan, situation: all(when(plan, situation) for when in conditions)


def traced(plan: Plan, situation: Situation) -> bool:
    return situation.tracing


def eager(plan: Plan, situation: Situation) -> bool:
    return not situation.tracing


def derived(plan: Plan, situation: Situation) -> bool:
    """Whether a derivative may be taken: where a framework records eager calls, on a tape."""
    return situation.derivative


class Adapter:
    """One backend: facts about its tensors, of which an adapter says those that differ from these."""

    name: str
    takes: str  # what is a dense tensor of this framework, and how others become one, for an error's text
    ops: Callable[[int, str], Any]  # an Ops class
    layers: Callable[..., Any]  # the class of its layers for any spec
    learned: Callable[..., Any] | None = None  # that of layers with weights
    routes: tuple[Route, ...] = ()
    silent = False  # it warns of no number that is out of range, so that one may be computed to see whether it is
    refuses = False  # an eager call that is to write to a place that there is not raises a RuntimeError or IndexError
    derives = False  # a derivative that is given by hand is composed to any order and in every mode (`Ops.derived`)
    executables: int | None = None
    """How many programs are kept, each for one shape, where the framework compiles them; None where they just run."""

    def dense(self, x: object) -> bool:
        """Whether it is a dense tensor of this framework."""
        raise NotImplementedError

    def check(self, x: object) -> None:
        """Raise `InputError` where `x` is no dense tensor of this framework."""
        if not self.dense(x):
            raise InputError(f"received a {type(x).__name__}, and pooling takes {self.takes}")

    def dtype(self, x: Tensor) -> str:
        return str(getattr(x.dtype, "name", x.dtype))

    def rank(self, x: Tensor, letters: int) -> tuple[Tensor, int]:
        """The tensor and its rank; an unknown rank is taken to be `letters`."""
        return x, x.ndim

    def known_size(self, x: Tensor, at: int) -> int | None:
        """A size as an int, or None where it is a symbol."""
        return int(x.shape[at])

    def fixed_size(self, x: Tensor, at: int) -> int | None:
        """The same of a symbol whose value a tracer has at hand; None where it has none."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it becomes a constant, which was asked for
                return int(x.shape[at])
        except Exception:  # what a framework's sizes that are nowhere known say to this
            return None

    def situation(self, x: Tensor) -> Situation:
        raise NotImplementedError

    def key(self, x: Tensor, spec: Any) -> Hashable:
        """What a program may depend on; None where sizes are symbols, and the lowering has to run directly."""
        return None

    def keys(self, x: Tensor, spec: Any, tensors: Mapping[str, Tensor]) -> Hashable:
        """The same with tensors besides the input; None where one of them has none."""
        keys = [self.key(x, spec), *[self.key(t, (name, type(t))) for name, t in tensors.items()]]
        return None if None in keys else tuple(keys)

    def key_of(self, key: Tensor) -> Tensor:
        """A key of the framework's own as a tensor of integers; what is one already as it is."""
        return key

    def held(self, t: Tensor) -> Any:
        """What a tensor holds, as an array; None where a tracer holds it."""
        return None if self.situation(t).tracing else self.to_numpy(t)

    def widen(self, dtype: str) -> str | None:
        """The dtype in which this framework compares an integer dtype; None where there is none."""
        return "uint8" if dtype == "bool" else dtype

    def within(self, x: Tensor) -> AbstractContextManager[Any]:
        """Where a tracer's tensor is pooled: what is made besides it, such as a constant, is then a tracer's, too."""
        return contextlib.nullcontext()

    def wide(self, situation: Situation) -> bool:
        """Whether float64 is to be had, at no more than twice the time of float32."""
        return False

    def branches(self, plan: AnyPlan, situation: Situation) -> bool:
        """Whether it pays to ask what tensors hold (`Ops.branch`), so that windows of a kind with powers are sums."""
        return False

    def multiplies(self, situation: Situation) -> str:
        """By which product of matrices masked sums are fastest, if any: "product", or "product in stages"."""
        return ""

    def over(self, route: Route, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> str:
        """What stands over the function of a program for a shape: a decorator, which may be defined there."""
        return route.decorator

    def part(self, route: Route, plan: AnyPlan, situation: Situation, shape: Sequence[Any]) -> AnyPlan:
        """The plan of what the function itself pools, where what stands over it calls it for one part at a time."""
        return plan

    def layer(self, spec: Any, *, route: str | None = None, **options: Any) -> Any:
        """A layer of this framework that pools by `spec`; a `SpecError` where it has no such options."""
        made = self.learned if spec.parameters and self.learned is not None else self.layers
        return made(spec, route=route, **options)

    def from_numpy(self, array: Any) -> Tensor:
        """A tensor that holds an array's numbers, on the device that the framework takes by itself."""
        raise NotImplementedError

    def to_numpy(self, t: Tensor) -> Any:
        """A tensor as an array; bfloat16, which NumPy does not have, may be float32."""
        raise NotImplementedError

    def evaluate(self, spec: Any, array: Any) -> Any:
        """Pool a NumPy array by this framework's layer: NumPy in, NumPy out. For demonstrations and checks."""
        found: Any = self.layer(spec)(self.from_numpy(array))
        return tuple(map(self.to_numpy, found)) if spec.several else self.to_numpy(found)

    def gradient(self, run: Callable[[Tensor], Any], x: Tensor, cotangent: Tensor | None = None) -> Any:
        """The gradient of what `run` gives, or of its values; None where no eager call tells that one is taken.

        `cotangent`, of the shape of the values, is what their gradient is; ones where it is None.
        """
        return None

    def finish(self, function: Callable[..., Any], plan: AnyPlan | None = None) -> Callable[..., Any]:
        """The function of a program, made ready to be called (JAX wraps it in `jit`); for every size without plan."""
        return function


class ThirdParty(Adapter):
    """What an entry point of the group ``poolkit.backends`` names."""

    framework: str  # the module that has to be installed

    def serves(self, x: Tensor) -> Adapter | None:
        """The adapter for this object: itself, or one of several; None where it is no tensor of this backend."""
        raise NotImplementedError

    def dense(self, x: object) -> bool:
        return self.serves(x) is not None
