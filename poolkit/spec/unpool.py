"""Unpooling: what a pool has chosen is put back where it stood, with zeros everywhere else."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from poolkit.errors import InputError
from poolkit.spec.arguments import as_shape
from poolkit.spec.composite import parsed
from poolkit.spec.declared import Declared
from poolkit.spec.kinds import KINDS
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.operation import Further, Operation, Size, Widen
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained_class
from poolkit.spec.text import VERSION, as_list, as_text, fields_of, fields_of_dict
from poolkit.spec.values import is_many, per_axis, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan

SMALLEST, LIKE = "smallest", "like"  # the last: of a further tensor, which was pooled
TEXT = re.compile(r"unpool \(([^()]*)\) (output_size=\S+)")
CHOICE = PoolSpec("max", output_size=1, layout="L")  # numbers are handed on as a maximum hands them on


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Unpool(Declared):
    """What `pk.unpool` does: each value is put where its number in `indices` says, and everything else is 0.

    `pooling` is the spec that gave the values, with the pooled axes kept. `output_size` is the size of its input along
    them: one int for each, or "smallest", the smallest that the spec pools to the values' size, which PyTorch and ONNX
    take; or "like", the size of a further tensor, ``like=``, where none is known yet. It may be left out where there is
    only one such size, as with a stride of 1.

    >>> import numpy as np
    >>> from poolkit import MaxPool
    >>> back = Unpool(MaxPool(2, layout="NCL"), 5)
    >>> back(np.array([[[3.0, 7.0]]]), indices=np.array([[[1, 2]]]))
    array([[[0., 3., 7., 0., 0.]]])
    """

    key = "pooling"
    word = "unpool"

    pooling: PoolSpec
    output_size: int | Sequence[int] | str | None = None

    keepdims = True
    indices = False
    refused: ClassVar[tuple[str, ...]] = ("indices",)
    looked_at = refused
    holed: ClassVar[bool] = False  # of some values it is known that they are put nowhere

    def __post_init__(self) -> None:
        object.__setattr__(self, "pooling", _pooling(self.pooling))
        for name in ("layout", "axes"):
            object.__setattr__(self, name, getattr(self.pooling, name))
        object.__setattr__(self, "output_size", _size(self.pooling, plain(self.output_size)))

    def __repr__(self) -> str:
        return f"Unpool({self.pooling!r}, output_size={shown(_shortest(self.output_size))})"

    def __str__(self) -> str:
        return f"unpool ({self.pooling}) output_size={as_text(_shortest(self.output_size))}"

    @property
    def rank(self) -> int | None:
        return self.pooling.rank

    @property
    def takes(self) -> tuple[str, ...]:
        return ("indices", LIKE) if self.output_size == LIKE else ("indices",)

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """Of `like` along the axes that were pooled, where its sizes are those of the result."""
        pooled = self.axes or "ABDEFGHIJKLMOPQRSTUVWXYZ"
        return dict.fromkeys(pooled) if self.output_size == LIKE else {}

    @property
    def selects(self) -> bool:
        return True

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        return (letters,)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.pooling, _shortest(self.output_size)), {}

    def replace(self, **changes: Any) -> Self:
        """The same with other values; those of a PoolSpec are changed in the pooling.

        >>> from poolkit import MaxPool
        >>> Unpool(MaxPool(2, layout="NCL"), 5).replace(layout="NLC", output_size=4)
        Unpool(PoolSpec("max", window=2, layout="NLC"), output_size=4)
        """
        own = {name: changes.pop(name) for name in self.names() if name in changes}
        pooling = own.pop("pooling", self.pooling)
        moved = pooling.replace(**changes) if changes else pooling
        return type(self)(moved, **{"output_size": self.output_size, **own})

    def joining(self, shape: Sequence[int], given: Collection[str]) -> int:
        return math.prod(shape)

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        return CHOICE.work_dtype(dtype, widen)

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        from poolkit.lowering.operations.unpooled import plan_of_unpool

        return plan_of_unpool(self, rank, dtype, size, widen, further)

    def look(self, name: str, held: Any, shape: Sequence[int]) -> Operation | None:
        from poolkit.lowering.operations.unpooled import places

        most = places(self, tuple(shape))
        # In one pass: without its sign a number below 0 is a large one.
        if held.size == 0 or held.view(held.dtype.str.replace("i", "u")).max() < most:
            return None
        if not (held.min() >= -1 and held.max() < most):
            raise InputError(
                f"received indices from {held.min()} to {held.max()} for {quoted(str(self))}, and an index is a place "
                f"below {most}, row-major over the axes that were pooled, or -1 for none; give those of that pool, and "
                'turn those of ONNX or TensorFlow by pk.indices_from(indices, "onnx", shape, layout)'
            )
        return Holed(self.pooling, self.output_size)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result for values of this shape; None where it depends on a size that is None.

        >>> from poolkit import MaxPool
        >>> Unpool(MaxPool(2, layout="NCHW"), "smallest").output_shape((None, 3, 4, 4))
        (None, 3, 8, 8)
        """
        from poolkit.lowering.operations.unpooled import shape_of_unpool

        return shape_of_unpool(self, as_shape(shape, unknown=True))

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_dict` reads it back."""
        return {"version": VERSION, "pooling": self.pooling.to_dict(), "output_size": as_list(self.output_size)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        fields = fields_of_dict(data, cls.names())
        return cls(PoolSpec.from_dict(fields.pop("pooling", None)), **fields)

    @classmethod
    def parse(cls, string: str) -> Self:
        """The operation of a text like ``str(operation)``.

        >>> Unpool.parse("unpool (max window=2 layout=NCL) output_size=5")
        Unpool(PoolSpec("max", window=2, layout="NCL"), output_size=5)
        """
        found = parsed(string, TEXT, "unpool (max window=2 layout=NCHW) output_size=32,32")
        return cls(PoolSpec.parse(found[1]), fields_of(f"max {found[2]}")["output_size"])


class Holed(Unpool):
    """The same of indices of which some, as was seen, are -1."""

    holed = True
    refused = looked_at = ()


def _pooling(given: object) -> PoolSpec:
    if not isinstance(given, PoolSpec):
        raise wrong(
            shown(given),
            "unpooling is the way back from a PoolSpec",
            'write it as in Unpool(MaxPool(2, layout="NCHW"), output_size=(32, 32))',
        )
    if not KINDS[given.kind].indexed:
        kinds = ", ".join([quoted(kind) for kind, facts in KINDS.items() if facts.indexed])
        raise wrong(
            f"kind={quoted(given.kind)}", f"only what chooses a cell has a place to go back to: {kinds}", "give one"
        )
    if not given.keepdims:
        raise wrong(
            f"{quoted(str(given))} with keepdims=False",
            "values are put back along the axes that were pooled",
            "pool with keepdims=True",
        )
    return given.replace(indices=False)


def _size(pooling: PoolSpec, given: object) -> Any:
    """The output size in the form in which it is kept; `SpecError` where it would have to be guessed."""
    strides = pooling.stride if is_many(pooling.stride) else (pooling.stride,)
    bins = pooling.output_size if is_many(pooling.output_size) else (pooling.output_size,)
    adaptive = pooling.window is None and any(n is not None for n in bins)
    several = adaptive or any(s not in (None, 1) for s in strides)
    if given is None and not several:
        return SMALLEST
    if isinstance(given, str) and given == LIKE:
        return LIKE
    if given is None or (isinstance(given, str) and (given != SMALLEST or adaptive)):
        more = "" if adaptive else ', or "smallest" for the smallest of them, which PyTorch and ONNX take'
        raise wrong(
            f"output_size={shown(given)} for {quoted(str(pooling))}",
            "inputs of several sizes are pooled to one, and which it was is not guessed",
            f"give the sizes of the input along the axes that were pooled, as in output_size=x.shape[2:]{more}, or the "
            "input itself, as in like=x",
        )
    if is_many(given) and any(n is None for n in given):
        rule = "each axis that was pooled has the size that it had before"
        raise wrong(
            f"output_size={shown(given)}", rule, "give an int in the place of None, that of the values if need be"
        )
    return given if isinstance(given, str) else per_axis("output_size", given, pooling.axes, 1)


def _shortest(size: Any) -> Any:
    """Sizes that are equal as one."""
    return size[0] if is_many(size) and all(n == size[0] for n in size) else size
