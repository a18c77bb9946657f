"""The words that are values of a spec, and which of them somebody meant who wrote another."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from poolkit.spec.kinds import KINDS

PADDINGS = ("valid", "same", "same_lower", "causal")
SYMBOLIC = ("channels_first", "channels_last")
LAYOUT_HELP = 'write it as in layout="NCHW", "NHWC", "NCL" or "...HWC"'

KIND_WORDS = {
    "average": "avg",
    "mean": "avg",
    "add": "sum",
    "soft": "softmax",
    "softpool": "softmax",
    "binomial": "blur",
}
PADDING_WORDS = {"same_upper": "same", "half": "same", "notset": "valid", "none": "valid", "left": "causal"}
LAYOUT_WORDS = {"first": "channels_first", "last": "channels_last", "th": "channels_first", "tf": "channels_last"}


def spatial_letters(letters: str) -> str:
    return "".join([c for c in letters if c not in "NC"])


# Kinds of pooling that are none of ours, near as their names may be.
OTHERS = ("mode", "var", "prod", "range")


def nearest_kind(kind: object) -> str | None:
    if isinstance(kind, str) and kind.lower().strip() in OTHERS:
        return None
    return _nearest(kind, KIND_WORDS, KINDS)


def nearest_padding(padding: object) -> str | None:
    return _nearest(padding, PADDING_WORDS, PADDINGS)


def nearest_layout(layout: str) -> str | None:
    letters = "".join([c for c in layout.upper() if c not in " ,_-"])
    if "N" not in letters:
        letters = letters.replace("B", "N")
    if set(letters) <= set("NCTDHWL") and len(set(letters)) == len(letters) > 1:
        return letters
    return _nearest(layout, LAYOUT_WORDS, SYMBOLIC)


def _nearest(given: object, others: Mapping[str, str], ours: Collection[str]) -> str | None:
    """Our word for what was given: with other capitals, with something behind it, of another library, or misspelt."""
    if not isinstance(given, str):
        return None
    low = given.lower().strip()
    for mine in sorted(ours, key=len, reverse=True):
        if low == mine or low.replace("_", "").startswith(f"{mine}pool"):
            return mine
    import difflib

    close = others.get(low) or next(iter(difflib.get_close_matches(low, [*ours, *others], 1)), None)
    return None if close is None else others.get(close, close)
