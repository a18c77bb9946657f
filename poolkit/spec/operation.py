"""`Operation`: what poolkit runs. A pooling is one, a mix of poolings another; what runs them knows nothing more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, cast

from poolkit.errors import InputError
from poolkit.spec.kinds import RANDOM
from poolkit.spec.messages import shown
from poolkit.spec.text import as_python

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan
    from poolkit.spec.pool_spec import PoolSpec

Size = Callable[[int], tuple[Any, bool]]  # of an axis: its size, and whether that is an int
Widen = Callable[[str], str | None]  # an integer dtype -> the one in which a framework compares it, or None


class Further(NamedTuple):
    """What a plan may know of a tensor besides the input; a size that is not known is None."""

    name: str
    rank: int
    dtype: str
    sizes: tuple[int | None, ...]


class Step(NamedTuple):
    """One pooling of an operation, the shape of what it pools, and the tensors besides that it is given."""

    pooling: PoolSpec
    shape: tuple[int, ...]
    takes: tuple[str, ...]


class Parameter(NamedTuple):
    """A weight of a layer: its shape, the number that it starts with, and how far from it, at random, it may be."""

    shape: tuple[int, ...]
    start: float = 0.0
    spread: float = 0.0


class Operation:
    """Something frozen and hashable that is done to a tensor, and that an input resolves to a plan.

    A subclass says which axes it pools, its plan, and how it is written down. Its dictionary is the one with `key`.
    """

    key: ClassVar[str]
    ALL: ClassVar[list[type[Operation]]] = []

    apart: ClassVar[bool] = True  # each of its poolings is given the input, and not what another one gives

    layout: str
    axes: str | None
    keepdims: bool
    indices: bool  # the result is a pair, with positions

    def __init_subclass__(cls) -> None:
        if "key" in vars(cls):
            Operation.ALL.append(cls)

    def __repr__(self) -> str:
        positional, named = self.arguments()
        given = [*map(as_python, positional), *[f"{name}={as_python(value)}" for name, value in named.items()]]
        return f"{type(self).__name__}({', '.join(given)})"

    @property
    def letters(self) -> str:
        """The layout without a leading "..."."""
        return self.layout.removeprefix("...")

    @property
    def rank(self) -> int | None:
        """The number of axes that an input has besides leading ones; None where the operation does not tell it."""
        return len(self.letters) if self.axes is not None else None

    @property
    def selects(self) -> bool:
        """Whether every number of the result is one of the input."""
        raise NotImplementedError

    def poolings(self) -> tuple[PoolSpec, ...]:
        """The poolings that it consists of; `each` tells of what.

        >>> from poolkit import MaxPool
        >>> MaxPool(2, layout="NCL").poolings()
        (PoolSpec("max", window=2, layout="NCL"),)
        """
        raise NotImplementedError

    def each(self, shape: Sequence[int]) -> tuple[Step, ...]:
        """Each of its poolings, with what it pools where the input has this shape."""
        return tuple([Step(pooling, tuple(shape), pooling.takes) for pooling in self.poolings()])

    def changed(self, change: Callable[[PoolSpec], PoolSpec]) -> Self:
        """The operation with each of its poolings changed.

        >>> from poolkit import MaxPool
        >>> MaxPool(2, layout="NCL").changed(lambda part: part.replace(kind="min")).kind
        'min'
        """
        return self

    @property
    def shares(self) -> Sequence[float] | None:
        """What each of its poolings is multiplied by before they are added; None where they are not."""
        return (1.0,)

    @property
    def joined(self) -> str:
        """How its poolings stand to each other, in words; empty where they are added."""
        return ""

    @property
    def several(self) -> bool:
        """Whether the result is a tuple of tensors."""
        return self.indices

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of further tensors that it takes, in the order of a program's arguments."""
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Those of them that have to be given."""
        return ()

    @property
    def learned(self) -> tuple[str, ...]:
        """Those of them that stand in the place of an option."""
        return ()

    refused: ClassVar[tuple[str, ...]] = ()  # further tensors that are looked at where a program has refused them
    looked_at: ClassVar[tuple[str, ...]] = ("samples",)  # further tensors that may hold what no program can refuse

    def look(self, name: str, held: Any, shape: Sequence[int]) -> Operation | None:
        """Refuse what one of these holds, an array, beside an input of this shape; or what to do instead."""
        if not ((held >= 0) & (held < 1)).all():
            raise InputError(
                f"received samples from {held.min()} to {held.max()}, and a sample is a number from 0 to below 1; "
                f"give such numbers, as those of numpy.random.Generator.random"
            )
        return None

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        """The axes that a further tensor may have, of the letters of an input; of samples, of those of a result."""
        if name in RANDOM:
            return (letters,) if name == "samples" else ("",)
        return ("", "C") if name in self.learned else (letters.replace("C", ""), letters)

    loose: ClassVar[tuple[str, ...]] = ()  # further tensors with the axes of the result, each of whose sizes may be 1

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The weights that a layer holds, by the names of further tensors."""
        return {}

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """The sizes of axes that further tensors have and the input has not; None where they are data."""
        return {}

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        """Operations on an input of this shape, and the tensors that are given, besides those of its poolings."""
        return 0

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        """The operation resolved on an input.

        >>> from poolkit import MaxPool
        >>> MaxPool(2, layout="NCL").plan(3, "float32", lambda at: (8, True), lambda dtype: dtype).axes[0].out
        4
        """
        raise NotImplementedError

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        """The dtype in which it is computed on an input of this dtype.

        >>> from poolkit import AvgPool
        >>> AvgPool(2, layout="NCL").work_dtype("float16", lambda dtype: dtype)
        'float32'
        """
        raise NotImplementedError

    def output_shape(self, shape: Sequence[int | None]) -> tuple[Any, ...]:
        """The shape of the result for an input of this shape; None where it depends on a size that is None."""
        raise NotImplementedError

    def output_shapes(self, shape: Sequence[int | None]) -> tuple[tuple[int | None, ...], ...]:
        """The same of each tensor of the result but indices."""
        return (self.output_shape(shape),)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The fewest arguments that make it: by position, and by name.

        >>> from poolkit import MaxPool
        >>> MaxPool(2, layout="NCL").arguments()
        (('max',), {'window': 2, 'layout': 'NCL'})
        """
        raise NotImplementedError

    def replace(self, **changes: Any) -> Self:
        """The operation with other values."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold, which `from_dict` reads."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        raise NotImplementedError

    @classmethod
    def written(cls, text: str) -> bool:
        """Whether a text is that of such an operation, by how it begins."""
        return False

    @classmethod
    def parse(cls, string: str) -> Operation:
        """The operation of a text like ``str(operation)``, whichever it is.

        >>> from poolkit import Mix
        >>> Operation.parse("cat(avg window=2 layout=NCL, max window=2 layout=NCL)") == Mix.parse(
        ...     "cat(avg window=2 layout=NCL, max window=2 layout=NCL)"
        ... )
        True
        """
        meant = [one for one in Operation.ALL if one.written(string)]
        return (meant or Operation.ALL)[0].parse(string)

    def __reduce__(self) -> tuple[Any, ...]:
        # A function, which `torch.load` can be allowed; and what it makes is checked.
        return operation_from_dict, (self.to_dict(),)

    def __call__(self, x: Any, **tensors: Any) -> Any:
        from poolkit.running.layers import pool

        return pool(x, self, **tensors)

    def layer(self, backend: str, **options: Any) -> Any:
        """A layer of a framework: torch.nn.Module, keras.layers.Layer, or a callable.

        >>> import numpy as np
        >>> from poolkit import MaxPool
        >>> MaxPool(2, layout="NCHW").layer("numpy")(np.zeros((1, 3, 8, 8))).shape
        (1, 3, 4, 4)
        """
        from poolkit.running.layers import layer

        return layer(self, backend, **options)

    def explain(self, shape: Sequence[int], tensors: Mapping[str, Any] | None = None) -> str:
        """What is pooled, the output's shape, windows and divisors, as a picture in text.

        >>> from poolkit import PoolSpec
        >>> "(2, 1, 1, 256)" in PoolSpec("avg", output_size=1, layout="NHWC").explain((2, 32, 32, 256))
        True
        """
        from poolkit.tools.explain import explain

        return explain(self, shape, tensors)

    def cost(self, shape: Sequence[int], tensors: Mapping[str, Any] | None = None) -> Any:
        """The operations, bytes and parameters of pooling an input of this shape.

        >>> from poolkit import PoolSpec
        >>> PoolSpec("avg", output_size=1, layout="NHWC").cost((2, 32, 32, 256)) is not None
        True
        """
        from poolkit.tools.cost import cost

        return cost(self, shape, tensors=tensors)


def as_spec(spec: object, takes: str) -> Operation:
    """What was given as the spec; `InputError` where it is none. `takes` is a clause about who takes one."""
    if isinstance(spec, Operation):
        return spec
    raise InputError(
        f"received {shown(spec)} as the spec, and {takes} in this order; "
        'a spec is made as in PoolSpec("max", window=2, layout="NCHW")'
    )


def operation_from_dict(data: object) -> Any:
    """The operation that a `to_dict` described, whichever it is.

    >>> from poolkit import PoolSpec
    >>> operation_from_dict({"version": 1, "kind": "avg", "output_size": 1, "layout": "NHWC"})
    PoolSpec("avg", output_size=1, layout="NHWC")
    """
    meant = [cls for cls in Operation.ALL if isinstance(data, Mapping) and cls.key in data]
    return (meant or Operation.ALL)[-1 if meant else 0].from_dict(cast("Mapping[str, Any]", data))
