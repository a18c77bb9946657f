"""What an adapter knows of its framework's own words for pooling: how to read them, and how to write them.

A *word* is a function with the parameters of a framework's layer or function, names and defaults alike, that returns
the fields of the spec. So one table reads a layer in hand, a config, and a line of source: each is brought into the
form of a `Call` first. Nothing in a dialect imports its framework.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from poolkit.dialects.calls import STARS, Call, Expression, starred, text
from poolkit.dialects.usage import Usage
from poolkit.errors import NotExactError, PoolkitError

if TYPE_CHECKING:
    from poolkit.spec.operation import Operation
    from poolkit.spec.pool_spec import PoolSpec

# The arguments of a PoolSpec, some of which may be an `Expression`; or "axis", positions, in place of "axes".
Fields = dict[str, Any]


class NotPooling(NotExactError):  # noqa: N818
    """A call that pools nothing, such as a mean over channels."""


class NotKnown(NotExactError):  # noqa: N818
    """A call with arguments that decide what is pooled, and that only the program knows."""


class AtSomeSizes(NotExactError):  # noqa: N818
    """A call that pools as `fields` say at the sizes alone that the message tells, and nearly so at others."""

    def __init__(self, message: str, fields: Fields) -> None:
        super().__init__(message)
        self.fields = fields


@dataclass(frozen=True)
class Word:
    """A layer or a function that pools.

    `fields` has the framework's parameters, without the tensor; `tensor` is what a function calls its tensor, and None
    for a layer, which is made first and called with one then. Neighbours of pooling, which are known only to say so,
    have `pools` False. A word is `gone` that the framework itself has no more, and `old` are the arguments that it had.
    `further` are the tensors that it takes besides, each by poolkit's name and by the framework's, and `differs` says
    where a port of it gives other numbers all the same, or takes its tensors in another form, by what is read.
    """

    name: str
    fields: Callable[..., Any]
    tensor: str | None = None
    pools: bool = True
    gone: bool = False
    old: Collection[str] = ()
    further: Sequence[tuple[str, str]] = ()
    differs: str | Callable[[Fields | Operation], str] = ""

    def read(self, call: Call) -> Any:
        """The fields that a call gives, or a composite; `NotExactError` where it isn't a call of this word."""
        positional, named = list(call.args), dict(call.kwargs)
        if self.tensor is not None and named.pop(self.tensor, None) is None and positional:
            positional.pop(0)
        try:
            bound = inspect.signature(self.fields).bind(*positional, **named)
        except TypeError as error:
            raise NotExactError(
                f"received {call}, and {self.name} takes {self._parameters()} ({error}); mend the call"
            ) from None
        return self.fields(*bound.args, **bound.kwargs)

    def named(self, call: Call) -> Call:
        """A call of this word with its arguments by their names, all but the tensor."""
        first = 1 if self.tensor is not None and self.tensor not in dict(call.kwargs) else 0
        if any(starred(value) for value in call.args):
            return call
        names = zip(inspect.signature(self.fields).parameters, call.args[first:], strict=False)
        return Call(call.name, call.args[:first], (*names, *call.kwargs))

    def besides(self, call: Call) -> dict[str, Any]:
        """The further tensors that a call gives, by poolkit's names of them."""
        named = dict(self.named(call).kwargs)
        return {ours: named[theirs] for ours, theirs in self.further if named.get(theirs) is not None}

    def differs_in(self, fields: Fields | Operation) -> str:
        return self.differs if isinstance(self.differs, str) else self.differs(fields)

    def gone_from(self, call: Call) -> str:
        """What of a call its framework has no more, "" where it has all; an older interface keeps its arguments."""
        old = [name for name, _ in call.kwargs if name in self.old and "v1" not in call.name.split(".")]
        return call.name if self.gone else f"the argument {old[0]} of {call.name}" if old else ""

    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """What it takes, without the tensor."""
        return inspect.signature(self.fields).parameters

    def _parameters(self) -> str:
        parameters = self.parameters().values()
        return f"({', '.join(str(p.replace(annotation=p.empty)) for p in parameters)})"


class Measured(NamedTuple):
    """An input on which a framework's own layer gives other numbers than the definition, and both results.

    `x` is nested lists in the layout of `spec`, or text for what would be long, such as "full((1, 1, 64, 64), 100)", of
    NumPy's functions. A result is a number that every cell has, or a list of all cells in order; `at` picks one cell of
    it. Where the layer gives none, `own` is the name of what it raises, or "ends" where it ends the process. `mask` is
    what the layer is given besides, or `indices`; with `traced` it is called inside a graph that knows no sizes, and
    with `slopes` results are the derivatives of the sum of all that it gives.
    """

    spec: Operation
    x: Any
    dtype: str
    own: Any
    definition: Any
    at: int | None = None
    mask: Any = None
    traced: bool = False
    indices: Any = None
    slopes: bool = False


