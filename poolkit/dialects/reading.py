"""`read`: the spec of somebody else's layer, by way of the call that makes it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.around import Reader, read_around
from poolkit.dialects.calls import Call, Expression, Name, known, text
from poolkit.dialects.dialect import Dialect, Fields, NotPooling, check_written_out, not_exact, read_from
from poolkit.dialects.einops import is_pattern, read_pattern
from poolkit.dialects.own import MAKERS, full_name, own_fields
from poolkit.dialects.places import placed
from poolkit.dialects.ranks import check_axes
from poolkit.dialects.sources import METHODS, call_in, computed
from poolkit.errors import InputError, NotExactError
from poolkit.running.registry import EVERYWHERE
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec

Reading = Operation


def read(obj: Any, layout: str | None = None, **options: Any) -> Reading:
    """The spec of a pooling layer or call of any framework, whose frameworks need not be installed.

    `obj` is a layer (torch.nn, Keras, Equinox, timm), a Keras layer's config, a ``functools.partial`` of a pooling
    function (Flax, Haiku, JAX, TensorFlow), an ONNX node, a line of source, which is parsed and never evaluated, an
    einops pattern with its reduction, or a spec's own text. `layout` says what the axes of its input are, where it
    isn't the framework's usual one; `NotExactError` says which property of a layer no spec has. What goes by is the
    values on finite input: for gradients of ties and NaN see `caveats`.

    >>> read("torch.nn.AvgPool2d(3, stride=1, padding=1)")
    PoolSpec("avg", window=3, stride=1, padding=1, layout="NCHW", count_include_pad=True)
    >>> read("b h w c -> b 1 1 c", "mean")
    PoolSpec("avg", output_size=1, layout="NHWC")
    >>> read({"class_name": "GlobalAveragePooling2D", "config": {"keepdims": True}})
    PoolSpec("avg", output_size=1, layout="NHWC")
    """
    if isinstance(obj, Reading):
        return obj
    with read_from(obj if isinstance(obj, str) else f"a {type(obj).__qualname__}"):
        return _read(obj, layout, options)


def _read(obj: Any, layout: str | None, options: dict[str, Any]) -> Reading:
    if isinstance(obj, str) and not any(mark in obj for mark in ("(", "[", "->")):
        parsed = PoolSpec.parse(obj)
        return parsed if layout is None else parsed.replace(layout=layout)
    if isinstance(obj, str) and obj.rstrip().endswith(")[0]"):  # as the values of a pair with positions are printed
        pair = _read(obj.rstrip().removesuffix("[0]"), layout, options)
        return pair.replace(indices=False) if pair.indices else read_call(call_of(obj))  # else the first of a batch
    if is_pattern(obj):
        return read_pattern(obj, options.pop("reduction", layout), **options)
    if layout is not None and not isinstance(layout, str):
        raise InputError(f"received the layout {layout!r}, and a layout is text with a letter an axis; write it so")
    if options:
        raise InputError(f"received {', '.join(options)}, which only an einops pattern has; leave them out")
    if isinstance(obj, str) and (around := read_around(obj, layout, Reader(resolve, tensor_of, read))) is not None:
        return around
    call = call_of(obj)
    if isinstance(obj, str):
        _check_input(call, obj)
    return read_call(call, layout)


def tensor_of(call: Call) -> str | None:
    """What the word of a call calls its tensor; None where there is no such word, or it makes a layer."""
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    return None if word is None else word.tensor


def _check_input(call: Call, source: str) -> None:
    """`NotExactError` where the tensor that a line of source pools is itself computed there."""
    if call.name in MAKERS or call.name == PARTIAL:
        return
    check_written_out(call)
    name = tensor_of(call)
    tensor = dict(call.kwargs).get(name, call.args[0] if call.args else None) if name else None
    if isinstance(tensor, Call) or (isinstance(tensor, Expression) and not PLAIN.fullmatch(tensor.text)):
        raise computed(source, text(tensor))


PLAIN = re.compile(r"[\w.]+(\[.*\])?")  # a variable, an attribute, an element


def read_call(call: Call, layout: str | None = None) -> Reading:
    """The spec of a call."""
    with read_from(call):
        fields = _fields_of(applied_call(call), layout)
    if isinstance(fields, Operation):
        return fields
    for name, value in fields.items():
        if not known(value):
            raise NotExactError(
                f"received {call}, and {name}={text(value)} is not known without running the program; write its value"
            )
    return PoolSpec(**fields)


def call_of(obj: Any) -> Call:
    """The call that makes an object, or that a line of source is."""
    if isinstance(obj, Call):
        return obj
    if isinstance(obj, str):
        return call_in(obj, resolve)
    roots = {cls.__module__.split(".")[0] for cls in type(obj).__mro__}
    for dialect in [d for d in table.dialects() if not roots.isdisjoint(d.roots) or isinstance(obj, Mapping)]:
        found = dialect.call_of(obj)
        if found is not None:
            return found
    if isinstance(obj, functools.partial):
        return Call(PARTIAL, (Name(_name_of(obj.func)), *obj.args), tuple(obj.keywords.items()))
    raise InputError(
        f"received a {type(obj).__module__}.{type(obj).__qualname__}, and poolkit reads pooling layers, configs, "
        "ONNX nodes, functools.partial of pooling functions, lines of source and einops patterns; give one of these"
    )


def _name_of(func: Any) -> str:
    """The full dotted name of a function; for one that was made inside another, the name that its module gives it."""
    owner = getattr(func, "__objclass__", func)  # that of a method, which has no module of its own
    module, name = owner.__module__, func.__qualname__
    if "<" in name:
        name = next((key for key, value in vars(sys.modules[module]).items() if value is func), name)
    return f"{module}.{name}"


def fields_of(call: Call, layout: str | None = None) -> Fields | Operation:
    """What a call gives as fields of a spec, perhaps with expressions; `NotExactError` where they are none."""
    with not_exact(), read_from(call):
        return _fields_of(applied_call(call), layout)


def fields_alone(call: Call) -> Fields | Operation:
    """The same, of a call that pools by one tensor; `NotExactError` with what to write where it takes another."""
    fields = fields_of(call)
    if isinstance(fields, Operation) and fields.needs:
        more = ", ".join([f"{name}=..." for name in fields.needs])
        raise NotExactError(f"it pools by another tensor, too; write poolkit.pool(x, poolkit.{fields!r}, {more})")
    return fields


def _fields_of(call: Call, layout: str | None) -> Fields | Operation:
    check_written_out(call)
    if call.name in MAKERS:
        return _in_layout(own_fields(call), layout)
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    if word is None:
        raise NotExactError(
            f"received {call}, and poolkit knows no pooling called {call.name}; "
            "read the layer inside it, or write the spec"
        )
    fields: Fields | Operation = _placed(word.read(call), layout, dialect, call)
    return fields


def _in_layout(own: Fields | Operation, layout: str | None) -> Fields | Operation:
    if layout is None:
        return own
    return own.replace(layout=layout) if isinstance(own, Operation) else own | {"layout": layout}


PARTIAL = "functools.partial"


def applied_call(call: Call) -> Call:
    """``functools.partial(f, …)`` as the call of f with some tensor, every other call as it is; a layer takes none."""
    if call.name != PARTIAL or not call.args or not isinstance(call.args[0], Name):
        return call
    inner = Call(call.args[0].dotted, call.args[1:], call.kwargs)
    return Call(inner.name, (Expression("x"), *inner.args), inner.kwargs) if takes_a_tensor(inner) else inner


def takes_a_tensor(call: Call) -> bool:
    """Whether a call is one of a function, whose tensor is among its arguments; a layer's class makes the layer."""
    dialect, name = spoken_in(call)
    word = dialect.words.get(name)
    return word is None or word.tensor is not None


