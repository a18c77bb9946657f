"""Arguments that are expressions: which own call of the target carries them over for every value they may have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from poolkit.dialects.calls import Call, Expression, known, starred
from poolkit.dialects.dialect import Fields, NotKnown
from poolkit.errors import PoolkitError
from poolkit.port.python.values import NOTHING
from poolkit.port.target import Target, target_of, written
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

Sample = dict[str, Any]  # the text of an expression -> a value that it might have

# Fields for which a value that is only known when the program runs changes what a program gets.
DECIDE = ("kind", "indices", "keepdims", "layout")


class VariesError(PoolkitError):
    """A call whose arguments are no expressions of the source."""


def carried(
    fields: Fields, backend: str, layout: Callable[[PoolSpec], str], numbers: Collection[str] = ()
) -> tuple[Target, Call]:
    """What fields with expressions become in a framework, and the call that makes their spec.

    Of an expression that is a field by itself, those in `numbers` are surely one number, and any other may be a tuple.

    >>> fields = {"kind": "max", "window": Expression("k"), "layout": "NHWC"}
    >>> target, spec = carried(fields, "torch", lambda spec: "NCHW")
    >>> str(target.call), str(spec)
    ('torch.nn.MaxPool2d(k)', 'poolkit.PoolSpec("max", window=k, layout="NCHW")')
    """
    for name in DECIDE:
        if not known(fields.get(name)):
            raise NotKnown(f"{name} is a variable, and it decides what is pooled; write its value")
    samples = list(_samples(fields, numbers))
    try:
        specs = [PoolSpec(**{name: _put(value, sample) for name, value in fields.items()}) for sample in samples]
    except PoolkitError:
        return _unknown(fields, backend, layout)
    targets = [target_of(spec, backend, layout(spec)) for spec in specs]
    return _native(targets, samples), _spec_call(fields, targets, samples)


def _spec_call(fields: Fields, targets: list[Target], samples: list[Sample]) -> Call:
    try:
        call = _united([written(target.spec) for target in targets], samples)
        assert isinstance(call, Call)
        return call
    except VariesError:
        return _plain(fields, targets[0].spec.layout)


def _native(targets: list[Target], samples: list[Sample]) -> Target:
    first = targets[0]
    refused = next((target for target in targets if target.call is None), None)
    if refused is not None:
        return Target(first.backend, first.spec, None, refused.notes)
    try:
        call = _united([target.call for target in targets], samples)
    except VariesError:
        note = f"{first.backend}'s own layer would not carry the expression over for every value that it may have"
        return Target(first.backend, first.spec, None, (note,))
    return Target(first.backend, first.spec, call, first.notes)


def _unknown(fields: Fields, backend: str, layout: Callable[[PoolSpec], str]) -> tuple[Target, Call]:
    """Where no sample makes a spec: a flag or a divisor may be behind an expression."""
    spec = PoolSpec(fields["kind"], layout=fields["layout"], output_size=1)
    moved = layout(spec)
    note = "an argument of the original is only known when the program runs"
    return Target(backend, spec.replace(layout=moved), None, (note,)), _plain(fields, moved)


DEFAULTS: dict[str, Any] = {"padding": ("valid", 0), "dilation": (1,)}


def _plain(fields: Fields, layout: str) -> Call:
    """The call of PoolSpec with the fields as they are read."""
    kept = {
        name: value
        for name, value in fields.items()
        if name not in ("kind", "layout") and not (known(value) and _default(name, value))
    }
    return Call("poolkit.PoolSpec", (fields["kind"],), (*kept.items(), ("layout", layout)))


def _default(name: str, value: Any) -> bool:
    return value is None or (value is False and name != "keepdims") or value in DEFAULTS.get(name, ())


# ------------------------------------------------------------------------------------------------------ sample values


def expressions(value: Any) -> Iterator[str]:
    """The texts of the expressions in a value."""
    if isinstance(value, Expression):
        yield value.text
    elif is_many(value):
        for one in value:
            yield from expressions(one)


def _samples(fields: Fields, sure: Collection[str]) -> Iterator[Sample]:
    """Different values for different expressions: numbers twice, and tuples once for those that may be one."""
    small = set(expressions(fields.get("padding")))
    texts = list(dict.fromkeys(text for value in fields.values() for text in expressions(value)))
    bare = {value.text for value in fields.values() if isinstance(value, Expression)} - set(sure)
    n = sum(letter not in "NC" for letter in str(fields["layout"]).removeprefix("..."))
    symbolic = str(fields["layout"]).startswith("channels")
    for base in (11, 501):
        numbers = {text: (base // 250 + 2 + i if text in small else base + 2 * i) for i, text in enumerate(texts)}
        yield numbers
    if bare and not symbolic:
        several = {text: value if text in small else 10 * value for text, value in numbers.items() if text in bare}
        yield numbers | {text: tuple(range(first, first + n)) for text, first in several.items()}


def _put(value: Any, sample: Sample) -> Any:
    if isinstance(value, Expression):
        return sample[value.text]
    return like(value, [_put(one, sample) for one in value]) if is_many(value) else value


def like(value: Any, items: list[Any]) -> Any:
    """Items as a tuple or a list, as a value is one."""
    return tuple(items) if isinstance(value, tuple) else items


def with_literals(call: Call, literal: Callable[[str], Any]) -> Call:
    """A call with the literals in place of the expressions that surely are one; `NOTHING` says that one is none."""

    def put(value: Any) -> Any:
        if is_many(value):
            return spread(value)
        found = literal(value.text) if isinstance(value, Expression) else NOTHING
        return value if found is NOTHING or (starred(value) and not is_many(found)) else found

    def spread(values: Sequence[Any]) -> Any:
        made = [(value, put(value)) for value in values]
        found = [one for value, new in made for one in (new if starred(value) and new is not value else [new])]
        return tuple(found) if isinstance(values, tuple) else found

    return Call(call.name, spread(call.args), tuple((name, put(value)) for name, value in call.kwargs))


def _united(values: list[Any], samples: list[Sample], entry: bool = False) -> Any:
    """One value for those of all samples, with expressions in the places where they came out; else `VariesError`.

    A whole argument may be a number or a tuple of one, as every framework takes both; an `entry` of one may not.
    """
    first = values[0]
    if isinstance(first, Call):
        if any((v.name, len(v.args), dict(v.kwargs).keys()) != _shape(first) for v in values):
            raise VariesError("another call for other values")
        args = tuple(_united([v.args[i] for v in values], samples) for i in range(len(first.args)))
        named = tuple((name, _united([dict(v.kwargs)[name] for v in values], samples)) for name, _ in first.kwargs)
        return Call(first.name, args, named)
    if all(v == first and type(v) is type(first) for v in values):
        return first
    for text in samples[0]:
        if all(_same(v, sample[text], entry) for v, sample in zip(values, samples, strict=True)):
            return Expression(text)
    if is_many(first) and all(is_many(v) and len(v) == len(first) for v in values):
        return like(first, [_united([v[i] for v in values], samples, entry=True) for i in range(len(first))])
    raise VariesError("another value for other values")


def _shape(call: Call) -> tuple[str, int, Any]:
    return call.name, len(call.args), dict(call.kwargs).keys()


def _same(value: Any, sample: Any, entry: bool) -> bool:
    alone = not entry and is_many(sample) and len(sample) == 1
    return bool(value == sample or (alone and value == sample[0]))
