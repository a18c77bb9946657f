"""A spec as text and back: what its repr, its string and its dictionary say, each without what goes without saying."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from poolkit.spec.fields import Fields
from poolkit.spec.kinds import KINDS, takers
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.values import is_all, is_many
from poolkit.spec.vocabulary import SYMBOLIC

VERSION = 1

# The order in which people say them; what is not named here follows, the options of the kind last.
ORDER = ("output_size", "window", "stride", "padding", "dilation", "layout", "axes")

# Their letters may also spell a number or a word, as in layout=INF, so what is written for them is never converted.
LETTERS = ("layout", "axes")

INFINITE = (math.inf, -math.inf)  # which Python has no literal for, and JSON no number

WORDS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}


FIELDS = [name for name in Fields.__dataclass_fields__ if name not in ("kind", "options")]
DEFAULTS = {name: getattr(Fields, name, None) for name in dict.fromkeys((*ORDER, *FIELDS))}


def said(spec: Fields) -> dict[str, Any]:
    """The fewest fields that make this spec with its kind: no defaults, nothing implied, one integer for equal ones."""
    implied: dict[str, Any] = {"axes": spec.spatial, "stride": spec.window}
    if spec.axes is not None:
        implied["dilation"] = (1,) * len(spec.axes)
    counted = spec.layout not in SYMBOLIC
    short: dict[str, Any] = {}
    for name, default in DEFAULTS.items():
        value = getattr(spec, name)
        if value != implied.get(name, default):
            short[name] = _short(name, value, counted)
    table = KINDS[spec.kind].options
    return short | {name: value for name, value in spec.options if value != table[name].default}


def _short(name: str, value: Any, counted: bool) -> Any:
    """A value as briefly as it can be given; `counted` says that the layout tells how many entries it has."""
    if not is_many(value):
        return value
    if name == "padding" and all(low == high for low, high in value):
        value = tuple(low for low, _ in value)
    # A lone None would say that the field is not given, and a lone pair would be one padding for each of two axes.
    single = counted and is_all(value, value[0]) and isinstance(value[0], int)
    return value[0] if single else value


def as_python(value: Any) -> str:
    """A value as Python reads it."""
    if is_many(value):
        return f"({', '.join(map(as_python, value))}{',' * (len(value) == 1)})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return quoted(value) if isinstance(value, str) else repr(value)


def string_of(spec: Fields) -> str:
    fields = said(spec)
    if spec.output_size is not None and is_all(spec.output_size, 1):
        # Frameworks have opposite defaults, so a reader should not have to know ours.
        fields.setdefault("keepdims", True)
    return " ".join([spec.kind, *(f"{name}={as_text(value)}" for name, value in fields.items())])


def keep_text(spec: object) -> None:
    """Keep the text that says it all: PyTorch's compiler reads that, and holds it against those of later calls."""
    object.__setattr__(spec, "_text", str(spec))


def as_text(value: Any) -> str:
    """A value as `fields_of` reads it."""
    if is_many(value):
        comma = "," if len(value) == 1 and not is_many(value[0]) else ""
        return ",".join(":".join(map(str, v)) if is_many(v) else as_text(v) for v in value) + comma
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def fields_of(text: object, before: str = "") -> dict[str, Any]:
    """What `string_of` wrote, as arguments of PoolSpec; another operation's text has a word of its own before it."""
    text = text.removeprefix(before) if isinstance(text, str) else text
    if not isinstance(text, str) or not text.split():
        raise wrong(
            shown(text), "a spec's text is its kind and then name=value words", f"write it as in {quoted(EXAMPLE)}"
        )
    kind, *words = text.split()
    if "=" in kind:
        raise wrong(
            f"{quoted(kind)} in first place", "a spec's text begins with its kind", f"write it as in {quoted(EXAMPLE)}"
        )
    fields: dict[str, Any] = {"kind": kind}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise wrong(quoted(word), "after the kind every word is name=value", f"write it as in {quoted(EXAMPLE)}")
        if name in fields:
            raise wrong(quoted(word), f"{name} was given before", "give it once")
        fields[name] = WORDS.get(value, value) if name in LETTERS else value if _is_word(kind, name) else _read(value)
    return fields


def _is_word(kind: str, name: str) -> bool:
    """Whether this is an option that is a word, which may look like a number."""
    option = KINDS[kind].options.get(name) if kind in KINDS else None
    return option is not None and isinstance(option.default, str)


EXAMPLE = "avg output_size=1 layout=NHWC keepdims=true"


def _read(text: str) -> Any:
    if "," in text or ":" in text:
        parts = text.removesuffix(",").split(",")
        return tuple(tuple(map(_scalar, part.split(":"))) if ":" in part else _scalar(part) for part in parts)
    return _scalar(text)


def _scalar(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


def as_list(value: Any) -> Any:
    """A value as JSON holds it."""
    if is_many(value):
        return [as_list(v) for v in value]
    return str(value) if value in INFINITE else value


def fields_of_dict(data: object, own: tuple[str, ...]) -> dict[str, Any]:
    """What `PoolSpec.to_dict` gave, as arguments of PoolSpec."""
    if not isinstance(data, Mapping):
        raise wrong(shown(data), "a spec is read from a dictionary", "give what PoolSpec.to_dict() returned")
    fields: dict[Any, Any] = {**data}
    version: object = fields.pop("version", None)
    if type(version) is not int or version != VERSION:
        rule = f"this poolkit reads version {VERSION} of a spec's dictionary"
        raise wrong(
            f"version={shown(version)}", rule, "give what PoolSpec.to_dict() returned, or use the poolkit that wrote it"
        )
    facts = KINDS.get(shown(fields.get("kind")).strip('"'))
    keys = (*own, *(facts.options if facts else ()))
    for name in fields:
        if name not in keys and not takers(str(name)):
            raise wrong(
                f"the key {shown(name)}", f"a spec's dictionary has only {', '.join(('version', *keys))}", "remove it"
            )
    return {key: _numbers(value) for key, value in fields.items()}


def _numbers(value: object) -> Any:
    return [_number(v) for v in cast("list[object]", value)] if type(value) is list else _number(value)


def _number(value: object) -> object:
    return {str(one): one for one in INFINITE}.get(value, value) if isinstance(value, str) else value
