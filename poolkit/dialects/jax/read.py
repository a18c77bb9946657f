"""JAX's words for pooling, and those of the libraries on it: Flax, Haiku and Equinox. Imports none of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import MIDDLE, SEVERAL, Dialect, Fields, Word, need_value, no_spec, words
from poolkit.dialects.jax.caveats import CAVEATS
from poolkit.dialects.jax.equinox import EQUINOX, equinox_call
from poolkit.dialects.jax.flax import FLAX
from poolkit.dialects.jax.folds import kind_of
from poolkit.dialects.jax.haiku import HAIKU, haiku_call
from poolkit.dialects.jax.native import LAYOUTS, native
from poolkit.dialects.jax.usage import USAGE
from poolkit.dialects.places import CHANNELS_LAST
from poolkit.dialects.reductions import NUMPY_WORDS, reduce
from poolkit.errors import NotExactError
from poolkit.spec.operation import Operation


def _reduce_window(
    init_value: Any,
    computation: Any,
    window_dimensions: Any,
    window_strides: Any = None,
    padding: Any = "VALID",
    base_dilation: Any = None,
    window_dilation: Any = None,
) -> Fields:
    need_value("window_dimensions", window_dimensions, *SEVERAL)
    need_value("padding", padding, str, *SEVERAL)
    for name, value in (
        ("window_strides", window_strides),
        ("base_dilation", base_dilation),
        ("window_dilation", window_dilation),
    ):
        if value is not None:
            need_value(name, value, *SEVERAL)
    if base_dilation is not None and any(entry != 1 for entry in base_dilation):
        raise NotExactError("base_dilation puts holes between the cells of the input, which a spec has no word for")
    ones = (1,) * len(window_dimensions)
    if len(ones) not in CHANNELS_LAST:
        raise NotExactError(f"windows over {len(ones)} axes leave open which are batch and channels; write the spec")
    dilation = {} if window_dilation is None else {"dilation": tuple(window_dilation)}
    return {
        "kind": kind_of(computation, init_value),
        "window": tuple(window_dimensions),
        "stride": ones if window_strides is None else tuple(window_strides),
        **dilation,
        "padding": padding.lower() if isinstance(padding, str) else tuple(padding),
        "layouts": CHANNELS_LAST[len(ones)],
    }


def _reduce(init_values: Any, computation: Any, dimensions: Any, out_sharding: Any = None) -> Fields:
    return reduce(kind_of(computation, init_values), dimensions)


def _reduce_axes(kind: str, axes: Any, out_sharding: Any = None) -> Fields:
    return reduce(kind, axes)


def _vmap(fun: Any, in_axes: Any = 0, out_axes: Any = 0) -> Any:
    """A layer for single inputs, over a batch of them."""
    from poolkit.dialects.reading import fields_of

    if not isinstance(fun, Call) or in_axes != 0 or out_axes != 0:
        raise NotExactError("vmap is read over a pooling layer and a leading batch; read the pooling inside it")
    fields = fields_of(fun)
    layout = None if isinstance(fields, Operation) else fields.get("layout")
    if isinstance(fields, Operation) or layout is None or "N" in layout:
        raise NotExactError(f"vmap over {fun} puts a second batch in front, for which there is no letter")
    return {**fields, "layout": f"N{layout}"}


def call_of(obj: Any) -> Call | None:
    """A module of Equinox or Haiku as the call that makes it."""
    root = type(obj).__module__.split(".")[0]
    return {"equinox": equinox_call, "haiku": haiku_call}.get(root, lambda obj: None)(obj)


def canonical(name: str) -> str:
    """The public name of what a module below may hold: ``flax.linen.pooling.max_pool``, ``haiku._src.pool.MaxPool``."""
    root, *modules, last = name.split(".") if "." in name else (name, "")
    if root == "flax":
        return f"flax.linen.{last}"
    if root == "haiku":
        return f"haiku.{last}"
    if root == "equinox":
        return "jax.vmap" if last in ("filter_vmap", "vmap") else f"equinox.nn.{last}"
    if last in NUMPY_WORDS and "numpy" in modules:
        return f"jax.numpy.{last}"
    return f"jax.lax.{last}" if last.startswith("reduce") and "lax" in modules else name


WORDS = words(
    *(Word(f"jax.numpy.{name}", fields, "a") for name, fields in NUMPY_WORDS.items()),
    Word("jax.lax.reduce_window", _reduce_window, "operand"),
    Word("jax.lax.reduce", _reduce, "operands"),
    *(Word(f"jax.lax.reduce_{kind}", partial(_reduce_axes, kind), "operand") for kind in ("max", "min", "sum")),
    no_spec("jax.numpy.median", MIDDLE),
    Word("jax.vmap", _vmap),
    *FLAX,
    *HAIKU,
    *EQUINOX,
)

DIALECT = Dialect(
    "jax", ("jax", "jaxlib", "flax", "haiku", "equinox"), WORDS, LAYOUTS, canonical, call_of, native, CAVEATS, USAGE
)
