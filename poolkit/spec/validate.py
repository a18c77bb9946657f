"""The rules that a spec must fulfil.

`canonical` is called while a compiler may be tracing, so here and in `values` all is plain Python: no cache, no
regular expression, nothing imported or looked up by name unless an error is about to be raised.
"""

from __future__ import annotations

import math
from typing import Any

from poolkit.errors import SpecError
from poolkit.spec.fields import Fields
from poolkit.spec.kinds import KINDS
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.values import FLAGS, axis_values, check_count, divisor_of, flag, is_all, is_many, options_of
from poolkit.spec.vocabulary import LAYOUT_HELP, SYMBOLIC, nearest_kind, nearest_layout, spatial_letters


def canonical(spec: Fields) -> dict[str, Any]:
    """Every field of a spec in the form in which it is kept; `SpecError` where the fields contradict a rule."""
    check_kind(spec.kind)
    check_layout(spec.layout)
    axes = pooled_letters(spec)
    check_mode(spec)
    sizes = axis_values(spec, axes)
    flags = {name: flag(name, getattr(spec, name)) for name in FLAGS}
    divisor = None if spec.divisor_override is None else divisor_of(spec.divisor_override)
    values = {"axes": axes, "divisor_override": divisor, **sizes, **flags, "options": options_of(spec)}
    if KINDS[spec.kind].strips and values["window"] is not None:
        values["options"] = grid_of(spec, values)
    check_use(spec, values)
    return values


def check_kind(kind: object) -> None:
    if isinstance(kind, str) and kind in KINDS:
        return
    guess = nearest_kind(kind)
    do = f"write {quoted(guess)}" if guess else "give one of these"
    raise wrong(f"kind={shown(kind)}", f"the kinds of pooling are {', '.join(map(quoted, KINDS))}", do)


def check_layout(layout: object) -> None:
    received = f"layout={shown(layout)}"
    if not isinstance(layout, str):
        raise wrong(received, "a layout is a string with one letter an axis", LAYOUT_HELP)
    if layout in SYMBOLIC:
        return
    letters = layout.removeprefix("...")
    if not (letters.isascii() and letters.isalpha() and letters.isupper()):
        raise _unreadable(layout)
    if len(set(letters)) < len(letters):
        twice = next(c for c in letters if letters.count(c) > 1)
        raise wrong(received, f"each axis has a letter of its own, but {twice} stands twice", LAYOUT_HELP)
    if not spatial_letters(letters):
        rule = "N is batch and C is channels, which leaves no spatial axis to pool"
        raise wrong(received, rule, f'add a letter for each spatial axis, as in layout="{layout}L" or "{layout}HW"')


def _unreadable(layout: str) -> SpecError:
    guess = nearest_layout(layout)
    rule = (
        'a layout is a capital letter for each axis, "..." before them or not, or "channels_first" or "channels_last"'
    )
    return wrong(f"layout={quoted(layout)}", rule, f"write layout={quoted(guess)}" if guess else LAYOUT_HELP)


def pooled_letters(spec: Fields) -> str | None:
    """The letters that are pooled; None where the layout does not say how many spatial axes there are."""
    axes: object = spec.axes
    if spec.layout in SYMBOLIC:
        if axes is None:
            return None
        rule = f"layout={quoted(spec.layout)} names no axes to choose from"
        raise wrong(f"axes={shown(axes)}", rule, 'write the layout out, as in layout="NCHW"')
    letters = spec.layout.removeprefix("...")
    spatial = spatial_letters(letters)
    if axes is None:
        check_batch(spec.layout, letters, spatial)
        return spatial
    return check_axes(axes, spec.layout, spatial)


def check_batch(layout: str, letters: str, spatial: str) -> None:
    """Refuse to pool B, which many call the batch axis, unless `axes` says so."""
    if letters[0] == "B" and "N" not in letters:
        rule = "the batch axis is N, while B would be pooled like every other letter"
        do = f"write layout={quoted(layout.replace('B', 'N'))}, or name the pooled axes, as in axes={quoted(spatial)}"
        raise wrong(f"layout={quoted(layout)}", rule, do)