@dataclass(frozen=True)
class Caveat:
    """Where a layer that is equal on finite input still gives other numbers, with a measured example.

    `about` is one word: nan, half, sums, range, integers, sizes, mask or indices. `engine` is the engine of Keras on
    which it does, and None where it does on all. `unequal` says that it does so for finite float32 numbers at everyday
    sizes, so that the layer is not native for that engine.
    """

    about: str
    text: str
    concerns: Callable[[Any], bool] = field(repr=False)  # of an operation like the measured one
    measured: Measured
    engine: str | None = None
    unequal: bool = False

    def __str__(self) -> str:
        return self.text + on_engines([self.engine] if self.engine else [])


def on_engines(names: Sequence[str]) -> str:
    """What stands behind a caveat of some of Keras's engines.

    >>> on_engines(["jax", "numpy"])
    " (on Keras's jax and numpy engines)"
    """
    return f" (on Keras's {' and '.join(names)} engine{'s' * (len(names) > 1)})" if names else ""


@dataclass(frozen=True)
class Dialect:
    """A framework's words.

    `roots` are the first names of the modules whose objects and calls it reads. `canonical` brings a dotted name into
    the form of `words`. `call_of` gives somebody's object as the call that makes it, None where it knows no such
    object. `layouts` holds the usual layout for each number of spatial axes. `native` gives the framework's own call
    for a spec in its normal form (`poolkit.dialects.normal`), and raises `not_equal` where there is none; `others` does
    so for an operation that is no spec of cells that are pooled together.
    """

    name: str
    roots: tuple[str, ...]
    words: Mapping[str, Word]
    layouts: Mapping[int, str]
    canonical: Callable[[str], str] = str
    call_of: Callable[[Any], Call | None] = lambda obj: None
    native: Callable[[PoolSpec], Call] | None = None
    caveats: Sequence[Caveat] = ()
    usage: Usage = field(default_factory=Usage)
    others: Callable[[Operation], Call] | None = None


def words(*several: Word) -> dict[str, Word]:
    return {word.name: word for word in several}


def no_spec(name: str, what: str, instead: str = "keep it as it is") -> Word:
    """A word for a well-known neighbour of pooling, which says what it is, and what to do, in place of being read."""

    def refuse(*args: Any, **kwargs: Any) -> Fields:
        raise NotExactError(f"{name} {what}, and no spec of a pool says that; {instead}")

    return Word(name, refuse, pools=False)


MIDDLE = 'averages the two middle cells of an even count (PoolSpec("median", …) takes the lower)'
WITHOUT_NAN = "leaves NaN out"


def not_equal(reason: str, nearest: Call | None = None) -> NotExactError:
    """Why a framework has no layer that is equal to a spec, and what comes nearest; `native` adds whose spec it was."""
    error = NotExactError(reason)
    error.nearest = nearest
    return error


SEVERAL = (tuple, list)
SAID: Mapping[type, str] = {tuple: "a tuple", list: "a list", str: "text", int: "an integer"}


def check_written_out(call: Call) -> None:
    """`NotExactError` where arguments come by a star, of which nobody knows how many there are."""
    if any(starred(value) for value in call.args) or any(name == STARS for name, _ in call.kwargs):
        raise NotKnown(f"received {call}, and its arguments that come by * or ** are not known here; write them out")


def need_value(name: str, value: Any, *types: type) -> None:
    """`NotExactError` where a value that decides what is pooled is an expression, or of none of these types."""
    if isinstance(value, Expression):
        raise NotKnown(f"{name}={value.text} is not known here, and it decides what is pooled; write its value")
    if types and not isinstance(value, types):
        either = " or ".join(SAID[kind] for kind in types)
        raise NotExactError(f"{name}={text(value)} is not what the framework takes, which is {either}; mend the call")


# What reading values raises that nobody expected: a call may hold anything where a number belongs.
RAISED = (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, RecursionError)


@contextmanager
def not_exact() -> Generator[None]:
    """Makes a `NotExactError` of every error of a spec or an operation, so that it is one of this call alone."""
    try:
        yield
    except NotExactError:
        raise
    except PoolkitError as error:
        raise NotExactError(str(error)) from None


@contextmanager
def read_from(what: object) -> Generator[None]:
    """Makes a `NotExactError` of whatever goes wrong while something is read.

    >>> with read_from("f(x)"):  # doctest: +IGNORE_EXCEPTION_DETAIL
    ...     len(3)
    Traceback (most recent call last):
    poolkit.errors.NotExactError: received f(x), and its values are not those that it takes
    """
    try:
        yield
    except PoolkitError:
        raise
    except RAISED as error:
        raise NotExactError(f"received {what}, and its values are not those that it takes ({error}); mend it") from None
