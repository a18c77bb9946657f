"""Arguments behind names: the literals that they surely are, and the values that they may have and that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, known
from poolkit.dialects.dialect import NotKnown, NotPooling
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.choices import ORDERED, chosen
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import expression
from poolkit.port.python.positions import lettered
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import Many, Value, is_number, is_sizes, literals
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many


def _value(tree: Tree, names: Names, text: str, site: Site) -> Value:
    return values_of(tree, names).of(expression(text), site.node)


def listed_sizes(tree: Tree, names: Names, site: Site) -> None:
    """``tf.nn.max_pool(x, k, k, …)``: what k is decides which of its numbers are of spatial axes."""
    if (
        not site.word.startswith(table.every(lambda usage: usage.listed))
        or site.error is not None
        or isinstance(site.fields, Operation)
        or site.reformed
    ):
        return
    if list(_unsure_sizes(tree, names, site)):
        _resolve(tree, names, site)
    for text in _unsure_sizes(tree, names, site):
        form = "hold" if text[0] in "([" else "be one number, or a list with"
        site.error = NotKnown(f"{text} may {form} entries for batch and channels; write its value")


def _unsure_sizes(tree: Tree, names: Names, site: Site) -> Iterator[str]:
    assert isinstance(site.fields, dict)
    spatial = len(lettered(site.fields.get("layout")).strip("NC"))
    for name in ("window", "stride"):
        value = site.fields.get(name)
        made = _value(tree, names, value.text, site) if isinstance(value, Expression) else None
        sure = is_number(made) or (isinstance(made, Many) and len(made.items) == spatial and is_sizes(made))
        if isinstance(value, Expression) and not sure:
            yield value.text


def computed_axes(tree: Tree, names: Names, site: Site) -> None:
    """``tf.reduce_mean(x, axes)``: axes that are a literal after all, or may be those of a normalisation."""
    if not site.computed or _resolve(tree, names, site):
        return
    values = list(literals(_value(tree, names, site.computed, site)))
    axes = [value for value in values if is_many(value)]
    if len(values) > 1 and axes == values and _in_either_order(tree, site, axes):
        return
    if len(values) > 1 and axes:
        why = "one layout or of another" if axes == values else "a pool, or one axis, or all of them"
        site.error = NotExactError(
            f"its axes {site.computed} may be those of {why}; write them out, or port it by hand"
        )
        return
    site.error = NotPooling(
        f"its axes {site.computed} are only known when the program runs, and over others than the spatial ones, as in "
        "a normalisation, it pools nothing; if it pools, write them out"
    )


def any_rank(tree: Tree, names: Names, site: Site) -> None:
    """``x.mean((1, 2))`` in PyTorch: of CHW or of NHWC, whose axes stay where they are counted."""
    if site.error is None or isinstance(site.error, NotPooling) or not is_many(reduced(site)):
        return
    try:
        fields = fields_of(site.call, "NHWC") if table.usage_of(site.dialect).single_images else None
    except NotExactError:
        return
    if isinstance(fields, dict) and fields["kind"] in ("avg", "sum"):
        site.fields, site.error, site.stays = fields, None, True
        site.caveats.append(STAYS)


STAYS = (
    "its axes are counted, and are those of CHW or of NHWC: they stay as they are; check the order that they have now"
)


def _in_either_order(tree: Tree, site: Site, several: Sequence[Any]) -> bool:
    """Read a reduction whose axes may be the spatial ones of one order or of the other."""
    unknown = Expression(site.computed)

    def put(axes: Any) -> Call:
        kwargs = tuple((name, axes if value == unknown else value) for name, value in site.call.kwargs)
        return Call(site.call.name, tuple(axes if value == unknown else value for value in site.call.args), kwargs)

    found = chosen(tree, [put(axes) for axes in several], every=True)
    if found is None:
        return False
    site.fields, site.call, site.error = found.fields, found.call, None
    site.notes.append(ORDERED.format(site.computed))
    return True


def _resolve(tree: Tree, names: Names, site: Site) -> bool:
    """Read a site again with the literals behind its names; whether they are all known then, or it pools nothing."""
    again = values_of(tree, names).literals_in(site.call, site.node)
    unknown = Expression(site.computed) in (*again.args, *dict(again.kwargs).values())
    if again == site.call or unknown:
        return False
    try:
        fields = fields_of(again)
    except NotPooling as error:
        site.error = error
        return True
    except NotExactError:
        return False
    if isinstance(fields, Operation):
        return False
    site.fields, site.call, site.error = fields, again, None
    return all(known(value) for value in fields.values())


# ------------------------------------------------------------------------------------------------ what may be None


def may_be_none(tree: Tree, names: Names, site: Site) -> None:
    """Strides and bins that may be None: it means another thing in each framework."""
    if isinstance(site.fields, Operation) or site.error is not None:
        return
    stride, bins = site.fields.get("stride"), site.fields.get("output_size")
    for value in (stride, bins):
        if isinstance(value, Expression) and not is_sizes(_value(tree, names, value.text, site)):
            site.maybe_none = value.text
    if isinstance(stride, Expression) and site.maybe_none == stride.text:
        meant = table.usage_of(site.dialect).none.get("stride")
        if isinstance(meant, int):
            site.fields = {**site.fields, "stride": Expression(f"{stride.text} or {meant}")}
            site.maybe_none = ""


def last_axes(tree: Tree, names: Names, site: Site) -> None:
    """``hk.max_pool(x, (2, 2), (2, 2), "VALID")`` pools width and channels of NHWC, which nobody means."""
    if isinstance(site.fields, dict) and str(site.fields.get("layout")).startswith("..."):
        told = table.every(lambda usage: usage.last_axes.items())
        site.notes += [note for before, note in told if site.word.startswith(before)]


def sure_numbers(tree: Tree, names: Names, site: Site) -> None:
    """Arguments that are one number, and no tuple with one for each axis."""
    values = () if isinstance(site.fields, Operation) else site.fields.values()
    texts = {value.text for value in values if isinstance(value, Expression)}
    site.numbers = {text for text in texts if is_number(_value(tree, names, text, site))}