def check_axes(axes: object, layout: str, spatial: str) -> str:
    received = f"axes={shown(axes)} with layout={quoted(layout)}"
    if not isinstance(axes, str) or not axes:
        rule = "axes is a string of spatial letters of the layout"
        raise wrong(received, rule, f"write it as in axes={quoted(spatial)}")
    for c in axes:
        if c not in spatial:
            role = {"N": "the batch axis", "C": "the channel axis"}.get(c, "no axis of the layout")
            rule = f"only spatial axes are pooled, while {c} is {role}"
            raise wrong(received, rule, f"choose from {quoted(spatial)}")
    ordered = "".join([c for c in spatial if c in axes])
    if axes != ordered:
        rule = "the letters of axes stand once each, in the order of the layout"
        raise wrong(received, rule, f"write axes={quoted(ordered)}, and the entries of each tuple in that order")
    return axes


def check_mode(spec: Fields) -> None:
    if KINDS[spec.kind].spreads:
        return  # `check_spread` looks at its options, too
    if spec.window is None and spec.output_size is None:
        rule = "a spec has one of them: window for sliding windows, output_size for adaptive pooling"
        raise wrong("neither window nor output_size", rule, "write window=3, or output_size=1 for global pooling")
    if spec.window is not None and spec.output_size is not None:
        received = f"window={shown(spec.window)} and output_size={shown(spec.output_size)}"
        do = "leave out window for adaptive pooling, or output_size for sliding windows"
        raise wrong(received, "a spec has only one of them", do)


def check_use(spec: Fields, values: dict[str, Any]) -> None:
    """Refuse what would silently do nothing. The spec still holds what was given, `values` what is kept."""
    if KINDS[spec.kind].spreads:
        check_spread(spec, values)
    elif values["output_size"] is not None:
        check_adaptive(spec, values)
    else:
        check_sliding(spec, values)
    kind = KINDS[spec.kind]
    if kind.widest is not None:
        check_width(spec, kind.widest, values)
    rule = "" if kind.refuses is None else kind.refuses({**values, **dict(values["options"])})
    if rule:
        sizes = f"window={shown(spec.window)} and output_size={shown(spec.output_size)}"
        raise wrong(f"{sizes} for {quoted(spec.kind)}", rule, "change what the rule speaks of")
    if values["indices"] and not kind.indexed:
        raise _not_of_kind(spec, "indices", "only a kind that selects an element has positions", "indexed")
    for name in ("count_include_pad", "divisor_override"):
        if values[name] not in (False, None) and not kind.averages:
            raise _not_of_kind(spec, name, "only an average divides", "averages")


def check_width(spec: Fields, widest: float, values: dict[str, Any]) -> None:
    """Of a kind that weights the cells of a window by their place, which bins of any length have not."""
    most = "1 cell and more" if widest == math.inf else f"1 to {widest} cells"
    rule = f"{quoted(spec.kind)} pooling has windows of {most} along each axis"
    if values["window"] is None:
        raise wrong(
            f"output_size={shown(spec.output_size)} for {quoted(spec.kind)}", rule, "write window=3 in its place"
        )
    if not (all(k <= widest for k in values["window"]) if is_many(values["window"]) else values["window"] <= widest):
        raise wrong(f"window={shown(spec.window)} for {quoted(spec.kind)}", rule, "give a smaller one")


def _not_of_kind(spec: Fields, name: str, rule: str, trait: str) -> SpecError:
    takers = " and ".join([quoted(kind) for kind in KINDS if getattr(KINDS[kind], trait)])
    received = f"{name}={shown(getattr(spec, name))} for {quoted(spec.kind)}"
    return wrong(received, f"{rule}: {takers}", f"leave {name} out, or choose such a kind")


