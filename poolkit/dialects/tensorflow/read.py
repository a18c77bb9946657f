"""TensorFlow's words for pooling: tf.nn, of every age, and its reductions. Imports no TensorFlow."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.dialect import SEVERAL, Dialect, Fields, Word, need_value, words
from poolkit.dialects.reductions import reduce
from poolkit.dialects.tensorflow.caveats import CAVEATS
from poolkit.dialects.tensorflow.further import FURTHER, NN, OLD, others
from poolkit.dialects.tensorflow.layers import CONTRIB, LAYERS, SLIM
from poolkit.dialects.tensorflow.native import LAYOUTS, native
from poolkit.dialects.tensorflow.usage import USAGE
from poolkit.dialects.tensorflow.windows import PADDINGS, USUAL, per_axis, placed_format
from poolkit.errors import NotExactError


def _window(
    kind: str,
    n: int | None,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any = None,
    name: Any = None,
    value: Any = None,  # the tensor, which TensorFlow 1 calls value or input
    input: Any = None,
) -> Fields:
    need_value("padding", padding, str, *SEVERAL)
    explicit = None if isinstance(padding, str) else len(padding) - 2
    count, layout = placed_format(n or explicit, data_format, ksize, strides)
    if explicit is not None and (kind != "max" or (count or 0) > 2):
        raise NotExactError(
            f"padding={padding} is refused by TensorFlow, which takes numbers for 1-d and 2-d maxima alone"
        )
    fields = {"window": ksize, "stride": 1 if strides is None else strides}
    given = {what: per_axis(what, sizes, count, layout) for what, sizes in fields.items()}
    return {"kind": kind, **given, "padding": _padding(padding, layout), "layout": layout}


def _padding(padding: Any, layout: str) -> Any:
    """One of the words, or a (low, high) for each position, of which those of batch and channels are zeros."""
    if isinstance(padding, str):
        return PADDINGS.get(padding.upper(), padding)
    if len(padding) != len(layout):
        raise NotExactError(f"padding={padding} has no (low, high) for each axis of {layout}; write one for each")
    pairs = [tuple(pair) for pair in padding]
    if any(pair != (0, 0) for pair, letter in zip(pairs, layout, strict=True) if letter in "NC"):
        raise NotExactError(f"padding={padding} pads batch or channels, which a spec does not; pad before pooling")
    return tuple(pair for pair, letter in zip(pairs, layout, strict=True) if letter not in "NC")


# The arguments of tf.nn.pool after the first two, now and in TensorFlow 1.
POOL = ("strides", "padding", "data_format", "dilations", "name")
OLD_POOL = ("padding", "dilation_rate", "strides", "name", "data_format", "dilations")


def _pool(window_shape: Any, pooling_type: Any, *rest: Any, **named: Any) -> Fields:
    """In either order, which the place of the padding tells."""
    old = bool(rest) and isinstance(rest[0], str)
    given = dict(zip(OLD_POOL if old else POOL, rest, strict=False)) | named
    if not given.keys() <= {*POOL, *OLD_POOL}:
        raise NotExactError(f"tf.nn.pool takes {', '.join(POOL)} or dilation_rate, and this call has more; mend it")
    need_value("pooling_type", pooling_type, str)
    kinds = {"MAX": "max", "AVG": "avg"}
    if pooling_type not in kinds:
        raise NotExactError(f'pooling_type={pooling_type!r} is none of tf.nn.pool\'s; write "MAX" or "AVG"')
    need_value("window_shape", window_shape, *SEVERAL)
    if len(window_shape) not in USUAL:
        raise NotExactError(
            f"window_shape={window_shape} has {len(window_shape)} sizes, and tf.nn.pool takes one for each of one to "
            "three spatial axes; leave out those of batch and channels"
        )
    ones = (1,) * len(window_shape)
    for what in ("strides", "dilations", "dilation_rate"):
        if given.get(what) is not None:
            need_value(what, given[what], *SEVERAL)
    strides, rate = given.get("strides") or ones, given.get("dilations") or given.get("dilation_rate") or ones
    padding, data_format = given.get("padding") or "VALID", given.get("data_format")
    fields = _window(kinds[pooling_type], len(ones), window_shape, strides, padding, data_format)
    return {**fields, "dilation": per_axis("dilations", rate, len(ones), fields["layout"])}


def _reduce(
    kind: str,
    axis: Any = None,
    keepdims: Any = None,
    name: Any = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Fields:
    """With the names of TensorFlow 1 for the axes and for keeping them."""
    kept = keep_dims if keepdims is None else keepdims
    return reduce(kind, reduction_indices if axis is None else axis, False if kept is None else kept)


def _windows(kind: str, name: str) -> list[Word]:
    """The functions of one kind; those of TensorFlow 1 without a number pool two axes."""
    numbers: list[tuple[str, int | None]] = [("", None), *((f"{n}d", n) for n in (1, 2, 3))]
    old = ("value",)
    return [Word(f"{NN}.{name}{suffix}", partial(_window, kind, n), "input", old=old) for suffix, n in numbers] + [
        Word(f"{OLD}.{name}{suffix}", partial(_window, kind, n or 2), "value") for suffix, n in numbers
    ]


WORDS = words(
    *_windows("max", "max_pool"),
    *_windows("avg", "avg_pool"),
    Word(f"{NN}.pool", _pool, "input", old=("dilation_rate",)),
    Word(f"{OLD}.pool", _pool, "input"),
    *(
        Word(
            f"tensorflow.reduce_{name}", partial(_reduce, kind), "input_tensor", old=("reduction_indices", "keep_dims")
        )
        for name, kind in (("mean", "avg"), ("max", "max"), ("min", "min"), ("sum", "sum"))
    ),
    *LAYERS,
    *FURTHER,
)


def canonical(name: str) -> str:
    """The public name: of ``tf.math.reduce_mean``, of ``tf.compat.v1…``, of what the modules below call it."""
    *modules, last = name.removeprefix("tensorflow.").split(".")
    if last in SLIM and not {"contrib", "tf_slim", "slim"}.isdisjoint(modules):
        return f"{CONTRIB}.{last}"
    if last.startswith("reduce_"):
        return f"tensorflow.{last.removesuffix('_v1')}"
    if "layers" in modules:
        return f"tensorflow.layers.{last}"
    if not {"image", "image_ops_impl"}.isdisjoint(modules):
        return f"tensorflow.image.{last.removesuffix('_v2').removesuffix('_v1')}"
    inner = "nn_ops" in modules  # where names without _v2 that the two versions share are those of TensorFlow 1
    old = "v1" in modules or last.endswith("_v1") or (inner and last in ("max_pool", "avg_pool", "pool"))
    if "nn" in modules or inner:
        return f"{OLD if old and not last.endswith('_v2') else NN}.{last.removesuffix('_v2').removesuffix('_v1')}"
    return name


DIALECT = Dialect(
    name="tensorflow",
    roots=("tensorflow", "tf_slim"),
    words=WORDS,
    layouts=LAYOUTS,
    canonical=canonical,
    native=native,
    caveats=CAVEATS,
    usage=USAGE,
    others=others,
)
