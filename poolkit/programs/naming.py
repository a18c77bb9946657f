"""What a printed program calls a value, by what its line makes."""

from __future__ import annotations

from poolkit.programs.recorder import Value

_WORDS = {
    "padded": "pad PadV2",
    "windows": "sliding_window_view",
    "pooled": "reduce_window reduceat AvgPool MaxPool max_pool average_pool"
    " max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d",
    "total": "sum reduce_sum Sum add count_nonzero +",
    "average": "mean reduce_mean Mean divide RealDiv /",
    "product": "multiply *",
    "rest": "subtract negative -",
    "largest": "max amax reduce_max maximum",
    "smallest": "min amin reduce_min minimum",
    "chosen": "where cond take_along_axis",
    "joined": "concat concatenate cat stack",
    "filled": "ones_like zeros_like full_like ones",
    "turned": "transpose permute",
    "grouped": "reshape view unflatten squeeze expand_dims",
    "places": "arange iota broadcasted_iota cumsum range",
    "is_so": "isnan is_nan is_finite greater less equal not_equal logical_and logical_or > < >= <= == != & |",
    "detached": "stop_gradient detach",
    "converted": "cast astype to asarray array convert_to_tensor constant",
    "part": "slice slice_in_dim strided_slice narrow",
    "size": "shape // %",
}
_NOUNS = {word: noun for noun, words in _WORDS.items() for word in words.split()}


def name_of(value: Value, text: str, number: int, taken: set[str]) -> str:
    """What the lowering calls the value, or what its line makes; with the line's number where another has the name."""
    name = value.name or _NOUNS.get(_outermost(text), "value")
    return f"{name}_{number}" if name in taken else name


def _outermost(text: str) -> str:
    """The last word that is called in a line, or the operator of a sum or comparison."""
    if text.endswith("]"):
        return "shape" if "shape" in text else "slice"
    depth, operator, i = 0, "", len(text)
    for i in reversed(range(len(text))):
        depth += (text[i] == ")") - (text[i] == "(")
        if depth == 0:
            break
        if depth == 1 and text[i] == " " and text[i - 1] in "+-*/%<>=!&|":
            operator = text[:i].rsplit(" ", 1)[-1]
    return operator if i == 0 else text[:i].rpartition(".")[2]
