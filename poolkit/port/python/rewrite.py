"""What a pooling call is written as in the target: the text that takes its place, and its row in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, known
from poolkit.dialects.reading import PARTIAL, fields_of
from poolkit.dialects.reductions import reduction
from poolkit.errors import NotExactError
from poolkit.port.python.edits import Piece
from poolkit.port.python.expressions import carried
from poolkit.port.python.rules.computed_windows import resized
from poolkit.port.python.sites import POOLS, Site, reduced
from poolkit.port.report import joined
from poolkit.port.target import Target, arranged, of_any_rank, target_of, usual_layout, written
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec

Short = Callable[[str], str]


def layout_for(spec: Operation, backend: str, layout: str | None) -> str:
    """The layout that is asked for, with the spatial axes that the spec has, and with its batch if it has one.

    >>> layout_for(PoolSpec("max", window=2, layout="NLC"), "torch", "NHWC")
    'NLC'
    """
    usual = usual_layout(spec, backend)
    if layout is None or layout == "channels_last" or layout == "channels_first" or spec.axes is None:
        return usual if layout is None else _by_word(spec, layout)
    spatial = [letter for letter in layout.removeprefix("...") if letter not in "NC"]
    own = [letter for letter in spec.letters if letter not in "NC"]
    if len(spatial) == len(own) and ("N" in layout) == ("N" in spec.letters):
        return layout
    return _by_word(spec, "channels_last" if layout.endswith("C") else "channels_first")


def _by_word(spec: Operation, layout: str) -> str:
    return arranged(spec, first=layout != "channels_last" and not layout.endswith("C"))


def written_for(site: Site, backend: str, layout: str | None) -> tuple[Target, Call]:
    """The target of a site, and the call that makes its spec."""
    moving = moves(site, backend, layout)
    if site.error is None and (moving or (site.permuted and _turns(site, backend, layout))):
        if site.ordered and not site.turned:
            raise NotExactError(site.ordered)
        site.folded += [part for part in site.turned if part not in site.folded]
    target, call = _written_for(site, backend, layout)
    if site.given:
        note = f"{' and '.join(site.given)} is an argument of the call, which none of {backend}'s own pools takes"
        target = replace(target, call=None, notes=(f"poolkit's, because {note}",))
    around = dict.fromkeys([*site.counted, *site.if_moved]) if moving else ()
    if around:  # what is around the call makes of equal numbers other ones
        target = replace(target, sure=False, notes=joined(target.notes, *around))
    return target, call


def _written_for(site: Site, backend: str, layout: str | None) -> tuple[Target, Call]:
    if site.error is not None:
        raise site.error
    if isinstance(site.fields, dict) and not all(known(value) for value in site.fields.values()):
        if site.by_shape and not site.sized and moves(site, backend, layout):  # to another order than the shape's
            raise NotExactError(site.by_shape)
        sized = site.sized if moves(site, backend, layout) or site.either else ()
        letters = letters_for(site, backend, layout)
        given = {name: _as_tuple(site, value, backend) for name, value in site.fields.items()}
        fields = {name: resized(value, sized, letters) for name, value in given.items()}
        target, call = carried(fields, backend, lambda spec: _order(site, spec, backend, layout), site.numbers)
        return _for_none(site, target, call)
    spec = spec_of(site)
    assert spec is not None
    target = target_of(spec, backend, _order(site, spec, backend, layout), site.dialect)
    return _as_reduction(site, target, spec.layout), written(target.spec)


def _order(site: Site, spec: Operation, backend: str, layout: str | None) -> str:
    return spec.layout if site.stays else layout_for(spec, backend, layout)


def _as_reduction(site: Site, target: Target, source: str) -> Target:
    """The target's reduction for a reduction, whose tensor may have fewer axes, or more, than its layout has letters.

    PyTorch's pools take a map without a batch, too, and give an axis more then. Positions that are counted from behind
    stay so, and are right at every rank with the channels that the layout has.
    """
    spec, at = target.spec, reduced(site)
    if at is None or not isinstance(spec, PoolSpec) or (site.reformed and target.call is None):
        return target
    if site.role == "layer" and site.word != PARTIAL:  # a partial is a function still
        return of_any_rank(target)
    counted = table.usage_of(target.backend).counted
    if site.stays and counted is not None:
        return replace(target, call=counted(spec), notes=())
    behind = all(n < 0 for n in at)
    ranked = spec.replace(layout=f"...{spec.layout.removeprefix('...')}") if behind else spec
    plain = table.usage_of(target.backend).reduction
    if plain is not None and not spec.keepdims:
        target = replace(target, call=plain(ranked), notes=target.notes if target.call is not None else ())
    elif behind and target.call is not None and target.call.name == PARTIAL:
        target = replace(target, call=reduction(ranked, target.call.args[0].dotted))
    else:
        return target
    moved = behind and spec.layout != source
    return replace(target, notes=joined(target.notes, MOVED if moved else ""))


MOVED = "it counts the axes from behind, and the channels move past them; a tensor without channels keeps its axes"


def _as_tuple(site: Site, value: Any, backend: str) -> Any:
    """Sizes that are a shape as a tuple, which TensorFlow's is not."""
    shape = isinstance(value, Expression) and value.text in site.shapes and table.usage_of(backend).tuples
    return Expression(f"tuple({value.text})") if shape else value