def spelled(name: str) -> str:
    """A full dotted name under the framework whose word it is: Keras inside TensorFlow is Keras.

    >>> spelled("tensorflow.keras.layers.MaxPooling2D")
    'keras.layers.MaxPooling2D'
    """
    for dialect in table.dialects():
        for before in dialect.usage.inside:
            if name.startswith(before):
                return f"{dialect.roots[0]}.{name.removeprefix(before)}"
    return name


def spoken_in(call: Call) -> tuple[Dialect, str]:
    """The dialect of a call, and its name in that dialect's table."""
    name = spelled(call.name)
    root, _, method = name.partition(".")
    for dialect in table.dialects():
        if root in dialect.roots:
            return dialect, dialect.canonical(name)
    if root == METHODS:
        return _of_method(method, dict(call.kwargs))
    raise NotExactError(
        f"received {call}, and {root} is no framework that poolkit reads; "
        "write the name in full, as in torch.nn.AvgPool2d(3)"
    )


def _of_method(method: str, kwargs: Mapping[str, object]) -> tuple[Dialect, str]:
    """A method's framework by what it calls its arguments; without any, the result is the same in all."""
    own = [(d, d.usage.methods) for d in table.dialects() if d.usage.methods is not None]
    fitting = (pair for pair in own if not pair[1].arguments.isdisjoint(kwargs))
    first = next(pair for pair in own if pair[0].name not in EVERYWHERE)
    dialect, methods = next(fitting, first)
    return dialect, f"{methods.prefix}.{method}"