DROPPED = "pooled axes can be dropped only where output_size is 1 on each of them"


def check_adaptive(spec: Fields, values: dict[str, Any]) -> None:
    given = {
        "stride": values["stride"] is not None,
        "padding": values["padding"] != "valid",
        "dilation": not is_all(values["dilation"], 1),
        "ceil_mode": values["ceil_mode"],
        "count_include_pad": values["count_include_pad"],
    }
    for name, off in given.items():
        if off:
            received = f"{name}={shown(getattr(spec, name))} with output_size={shown(spec.output_size)}"
            rule = f"adaptive pooling divides each axis into bins itself and never reads {name}"
            raise wrong(received, rule, f"leave {name} out, or give window in place of output_size")
    if not values["keepdims"] and not is_all(values["output_size"], 1):
        received = f"keepdims=False with output_size={shown(spec.output_size)}"
        raise wrong(received, DROPPED, "leave keepdims out, or write output_size=1")


def check_spread(spec: Fields, values: dict[str, Any]) -> None:
    """A window and overlaps, or neither; how many there are by a size or a ratio; and nothing that moves them."""
    ratio, overlapping = (dict(values["options"])[name] for name in ("output_ratio", "overlapping"))
    size, name = values["output_size"], quoted(spec.kind)
    if overlapping == (values["window"] is None):
        received = f"window={shown(spec.window)} and overlapping={overlapping} for {name}"
        rule = "windows that may overlap have a size, and those that do not have none"
        raise wrong(received, rule, "write window=2" if overlapping else "leave window out, or overlapping=False")
    if is_many(ratio):
        check_count("output_ratio", ratio, values["axes"])
    if (size is None) == (ratio is None):
        received = f"output_size={shown(spec.output_size)} and output_ratio={shown(ratio)} for {name}"
        rule = "how many windows there are is said by one of them"
        raise wrong(received, rule, "write output_size=7, or output_ratio=0.7")
    stride = None if values["stride"] == values["window"] else values["stride"]  # which is its default
    check_adaptive(spec, {**values, "stride": stride, "output_size": 0 if size is None else size})


def grid_of(spec: Fields, values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """The cells of a strip, a multiple of the stride on each axis: one number of equal ones, None of the stride's."""
    name, stride, grid = quoted(spec.kind), values["stride"], dict(values["options"])["grid"]
    if values["ceil_mode"]:
        rule = f"windows of {name} pooling have stride 1, so that ceil_mode is never read"
        raise wrong(f"ceil_mode=True for {name}", rule, "leave ceil_mode out")
    if is_many(grid):
        check_count("grid", grid, values["axes"])
        grid = grid[0] if is_all(grid, grid[0]) else grid
    count = len(stride) if is_many(stride) else len(grid) if is_many(grid) else 1
    each = [[*v] if is_many(v) else [stride if v is None else v] * count for v in (grid, stride)]
    if grid is None or each[0] == each[1]:
        return (("grid", None),)
    if len(each[0]) != len(each[1]) or any(g % s for g, s in zip(*each, strict=True)):
        received = f"grid={shown(grid)} with stride={shown(spec.stride or spec.window)} for {name}"
        rule = "each strip of grid cells gives as many results as the stride fits into it"
        raise wrong(received, rule, "give a multiple of the stride on each axis")
    return (("grid", grid),)


def check_sliding(spec: Fields, values: dict[str, Any]) -> None:
    if values["ceil_mode"] and values["padding"] in ("same", "same_lower"):
        rule = "with this padding there are ceil(size / stride) windows anyway, so that ceil_mode is never read"
        raise wrong(f"ceil_mode=True with padding={quoted(spec.padding)}", rule, "leave ceil_mode out")
    if not values["keepdims"]:
        received = f"keepdims=False with window={shown(spec.window)}"
        raise wrong(received, DROPPED, "leave keepdims out, or write output_size=1 in place of window")
