"""What a model file has: pooling layers, and what may be one, before they are written for a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import Reading, read_call
from poolkit.errors import InputError, PoolkitError
from poolkit.port.models.naming import clean, short, shown
from poolkit.port.report import Notes, Row, Status, joined
from poolkit.port.target import Target, differing, of_any_rank
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all, is_many

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of a model file. `before` is what the file says of it; `problem` says why it cannot be ported.

    `caveat` is where a port can give other numbers all the same, `note` what else there is to know. `behind` is the
    layer directly behind, where that goes by the order of the axes; `padding` are the zeros that the layer `padded_by`
    puts around each spatial axis of the input of a maximum; `left` says why a layer is no pool. With `steps` it is
    called for each step of a sequence, which come behind the batch, and `takes` is the name of what it is given.
    """

    name: str
    before: str
    call: Call | None = None
    shape: Shape | None = None
    problem: str = ""
    caveat: str = ""
    note: str = ""
    behind: str = ""
    padding: tuple[tuple[int, int], ...] = ()
    padded_by: str = ""
    left: str = ""
    steps: bool = False
    takes: str = ""
    beside: bool = False  # whether pools with other windows take the same map, as those of a pyramid do


def note_of_padding(name: str) -> str:
    return (
        f"the zeros of {name} before it take part like any number: "
        "keep that a layer of its own, for the padding of a pooling layer takes no part"
    )


def note_of_fold(name: str) -> str:
    return f"it does what {name} behind it does, too: leave that out"


def row_of(layer: Layer, target_for: Callable[[Reading], Target] | None) -> Row:
    """A layer's row in the report; without a target, what it pools alone."""
    row = Row(layer.name, layer.before, "failed", notes=_cleaned(layer.problem), call=layer.call, shape=layer.shape)
    if layer.left:
        return replace(row, status="left", notes=_cleaned(layer.left))
    if layer.call is None:
        return row
    try:
        spec = spec_of(layer.call, layer.shape)
        more = differing(layer.call, spec)
        if layer.steps:
            spec, row = spec.replace(layout=f"...{str(spec.layout)[1:]}"), replace(row, call=None)
        if layer.problem:
            return replace(row, spec=spec)
        if target_for is None:
            notes = _cleaned(more, layer.caveat, layer.note, note_of_padding(layer.padded_by) if layer.padding else "")
            return replace(row, status="exact", spec=spec, notes=notes)
        target = target_for(spec)
        if layer.shape is None and "Pool" not in layer.call.name:
            target = of_any_rank(target)
    except NotPooling as reason:
        return replace(row, status="left", notes=_cleaned(str(reason)))
    except (PoolkitError, TypeError, ValueError, ArithmeticError, LookupError) as reason:
        # A file may hold anything in place of a number.
        return replace(row, notes=_cleaned(layer.problem, str(reason)))
    return _ported(layer, spec, more, target, row)


def _ported(layer: Layer, spec: Reading, more: str, target: Target, row: Row) -> Row:
    """The row of a layer that the target has, with the notes of all that were asked; `more` are those of its call."""
    caveats = target.notes if target.call is not None else ()
    status: Status = "caveat" if more or layer.caveat or caveats else "exact"
    padding, told = _padding(layer, target)
    notes = _cleaned(
        more,
        layer.caveat,
        target.notes,
        layer.note,
        STEPS.format(spec.layout) if layer.steps else "",
        told,
        _sized(spec, layer),
        _order(layer.behind, spec, target.spec),
    )
    differs = _cleaned(more, layer.caveat, caveats)
    row = replace(row, status=status, notes=notes, differs=differs, spec=spec, ported=target.call, padding=padding)
    return replace(row, after=made_of(row, target).source(short))


STEPS = "it pools every step, as one spec does with layout={}"


def made_of(row: Row, target: Target) -> Call:
    """The call that makes the layer for a row, with the padding before it."""
    if row.padding is None:
        return target.made
    chain = table.usage_of(target.backend).chain
    return target.made if chain is None else chain(row.padding, target.made)


def _padding(layer: Layer, target: Target) -> tuple[Call | None, str]:
    """The target's own layer for the zeros before a maximum, and what is said of it."""
    if not layer.padding:
        return None, ""
    first = target.spec.layout.removeprefix("...").startswith(("NC", "channels_first"))
    zeros = table.usage_of(target.backend).zeros
    call = zeros(layer.padding, first) if zeros else None
    if call is None:
        return None, note_of_padding(layer.padded_by)
    return call, f"it pads with zeros as {layer.padded_by} before it does: leave that out"


OTHERS = "a map of another size needs others"
FEW, WIDE = 8, 4  # windows of an axis, and cells of a window: those of a pyramid have about as many


def _sized(spec: Reading, layer: Layer) -> str:
    """A word on windows that go by the size of a map, as those of a pyramid do: a map of another size has others."""
    shape = layer.shape
    if not isinstance(spec, PoolSpec) or spec.output_size is not None or spec.padding != "valid" or not shape:
        return ""
    if not spec.axes or spec.layout != spec.letters or len(shape) != len(spec.letters):
        return ""
    sizes = [shape[spec.letters.index(letter)] for letter in spec.axes]
    fields = (sizes, *(value if is_many(value) else [value] * len(sizes) for value in (spec.window, spec.stride)))
    axes = [(n or 0, k, s) for n, k, s in zip(*fields, strict=True)]
    whole = all(n % k == 0 for n, k, _ in axes)
    if not all(n and s == k and n // k <= FEW for n, k, s in axes):
        return ""
    if not layer.beside and not (whole and all(k >= WIDE for _, k, _ in axes)):
        return ""
    size, bins = "x".join(str(n) for n, _, _ in axes), "x".join(str(n // k) for n, k, _ in axes)
    rest = "" if whole else f" and leaves the last {'x'.join(str(n % k) for n, k, _ in axes)} out"
    return f"its windows are those of maps of {size}, of which it makes {bins}{rest}; {OTHERS}"


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


def _cleaned(*notes: str | Notes) -> Notes:
    return tuple(map(clean, joined(*notes)))


MOST_LAYERS = 30_000  # that pool, or may; a thousand take half a second, and a row each in the report


def checked(layers: Iterable[Layer], where: str) -> list[Layer]:
    """The layers; `InputError` for too many, or two of one name: a dictionary would lose one of them."""
    taken: dict[str, Layer] = {}
    for layer in layers:
        if layer.name in taken:
            raise InputError(
                f"received {where}, and two of its layers are called {shown(layer.name)}; rename one, and save it anew"
            )
        if len(taken) == MOST_LAYERS:
            raise InputError(
                f"received {where}, and more than {MOST_LAYERS} of its layers pool or may, which is the most that are "
                "looked at; port the models in it one by one"
            )
        taken[layer.name] = layer
    maps: dict[str, set[str]] = {}
    for layer in taken.values():
        arguments = dict(layer.call.kwargs) if layer.call is not None else {}
        window = arguments.get("pool_size", arguments.get("kernel_shape"))
        maps.setdefault(layer.takes, set()).update([str(window)] if window is not None else [])
    return [replace(layer, beside=layer.takes != "" and len(maps[layer.takes]) > 1) for layer in taken.values()]
