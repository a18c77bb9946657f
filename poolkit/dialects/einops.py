"""einops patterns as specs: ``"b h w c -> b 1 1 c"`` with ``"mean"``. einops is not imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, TypeGuard

from poolkit.dialects.dialect import Dialect, Word, need_value, words
from poolkit.dialects.usage import Usage
from poolkit.errors import InputError, NotExactError
from poolkit.running.registry import DEFINITION
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.text import said

KINDS = {"mean": "avg", "max": "max", "min": "min", "sum": "sum"}

# What people call the axes, for a letter of the layout.
LETTERS = {
    "b": "N",
    "n": "N",
    "bs": "N",
    "batch": "N",
    "c": "C",
    "ch": "C",
    "channel": "C",
    "channels": "C",
    "height": "H",
    "width": "W",
    "depth": "D",
    "time": "T",
    "length": "L",
}

LONGEST = 500  # characters of a pattern

_TERM = re.compile(r"\(([^()]*)\)|(\.\.\.|[A-Za-z_]\w*|1)(?=\s|$|\()")


def is_pattern(obj: object) -> TypeGuard[str]:
    """Whether text is a pattern alone, and no call with one."""
    return isinstance(obj, str) and "->" in obj and not {'"', "'"} & set(obj)


def read_pattern(pattern: str, reduction: object, **lengths: int) -> PoolSpec:
    """The spec of ``einops.reduce(x, pattern, reduction, **lengths)``.

    >>> read_pattern("b (h 2) (w 2) c -> b h w c", "max")
    PoolSpec("max", window=2, layout="NHWC")
    """
    if not isinstance(reduction, str) or reduction not in KINDS:
        raise InputError(
            f"received the pattern {pattern!r} with the reduction {reduction!r}, and einops reduces by "
            f'{", ".join(KINDS)}; write it as in read("b h w c -> b 1 1 c", "mean")'
        )
    _check_pattern(pattern, lengths)
    left, right = (_terms(side, pattern) for side in pattern.split("->", 1))
    names = [_outer(term, right, pattern) for term in left]
    letters = _letters_of(names, right, pattern)
    kept = {name for name in names if name in right}
    windows = {name: _window(term, name, lengths, pattern) for term, name in zip(left, names, strict=True)}
    if any(k is not None for k in windows.values()):
        return _sliding(pattern, str(KINDS[str(reduction)]), letters, right, windows)
    return _global(pattern, str(KINDS[str(reduction)]), letters, kept, right)


def _check_pattern(pattern: str, lengths: Mapping[str, int]) -> None:
    if len(pattern) > LONGEST:
        raise InputError(f"received a pattern of {len(pattern)} characters, and one has at most {LONGEST}; shorten it")
    sides = pattern.split("->")
    if len(sides) != 2 or any(side.count("(") != side.count(")") for side in sides):
        raise InputError(f'received {pattern!r}, which is no einops pattern; write it as in "b h w c -> b 1 1 c"')
    unused = [name for name in lengths if not re.search(rf"\b{re.escape(name)}\b", sides[0])]
    if unused:
        raise InputError(f"received {', '.join(unused)} for {pattern!r}, which has no such axis; leave it out")


def _terms(side: str, pattern: str) -> list[str]:
    terms = [m[1] if m[1] is not None else m[2] for m in _TERM.finditer(side)]
    if "".join(terms).replace(" ", "") != re.sub(r"[\s()]", "", side) or not terms:
        raise InputError(f'received {pattern!r}, which is no einops pattern; write it as in "b h w c -> b 1 1 c"')
    return terms


def _outer(term: str, right: list[str], pattern: str) -> str:
    """The name that an axis of the input keeps: of ``(h 2)`` it is h."""
    inner = term.split()
    if len(inner) == 1:
        return term
    if len(inner) == 2 and inner[0] in right:
        return inner[0]
    raise NotExactError(
        f"received {pattern!r}, where ({term}) is no axis cut into windows; "
        "a window is the faster of two factors, as in (h 2)"
    )


def _letters_of(names: list[str], right: list[str], pattern: str) -> dict[str, str]:
    """A letter for each axis; several that are called like a batch, come first and are kept, are "..." together."""
    if len({*names}) < len(names):
        raise InputError(f"received {pattern!r}, which names an axis twice; give each its own name")
    letters = {name: _letter(name, pattern) for name in names}
    batches = list(takewhile(lambda name: letters[name] == "N" and name in right, names))
    if len(batches) > 1:
        letters |= dict.fromkeys(batches, "") | {batches[0]: "..."}
    return letters


def _letter(name: str, pattern: str) -> str:
    letter = name if name == "..." else LETTERS.get(name.lower(), name.upper() if len(name) == 1 else "")
    if not letter.isalpha() and name != "...":
        raise InputError(
            f"received {pattern!r}, and a layout has one letter for each axis, which {name!r} is not; "
            "call it h, w, d, t or l"
        )
    return letter


def _window(term: str, name: str, lengths: dict[str, int], pattern: str) -> int | None:
    inner = term.split()
    if len(inner) == 1:
        return None
    number = int(inner[1]) if inner[1].isdecimal() else None
    size = lengths.get(inner[1], number)
    if size is None:
        raise InputError(
            f"received {pattern!r} without the length of {inner[1]}; give it, as in read(pattern, {inner[1]}=2)"
        )
    return size


def _sliding(pattern: str, kind: str, letters: dict[str, str], right: list[str], windows: dict[str, Any]) -> PoolSpec:
    if right != [*letters]:
        raise NotExactError(f"received {pattern!r}, which moves or drops axes beside its windows; no spec does both")
    layout = "".join(letters.values())
    pooled = {letters[name]: k for name, k in windows.items() if k is not None}
    spatial = [c for c in layout.removeprefix("...") if c not in "NC"]
    axes = "".join(c for c in spatial if c in pooled)
    if len(axes) != len(pooled):
        raise NotExactError(f"received {pattern!r}, which pools over batch or channels; no spec does")
    return PoolSpec(kind, layout=layout, axes=axes, window=tuple(pooled[c] for c in axes))


def _global(pattern: str, kind: str, letters: dict[str, str], kept: set[str], right: list[str]) -> PoolSpec:
    names, layout = [*letters], "".join(letters.values())
    gone = [name for name in names if name not in kept]
    axes = "".join(letters[name] for name in gone)
    if not axes or set(axes) & set("NC."):
        raise NotExactError(f"received {pattern!r}, which does not pool over spatial axes alone; no spec does")
    ones = ["1" if name in gone else name for name in names]
    dropped = [name for name in names if name in kept]
    if right not in (ones, dropped):
        raise NotExactError(f"received {pattern!r}, which also moves axes; no spec does, so transpose afterwards")
    return PoolSpec(kind, layout=layout, axes=axes, output_size=1, keepdims=right == ones)


# ------------------------------------------------------------------------------------- calls of einops, and its layers


def _fields(pattern: Any, reduction: Any, **lengths: Any) -> dict[str, Any]:
    need_value("pattern", pattern, str)
    need_value("reduction", reduction, str)
    for name, length in lengths.items():
        need_value(name, length)
    spec = read_pattern(pattern, reduction, **lengths)
    return {"kind": spec.kind, **said(spec)}


LAYERS = tuple(f"einops.layers.{root}.Reduce" for root in ("torch", "keras", "tensorflow", "flax"))

WORDS = words(Word("einops.reduce", _fields, "tensor"), *(Word(name, _fields) for name in LAYERS))

DIALECT = Dialect(
    name="einops",
    roots=("einops",),
    words=WORDS,
    layouts={1: "NLC", 2: "NHWC", 3: "NDHWC"},
    canonical=lambda name: name.replace("einops.einops.", "einops."),
    usage=Usage(
        unsaid=("einops.reduce", "einops.einops.reduce", *LAYERS), either_order=True, tensors={"einops": DEFINITION}
    ),
)
