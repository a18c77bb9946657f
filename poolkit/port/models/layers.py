"""What a model file has: pooling layers, and what may be one, before they are written for a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import Reading, read_call
from poolkit.errors import InputError, PoolkitError
from poolkit.port.models.naming import clean, short, shown
from poolkit.port.report import Row, Status
from poolkit.port.target import Target, of_any_rank
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all, is_many

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of a model file. `before` is what the file says of it; `problem` says why it cannot be ported.

    `caveat` is where a port can give other numbers all the same, `note` what else there is to know. `behind` is the
    layer directly behind, where that goes by the order of the axes.
    """

    name: str
    before: str
    call: Call | None = None
    shape: Shape | None = None
    problem: str = ""
    caveat: str = ""
    note: str = ""
    behind: str = ""


def row_of(layer: Layer, target_for: Callable[[Reading], Target] | None) -> Row:
    """A layer's row in the report; without a target, what it pools alone."""
    row = Row(layer.name, layer.before, "failed", note=_joined(layer.problem), call=layer.call, shape=layer.shape)
    if layer.call is None:
        return row
    try:
        spec = spec_of(layer.call, layer.shape)
        if layer.problem:
            return replace(row, spec=spec)
        if target_for is None:
            return replace(row, status="exact", spec=spec, note=_joined(layer.caveat, layer.note))
        target = target_for(spec)
        if layer.shape is None and "Pool" not in layer.call.name:
            target = of_any_rank(target)
    except NotPooling as reason:
        return replace(row, status="left", note=_joined(str(reason)))
    except (PoolkitError, TypeError, ValueError, ArithmeticError, LookupError) as reason:
        # A file may hold anything in place of a number.
        return replace(row, note=_joined(layer.problem, str(reason)))
    caveats = target.note if target.call is not None else ""
    status: Status = "caveat" if layer.caveat or caveats else "exact"
    note = _joined(layer.caveat, target.note, layer.note, _order(layer.behind, spec, target.spec))
    return replace(row, status=status, after=target.made.source(short), note=note, spec=spec, ported=target.call)


def _order(behind: str, spec: Reading, port: Reading) -> str:
    """What to do with a layer behind, where the port's axes stand in another order."""
    single = isinstance(spec, PoolSpec) and spec.output_size is not None and is_all(spec.output_size, 1)
    if not behind or spec.layout == port.layout or (single and behind.startswith("Flatten ")):
        return ""
    return f"{behind} behind it counts axes in the order {spec.layout}; write it for {port.layout}"


# The layouts that an input of a rank can have, the frequent one of a framework that names none first.
LAYOUTS = {3: ("NCL",), 4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}


def spec_of(call: Call, shape: Shape | None) -> Reading:
    """What a call pools; the rank of its input, where it is known, settles a layout that the call leaves open.

    >>> spec_of(Call("keras.ops.mean", ("x",), (("axis", (1, 2)),)), (None, 7, 7, 64)).output_shape((2, 7, 7, 64))
    (2, 64)
    """
    rank = len(shape) if shape else 0
    spec = read_call(call, _layout(call, rank))
    if isinstance(spec, PoolSpec) and spec.axes is None and rank in LAYOUTS:
        last = spec.layout == "channels_last"
        letters = LAYOUTS[rank][0][2:]
        return spec.replace(layout=f"N{letters}C" if last else f"NC{letters}")
    return spec


def _layout(call: Call, rank: int) -> str | None:
    """The layout in which a reduction's axes are the spatial ones of an input of this rank."""
    arguments = dict(call.kwargs)
    axes = arguments.get("axis", arguments.get("axes"))
    if rank not in LAYOUTS or not is_many(axes) or not all(type(n) is int for n in axes):
        return None
    at = sorted(n % rank for n in axes)
    for layout in LAYOUTS[rank]:
        if at == [n for n, letter in enumerate(layout) if letter not in "NC"]:
            return layout
    raise NotPooling(
        f"its axes {tuple(axes)} are not the spatial ones of {' or '.join(LAYOUTS[rank])}; if it pools, port it by hand"
    )


def _joined(*notes: str) -> str:
    return clean("; ".join(note for note in notes if note))


def check_names(layers: Sequence[Layer], where: str) -> None:
    """`InputError` where two layers have one name: a dictionary would lose one of them."""
    seen: set[str] = set()
    for layer in layers:
        if layer.name in seen:
            raise InputError(
                f"received {where}, and two of its layers are called {shown(layer.name)}; rename one, and save it anew"
            )
        seen.add(layer.name)
