"""Zeros that a call puts around a map before a pool: before a maximum the target's own padding takes their place."""

from __future__ import annotations

import ast
import re
from typing import Any

from poolkit.port.python import sequences
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, given, literal
from poolkit.port.python.orders import order_said
from poolkit.port.python.positions import lettered
from poolkit.port.python.rules.order_before import applied_to
from poolkit.port.python.sites import Pad, Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.spec.values import is_many

LAYERS = re.compile(r"ZeroPad(ding)?[123][dD]")
PADS = re.compile(rf"pad|zero_pad2d|spatial_[23]d_padding|{LAYERS.pattern}")
SIZES = ("padding", "paddings", "pad", "pad_width", "spatial_padding")


def padded_before(tree: Tree, names: Names, site: Site) -> None:
    """Zeros that a call before puts around the map take part, in a maximum too."""
    if not isinstance(site.fields, dict) or site.fields.get("window") is None:
        return
    call = _pad(tree, names, site)
    if call is None:
        return
    kind, note = str(site.fields.get("kind")), _of_padding(tree, call, str(site.fields.get("kind")))
    site.notes.append(note)
    full, layout = names.full(call.func) or "", str(site.fields["layout"])
    alike = order_said(tree, names, call) in ("", lettered(layout))  # else they are around other axes
    pairs = _pairs(call, full, layout) if kind == "max" and alike and _filling(tree, call) == "0" else ()
    if pairs:
        site.pad = Pad(call, None if LAYERS.search(full) else given(call)[0], pairs, full.partition(".")[0], note)


def _of_padding(tree: Tree, pad: ast.Call, kind: str) -> str:
    what = _filling(tree, pad)
    if (kind, what) in (("max", "-inf"), ("min", "inf")):
        return (
            f"{tree.text(pad)} before it puts {what} around the map, which takes no part; it may be the pool's padding"
        )
    return (
        f"the {'zeros' if what == '0' else 'numbers'} of {tree.text(pad)} before it take part like any number; keep "
        "that padding as a step of its own, as padding of the pool would not take part"
    )


def _filling(tree: Tree, pad: ast.Call) -> str:
    """What a call of `pad` puts around a map: "0", "-inf", "inf", or "" for anything else."""
    named = {name: tree.text(value) for name, value in arguments(pad).items()}
    places = [tree.text(value) for value in pad.args]
    mode = named.get("mode", places[2] if len(places) > 2 else "'constant'").strip("\"'").lower()
    value = next((named[name] for name in FILLINGS if name in named), places[3] if len(places) > 3 else "0")
    if mode != "constant":
        return ""
    return next((what for what, pattern in VALUES.items() if re.fullmatch(pattern, value)), "")


INFINITE = r"""([\w.]*\binf|float\(["']\+?inf(inity)?["']\))"""
VALUES = {
    "0": r"-?0|-?0?\.0*|-?0\.|None",
    "-inf": rf"""-\s*{INFINITE}|float\(["']-inf(inity)?["']\)|.*finfo\(.*\)\.min""",
    "inf": rf"{INFINITE}|.*finfo\(.*\)\.max",
}
FILLINGS = ("value", "constant_values", "constant_value")


def _pad(tree: Tree, names: Names, site: Site) -> ast.Call | None:
    """The call before a pool that pads: of a function, or that which makes the layer."""
    beside = sequences.before(tree, site.outer) if site.role == "layer" else None
    made = [beside.node] if beside is not None else [_made(tree, names, one) for one in applied_to(tree, site)]
    (pad,) = made if len(made) == 1 else (None,)
    pads = isinstance(pad, ast.Call) and PADS.fullmatch((names.full(pad.func) or "").rpartition(".")[2])
    return pad if isinstance(pad, ast.Call) and pads else None


def _made(tree: Tree, names: Names, node: Node) -> Node | None:
    """The call that a tensor comes from, or of the layer the one that makes it."""
    tensor = tensors_of(tree, names).of(node)
    made = tensor.before if isinstance(node, ast.Name) else tensor
    return None if made is None else made.layer or made.node


def _pairs(call: ast.Call, full: str, layout: str) -> tuple[tuple[int, int], ...]:
    """The numbers of zeros low and high of each spatial axis; () where they are not written down, or of other axes."""
    name, named = full.rpartition(".")[2], arguments(call)
    places = call.args if LAYERS.fullmatch(name) else call.args[1:]
    value: Any = next((literal(named[key]) for key in SIZES if key in named), literal(places[0]) if places else 1)
    layout = lettered(layout)
    n = len(layout.strip("NC"))
    if name == "pad" and not _is_flat(value):
        several: dict[str, Any] = (
            dict(zip(layout, value, strict=True)) if is_many(value) and len(value) == n + 2 else {}
        )
        plain = all(several.get(letter) in ((0, 0), [0, 0]) for letter in "NC")
        return _checked([several[letter] for letter in layout.strip("NC")], n) if several and plain else ()
    if name == "pad" or "Pad" in name.removeprefix("ZeroPadding"):  # PyTorch's, from the last axis on
        flat = [value] * 2 * n if type(value) is int else [*value] if _is_flat(value) and len(value) % 2 == 0 else []
        flat += [0] * (2 * n - len(flat))
        fits = len(flat) == 2 * n and any(flat) and layout.startswith("NC")
        return _checked([*zip(flat[::2], flat[1::2], strict=True)][::-1], n) if fits else ()
    each: Any = [value] * n if type(value) is int else value
    low_and_high = _is_flat(each) and len(each) == 2 and n == 1 and type(value) is not int
    pairs = [each] if low_and_high else [(one, one) for one in each] if _is_flat(each) else each
    return _checked(pairs, n)


def _is_flat(value: Any) -> bool:
    return is_many(value) and all(type(one) is int for one in value)


def _checked(pairs: Any, n: int) -> tuple[tuple[int, int], ...]:
    """Pairs of numbers, if they are as many as there are axes, and none of them cuts."""
    fits = (
        is_many(pairs) and len(pairs) == n and all(_is_flat(one) and len(one) == 2 and min(one) >= 0 for one in pairs)
    )
    return tuple((low, high) for low, high in pairs) if fits else ()
