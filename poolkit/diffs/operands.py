"""The two sides of a comparison: what was given as one, brought into the form of a spec."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from poolkit.dialects.calls import Call
from poolkit.dialects.reading import Reading, call_of, read, read_call, spoken_in
from poolkit.dialects.writing import caveats
from poolkit.diffs.agreeing import spatial_count
from poolkit.diffs.along import standard
from poolkit.errors import InputError, NotExactError, ShapeError
from poolkit.lowering.geometry import letters_of
from poolkit.spec.messages import shown
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many


@dataclass(frozen=True)
class Operand:
    """One side: as it was given, and what it pools; `framework` is whose layer it was, None for a spec."""

    given: str
    pools: Operation
    framework: str | None = None

    @property
    def parts(self) -> tuple[PoolSpec, ...]:
        return self.pools.poolings()

    @property
    def caveats(self) -> list[str]:
        """Where the framework's own layer deviates from its spec."""
        if self.framework is None:
            return []
        return [f"{self.framework}: {caveat}" for caveat in caveats(self.pools, self.framework)]


def operand(given: Any, layout: str | None) -> Operand:
    """A spec, its text, a line of source, an einops pattern with its reduction, or a layer."""
    if isinstance(given, Reading):
        return _checked(Operand(str(given), given))
    if isinstance(given, str):
        return _of_text(given, layout)
    match given:
        case (str() as pattern, str() as reduction):
            return Operand(f"{pattern}, {reduction}", read(pattern, reduction))
        case _:
            pass
    return _of_call(call_of(given), layout)


def _of_text(text: str, layout: str | None) -> Operand:
    if "->" in text and not {'"', "'"} & set(text):
        pattern, comma, reduction = text.rpartition(",")
        return Operand(text, read(pattern, reduction.strip()) if comma else read(text))
    if any(one.written(text) for one in Operation.ALL):
        return operand(Operation.parse(text), layout)
    if "(" in text or "[" in text:
        return _of_call(call_of(text), layout, text)
    return Operand(text, PoolSpec.parse(text))


def _of_call(call: Call, layout: str | None, text: str = "") -> Operand:
    return _checked(Operand(text or str(call), read_call(call, layout), _framework(call)))


def _checked(side: Operand) -> Operand:
    """The side; `InputError` where what is pooled together, or how, is data."""
    names = side.pools.needs or tuple(side.pools.parameters)
    if not names:
        return side
    raise InputError(
        f"received {shown(side.given)}, which pools by {' and '.join(names)} besides, and a comparison is "
        "of what pools the cells of an input alone; pool the same tensors by both"
    )


def _framework(call: Call) -> str | None:
    try:
        return spoken_in(call)[0].name
    except NotExactError:
        return None


def as_layouts(layout: object) -> tuple[str | None, str | None]:
    """A layout for both sides, or one for each; `InputError` for what is none."""
    several: Sequence[object] = layout if is_many(layout) else (layout, layout)
    if len(several) == 2 and all(one is None or isinstance(one, str) for one in several):
        return cast("tuple[str | None, str | None]", tuple(several))
    raise InputError(
        f"received layout={shown(layout)}, and a layout is a text, or a pair of texts for both sides; "
        'write it as in layout="NCHW"'
    )


ALONG = 2**15  # cells along an axis, as many as NumPy's fold takes
MOST = 2**22  # cells of a window; an example of 2000x2000 takes 9 s


def check_sizes(shape: Sequence[Any] | None, given: Sequence[Operand]) -> None:
    """`ShapeError` for a shape that is none, and for windows whose example would take minutes."""
    if shape is not None and not all(n > 0 for n in shape):
        raise ShapeError(f"received the shape {tuple(shape)}, and a shape holds integers of at least 1; give the sizes")
    for part in [part for side in given for part in side.parts]:
        windows: tuple[Any, Any] = part.window, part.output_size
        for value in windows:
            entries = [n or 1 for n in (value if is_many(value) else (value,))]
            if math.prod(entries) > MOST or max(entries) > ALONG:
                raise ShapeError(
                    f"received {part}, and windows and bins of up to {MOST} cells are compared, {ALONG} along "
                    "an axis; give smaller ones in the same proportion"
                )


def settled(a: Operand, b: Operand, rank: int | None) -> tuple[Operand, Operand, int]:
    """Both with a layout that names its axes, and how many spatial axes they have; `rank` is that of an input of A."""
    own_a, own_b = (spatial_count(side.parts[0]) for side in (a, b))
    count = own_a or own_b or (rank - 2 if rank else 2)
    if (own_a or count) != (own_b or count):
        raise InputError(
            f"received A ({a.given}) and B ({b.given}), whose inputs have {own_a} and {own_b} spatial axes, and "
            "windows are compared axis by axis; give two with equally many"
        )
    return _named(a, count), _named(b, count), count


def _named(side: Operand, count: int) -> Operand:
    pools = side.pools
    if pools.axes is None:
        pools = pools.replace(layout=letters_of(pools, count + 2))
    return Operand(side.given, pools, side.framework)


def sizes_of(side: Operand, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial sizes of an input's shape, in order."""
    letters = side.pools.letters
    more = len(shape) - len(letters)
    if more < 0 or (more and not side.pools.layout.startswith("...")):
        raise ShapeError(
            f"received the shape {shape}, and an input of A is {side.pools.layout}; give {len(letters)} sizes"
        )
    sizes = tuple(n for n, letter in zip(shape[more:], letters, strict=True) if letter not in "NC")
    if math.prod(sizes) > MOST:
        raise ShapeError(f"received the shape {shape}, and maps of up to {MOST} cells are compared; give a smaller one")
    return sizes


def shape_of(side: Operand, sizes: tuple[int, ...], like: dict[str, int]) -> tuple[int, ...]:
    """The shape of an input with these spatial sizes, and with `like`'s batch and channels."""
    spatial = iter(sizes)
    return tuple(like.get(c, 1) if c in "NC" else next(spatial) for c in side.pools.letters)


def kept_sizes(side: Operand, shape: tuple[int, ...]) -> dict[str, int]:
    """The batch and the channels of a shape."""
    more = len(shape) - len(side.pools.letters)
    return {c: n for c, n in zip(side.pools.letters, shape[more:], strict=True) if c in "NC"}


def axis_names(side: Operand, count: int) -> str:
    return side.parts[0].spatial or standard(count)