def moves(site: Site, backend: str, layout: str | None) -> bool:
    """Whether the channels of a site come to another place."""
    if site.stays:
        return False
    own = site.fields.layout if isinstance(site.fields, Operation) else site.fields.get("layout")
    return own is not None and known(own) and last(backend, layout) != str(own).endswith(("C", "last"))


def letters_for(site: Site, backend: str, layout: str | None) -> str:
    """The letters of a site's axes in the order that they come to."""
    return _letters(site, last(backend, layout))


def order_moved(site: Site, backend: str, layout: str | None) -> str:
    """From which order to which the axes of a site come that `moves`: "NHWC -> NCHW"."""
    after = last(backend, layout)
    return f"{_letters(site, not after)} -> {_letters(site, after)}"


def _letters(site: Site, last: bool) -> str:
    own = str(site.fields.layout if isinstance(site.fields, Operation) else site.fields["layout"])
    spatial = "HW" if own.startswith("channels") else own.removeprefix("...").strip("NC")
    return f"N{spatial}C" if last else f"NC{spatial}"


def _turns(site: Site, backend: str, layout: str | None) -> bool:
    """Whether the axes of a file's other tensors move; those beside a pattern may be in either order."""
    beside = table.usage_of(site.dialect).either_order
    return beside or last(backend, layout) != last(site.dialect, None)


def last(backend: str, layout: str | None) -> bool:
    """Whether channels come last in a layout, or where there is none in a framework's usual one."""
    return (layout or table.dialect(backend).layouts[2]).endswith(("C", "last"))


def _for_none(site: Site, target: Target, spec: Call) -> tuple[Target, Call]:
    """The target's own call only where it makes of None what the source's does: the window as stride."""
    if not site.maybe_none or target.call is None:
        return target, spec
    field = "stride" if isinstance(site.fields, dict) and "stride" in site.fields else "output_size"
    theirs, ours = (table.usage_of(name).none.get(field) for name in (site.dialect, target.backend))
    if theirs is not None and theirs == ours:
        return target, spec
    note = f"{site.maybe_none} may be None, of which {target.backend}'s own layer would make something else"
    return replace(target, call=None, notes=(note,)), spec


def spec_of(site: Site) -> Operation | None:
    """The spec of a site, None where some of its values are only known when the program runs."""
    if isinstance(site.fields, Operation):
        return site.fields
    if not site.fields or not all(known(value) for value in site.fields.values()):
        return None
    return PoolSpec(**site.fields)


def class_for(site: Site, backend: str, short: Short) -> tuple[Target, list[Piece]]:
    """The one class of the target that pools of a class are of, whatever their arguments."""
    fields: list[Any] = [fields_of(replace(site.call, args=(size,))) for size in (1, 2)]
    specs = [PoolSpec(**one) for one in fields]
    targets = [target_of(spec, backend, layout_for(spec, backend, None)) for spec in specs]
    found = {target.call.name if target.call is not None else "" for target in targets}
    if len(found) > 1 or not POOLS.search(name := found.pop()):
        raise NotExactError(f"no class of {backend}'s is that of all such pools; port it by hand")
    return replace(targets[0], call=None, notes=()), [short(name)]


def pieces(site: Site, target: Target, spec: Call, short: Short) -> list[Piece]:
    """The text of the target's call, with the tensor of the original in it."""
    call = _with_name(site, target)
    if site.role == "layer":
        return [call.source(short) if call is not None else f'{spec.source(short)}.layer("{target.backend}")']
    if site.role == "spec":
        return [spec.source(short)]
    assert site.tensor is not None
    if call is None:
        return [f"{spec.source(short)}(", site.tensor, *_besides(site), ")"]
    if call.name == PARTIAL:
        return _function(Call(call.args[0].dotted, call.args[1:], call.kwargs), site.tensor, short)
    function = table.usage_of(target.backend).function
    if site.role == "function" and function is not None:
        made, after = function(call)
        return [*_function(made, site.tensor, short), after]
    return [f"{call.source(short)}(", site.tensor, ")"]


def _besides(site: Site) -> list[Piece]:
    """What the call is given besides its tensor."""
    given = [(name, value.text if isinstance(value, Expression) else value) for name, value in site.given.items()]
    return [piece for name, value in given for piece in (f", {name}=", value)]


def _with_name(site: Site, target: Target) -> Call | None:
    """The target's call; a layer's name is kept where both sides name their layers."""
    call, name = target.call, dict(site.call.kwargs).get("name")
    both = all(table.usage_of(side).named_layers for side in (target.backend, site.dialect))
    if call is None or name is None or not both:
        return call
    return replace(call, kwargs=(*call.kwargs, ("name", name))) if ".layers." in site.word else call


def _function(call: Call, tensor: Any, short: Short) -> list[Piece]:
    """A function with its tensor first."""
    start, end = replace(call, args=(Expression("\0"), *call.args)).source(short).split("\0")
    return [start, tensor, end]
