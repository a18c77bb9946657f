"""What a user declares: a pooling, without a framework and without an input."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from poolkit.errors import InputError
from poolkit.spec import text
from poolkit.spec.dtypes import work_dtype
from poolkit.spec.fields import Fields, Options, Padding, Sizes
from poolkit.spec.foreign import call_error
from poolkit.spec.kinds import KINDS, RANDOM, takers
from poolkit.spec.operation import Further, Operation, Size, Widen
from poolkit.spec.validate import canonical, check_kind
from poolkit.spec.values import is_many, pairs_of, plain

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan


@dataclasses.dataclass(frozen=True, repr=False, init=False)
class PoolSpec(Fields, Operation):
    """One pooling, the same on every framework: frozen, hashable, checked when it is made.

    Exactly one of `window` and `output_size` is given. Values are kept in one form. Where `layout` names the axes,
    `axes` is the string of pooled letters, `window`, `stride`, `dilation` and `output_size` are tuples with one entry
    for each of them, and `padding` is a word or one (low, high) for each, where all zeros are "valid". Where `layout`
    is "channels_first" or "channels_last", `axes` is None, an integer stays an integer, and a tuple fixes the number of
    spatial axes. In adaptive pooling (`output_size`), `window` and `stride` are None and `dilation` is ones.

    The options of a kind, such as softmax's `beta`, are given and read by their names; `options` holds all of them as
    (name, value), those left to their defaults too.

    `SpecError` where a value is impossible, or where a field is given that this kind or mode never reads.

    >>> spec = PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW")
    >>> spec.window, spec.axes
    ((3, 3), 'HW')
    >>> spec == PoolSpec("max", window=[3, 3], stride=(2, 2), padding="same", layout="NCHW", axes="HW")
    True
    >>> spec.output_shape((1, 64, 112, 112))
    (1, 64, 56, 56)
    """

    key = "kind"

    # Sees a call before __init__ does, which would answer another library's word with a bare TypeError.
    # Type checkers go by __init__.
    def __new__(cls, *positional: object, **named: object) -> Self:
        kinds = len(positional) + ("kind" in named)
        unknown = [n for n in named if n not in NAMES and not takers(n)]
        if kinds != 1 or "layout" not in named or unknown:
            raise call_error(positional, named, FIELDS)
        return object.__new__(cls)

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self,
        kind: str,
        *,
        layout: str,
        axes: str | None = None,
        output_size: int | Sequence[int | None] | None = None,
        window: Sizes | None = None,
        stride: Sizes | None = None,
        padding: Padding = "valid",
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
        divisor_override: float | None = None,
        keepdims: bool = True,
        indices: bool = False,
        options: Options = (),
        **named: Any,
    ) -> None:
        sizes = (output_size, window, stride, padding, dilation)
        flags = (ceil_mode, count_include_pad, divisor_override, keepdims, indices)
        given = (kind, layout, axes, *sizes, *flags, {**pairs_of(options), **named})
        for name, value in zip(FIELDS, given, strict=True):
            object.__setattr__(self, name, plain(value))
        for name, value in canonical(self).items():
            object.__setattr__(self, name, value)
        text.keep_text(self)

    if not TYPE_CHECKING:  # a type checker knows no name of an option

        def __getattr__(self, name: str) -> Any:
            for option, value in self.__dict__.get("options", ()):
                if option == name:
                    return value
            raise AttributeError(f"a spec of {self.__dict__.get('kind')!r} pooling has no attribute {name!r}")

    def __hash__(self) -> int:
        try:
            kept: int = self.__dict__["_hash"]
        except KeyError:
            kept = hash(tuple([getattr(self, name) for name in FIELDS]))
            object.__setattr__(self, "_hash", kept)
        return kept

    def __str__(self) -> str:
        kept: str | None = self.__dict__.get("_text")
        return text.string_of(self) if kept is None else kept

    @property
    def selects(self) -> bool:
        return KINDS[self.kind].selects

    def poolings(self) -> tuple[PoolSpec, ...]:
        return (self,)

    @property
    def rank(self) -> int | None:
        """The number of axes that an input has besides leading ones; None where nothing tells it."""
        if self.axes is not None:
            return len(self.letters)
        sizes = (self.window, self.output_size, self.stride, self.dilation, self.padding)
        return next((2 + len(value) for value in sizes if isinstance(value, tuple)), None)

    @property
    def takes(self) -> tuple[str, ...]:
        return KINDS[self.kind].takes + self.learned

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """A number for each pooled axis moves what is spread over it, or for each line of it draws among these."""
        if self.axes is None or not (KINDS[self.kind].spreads or KINDS[self.kind].strips):
            return {}
        axes, lines, *_ = [c for c in "ABEFGIJKMOPQRSUVXYZDHLTW" if c not in self.layout]  # letters that no axis has
        return ({lines: None} if KINDS[self.kind].strips else {}) | {axes: len(self.axes)}

    def axes_of(self, name: str, letters: str) -> tuple[str, ...]:
        """The axes that a further tensor may have, of the letters of an input; of samples, of those of a result.

        >>> PoolSpec("fractional_max", window=2, output_size=3, layout="NHWC").axes_of("samples", "NHWC")
        ('NCA',)
        """
        if name == "samples" and self.lengths:
            of = "" if KINDS[self.kind].strips else "NC"
            return ("".join([c for c in of if c in letters] + [*self.lengths]),)
        return super().axes_of(name, letters)

    @property
    def learned(self) -> tuple[str, ...]:
        return KINDS[self.kind].learned

    def plan(self, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...] = ()) -> AnyPlan:
        from poolkit.lowering.plan import plan_of

        base = plan_of(self, rank, dtype, size, widen)
        if self.indices and KINDS[self.kind].draws and not {f.name for f in further} & set(RANDOM):
            raise InputError(
                f"received {self} without {' or '.join(RANDOM)}, and what is not drawn but averaged has no position; "
                f"give {' or '.join([f'{name}=' for name in RANDOM])}, or leave out indices"
            )
        if KINDS[self.kind].strips:
            from poolkit.lowering.operations.strips import strips

            return strips(base, further, size)
        if len(further) == 0:
            return base
        from poolkit.lowering.weighed import weighed

        return weighed(base, further, size)

    def work_dtype(self, dtype: str, widen: Widen) -> str:
        return work_dtype(self.kind, dtype, widen)

    def changed(self, change: Callable[[PoolSpec], PoolSpec]) -> Self:
        return cast("Self", change(self))

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.kind,), text.said(self)

    def replace(self, **changes: Any) -> Self:
        """The spec with other values; what was left to a default or follows from another value, follows anew.

        Values stay with their letters where the axes change their order; equal ones spread over another number of axes.

        >>> spec = PoolSpec("max", window=2, layout="NCHW")
        >>> spec.replace(window=3).stride
        (3, 3)
        >>> spec.replace(layout="NDHWC").window
        (2, 2, 2)
        """
        fields: dict[str, Any] = {"kind": self.kind, **text.said(self)}
        if isinstance(changes.get("layout"), str):
            fields |= _reordered(self, changes["layout"])
        if changes.get("window", self.window) is None:
            fields.pop("stride", None)
        if "options" in changes:
            fields = {name: value for name, value in fields.items() if name in NAMES}
        return type(self)(**(fields | changes))

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold: "version", and the fields that are not left to their defaults.

        >>> PoolSpec("max", window=(3, 2), layout="NCHW").to_dict()
        {'version': 1, 'kind': 'max', 'window': [3, 2], 'layout': 'NCHW'}
        """
        fields = {name: text.as_list(value) for name, value in text.said(self).items()}
        return {"version": text.VERSION, "kind": self.kind, **fields}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The spec that `to_dict` described; `SpecError` for an unknown key or version.

        >>> PoolSpec.from_dict({"version": 1, "kind": "avg", "output_size": 1, "layout": "NHWC"})
        PoolSpec("avg", output_size=1, layout="NHWC")
        """
        return cls(**text.fields_of_dict(data, FIELDS[:-1]))

    @classmethod
    def parse(cls, string: str) -> Self:
        """The spec of a text like ``str(spec)``: the kind, then name=value words; ``3,5`` is a tuple, ``1:2`` a pair.

        >>> PoolSpec.parse("avg output_size=1 layout=NHWC keepdims=true")
        PoolSpec("avg", output_size=1, layout="NHWC")
        >>> PoolSpec.parse("max window=3,5 padding=1:0,2:2 layout=NCHW").padding
        ((1, 0), (2, 2))
        """
        fields = text.fields_of(string)
        check_kind(fields["kind"])  # before what else a word lacks that is no spec at all
        return cls(**fields)

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result for an input of this shape; None where it depends on a size that is None.

        >>> PoolSpec("avg", output_size=1, layout="NHWC", keepdims=False).output_shape((None, 32, 32, 256))
        (None, 256)
        """
        from poolkit.lowering.shapes import output_shape
        from poolkit.spec.arguments import as_shape

        return output_shape(self, as_shape(shape, unknown=True))


FIELDS = tuple(field.name for field in dataclasses.fields(PoolSpec))
NAMES = frozenset(FIELDS)


def _reordered(spec: PoolSpec, layout: str) -> dict[str, Any]:
    """The fields of a spec that change when the same letters stand in another order."""
    axes = spec.axes or ""
    order = [c for c in layout if c in axes]
    if "".join(order) == axes or sorted(order) != sorted(axes):
        return {}
    moved: dict[str, Any] = {} if axes == spec.spatial else {"axes": "".join(order)}
    said = text.said(spec)
    names = ("output_size", "window", "stride", "padding", "dilation", "output_ratio", "grid")
    for name in [name for name in names if name in said]:
        value = getattr(spec, name)
        if is_many(value) and not (name == "dilation" and spec.window is None):
            moved[name] = tuple(value[axes.index(c)] for c in order)
    return moved