def _placed(fields: Any, layout: str | None, dialect: Dialect, call: Call) -> Any:
    """Fields with their layout and, for a reduction over positions, the letters of its axes."""
    if isinstance(fields, Operation):
        return fields if layout is None else fields.replace(layout=_alike(fields.layout, layout, call))
    if "layouts" in fields:
        return placed(fields, layout)
    if "axis" in fields:
        return _reduction(dict(fields), layout, dialect, call)
    own = fields.get("layout")
    if layout and own and fields.get("keepdims") is False and "N" in own and "N" not in layout.removeprefix("..."):
        raise NotExactError(
            f"received {call} with layout={layout!r}, and it drops its axes by their positions behind a batch axis; "
            "give a layout with N"
        )
    return {**fields, "layout": layout or own if layout is None or own is None else _alike(own, layout, call)}


def _alike(own: str, layout: str, call: Call) -> str:
    """A layout for what takes its channels as its own has them; `NotExactError` where they are at the other end."""
    if _channels_last(own) != _channels_last(layout):
        end = "last" if _channels_last(own) else "first"
        raise NotExactError(
            f"received {call} with layout={layout!r}, and it takes its channels {end} ({own}); "
            "leave the layout out, or give data_format to the layer"
        )
    return layout


def _channels_last(layout: str) -> bool:
    return layout == "channels_last" or layout.endswith("C")


def _reduction(fields: Fields, layout: str | None, dialect: Dialect, call: Call) -> Fields:
    axis = fields.pop("axis")
    for candidate in [layout] if layout else usual_layouts(dialect):
        letters = candidate.removeprefix("...")
        spatial = "".join(c for c in letters if c not in "NC")
        try:
            end = 0 if letters != candidate else len(letters)  # with axes before them, letters are counted from behind
            at = sorted(n % len(letters) if -len(letters) <= n < end else -1 for n in axis)
        except TypeError:
            break
        axes = "".join(letters[n] for n in at if n >= 0)
        if len(axes) == len(axis) and (axes == spatial or (layout and axes and set(axes) <= set(spatial))):
            if layout is None:
                check_axes(axis, candidate, dialect, call)
            return {**fields, "layout": candidate, "axes": axes, "output_size": 1}
    raise NotPooling(
        f"received {call}, and its axes {axis} are not the spatial ones of "
        f"{layout or 'a layout such as NCHW or NHWC'}; if it pools, give the layout"
    )


def usual_layouts(dialect: Dialect) -> list[str]:
    """The layouts in which a reduction's axes may be meant, the framework's own first."""
    return [*(layout for n, layout in dialect.layouts.items() if n > 1), "NHWC", "NDHWC", "NCHW", "NCDHW"]


def resolve(dotted: str) -> str | None:
    """A dotted name in full, as people abbreviate it when they talk of one line."""
    if dotted in ("partial", PARTIAL):
        return PARTIAL
    own = full_name(dotted)
    if own is not None:
        return own
    first, _, rest = dotted.partition(".")
    candidates: list[str] = []
    for dialect in table.dialects():
        if first in dialect.roots:
            candidates.append(dotted)
        shorts = dialect.usage.shorts.get(first, "").split()
        candidates += [f"{short}.{rest}" if rest else short for short in shorts]
    for name in candidates:
        if table.has_word(spelled(name)):
            return name
    return candidates[0] if candidates else None
