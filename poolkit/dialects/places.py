"""Windows that are given for every position of a tensor, batch and channels too: which letter stands where.

A word that cannot tell answers with fields whose window, stride, padding and dilation have one entry for each position
and with "layouts", the layouts that may be meant, in place of "layout".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poolkit.dialects.dialect import Fields
from poolkit.errors import NotExactError
from poolkit.spec.values import is_many

# By the number of positions, the more usual one first.
CHANNELS_LAST = {
    1: ("L",),
    2: ("LC", "CL", "HW"),
    3: ("NLC", "NCL", "HWC", "CHW"),
    4: ("NHWC", "NCHW", "DHWC", "CDHW"),
    5: ("NDHWC", "NCDHW"),
}
UNTOUCHED = {"window": 1, "stride": 1, "dilation": 1, "padding": (0, 0)}


def placed(fields: Fields, layout: str | None = None) -> Fields:
    """The fields with entries for the spatial axes alone, in the first layout whose other axes are left untouched.

    >>> placed({"kind": "max", "window": (1, 1, 3, 3), "layouts": ("NHWC", "NCHW")})
    {'kind': 'max', 'window': (3, 3), 'layout': 'NCHW'}
    """
    rest = {name: value for name, value in fields.items() if name != "layouts"}
    count = len(fields["window"])
    if any(len(values) != count for values in _given(fields).values()):
        raise NotExactError(
            f"its window has {count} entries, and its strides and padding have to have as many; mend it"
        )
    for candidate in [layout] if layout else fields["layouts"]:
        letters = _letters(candidate, count)
        if _leaves_others({"window": fields["window"]}, letters):  # the windows alone tell what is meant
            if not _leaves_others(rest, letters):
                break
            return {**rest, **_entries(rest, letters), "layout": candidate}
    raise NotExactError(
        f"the window {tuple(fields['window'])} with its strides and padding is not one over the spatial axes of "
        f"{layout or 'a layout such as NHWC or NCHW'}, and no spec pools over batch or channels; "
        "if it pools over space, give its layout"
    )


def _letters(layout: str, count: int) -> str:
    """A letter for each position; N for those that a layout has no letter for."""
    spatial = "STUVXYZ"[: count - 2]
    written = {"channels_first": f"NC{spatial}", "channels_last": f"N{spatial}C"}
    return written.get(layout, layout.removeprefix("...")).rjust(count, "N")[-count:]


def _given(fields: Fields) -> dict[str, Sequence[Any]]:
    """The fields that have an entry for each position; a padding may be a word for all."""
    return {name: fields[name] for name in UNTOUCHED if name in fields and not isinstance(fields[name], str)}


def _leaves_others(fields: Fields, letters: str) -> bool:
    """Whether batch and channels have windows of one cell."""
    others = [n for n, letter in enumerate(letters) if letter in "NC"]
    given = _given(fields).items()
    spatial = len(others) < len(letters)
    return spatial and all(_entry(values[n]) == UNTOUCHED[name] for name, values in given for n in others)


def _entry(value: Any) -> Any:
    return tuple(value) if is_many(value) else value


def _entries(fields: Fields, letters: str) -> Fields:
    spatial = [n for n, letter in enumerate(letters) if letter not in "NC"]
    return {name: tuple(values[n] for n in spatial) for name, values in _given(fields).items()}
