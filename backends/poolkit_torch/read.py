"""PyTorch's words for pooling, and timm's: modules, functions and methods. Imports neither."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.calls import Call, Name, known
from poolkit.dialect import Dialect, Fields, Word, words
from poolkit.errors import NotExactError
from poolkit_torch.caveats import CAVEATS
from poolkit_torch.native import LAYOUTS, native
from poolkit_torch.read_timm import TIMM, timm_call

NN, FUNCTIONAL = "torch.nn", "torch.nn.functional"

# ------------------------------------------------------------------------------------------ windows and adaptive bins


def _max(
    n: int,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    return_indices: Any = False,
    ceil_mode: Any = False,
) -> Fields:
    return {
        "kind": "max",
        "window": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "indices": return_indices,
        "ceil_mode": ceil_mode,
        "layout": LAYOUTS[n],
    }


def _max_function(
    n: int,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    return_indices: Any = False,
) -> Fields:
    return _max(n, kernel_size, stride, padding, dilation, return_indices, ceil_mode)


def _avg(
    n: int,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
    divisor_override: Any = None,
) -> Fields:
    nothing = padding in (0, (0,) * n, [0] * n) or divisor_override is not None
    return {
        "kind": "avg",
        "window": kernel_size,
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil_mode,
        "count_include_pad": False if nothing else count_include_pad,
        "divisor_override": divisor_override,
        "layout": LAYOUTS[n],
    }


def _adaptive(n: int, kind: str, output_size: Any, return_indices: Any = False) -> Fields:
    sizes = (None,) * n if output_size is None else output_size
    return {"kind": kind, "output_size": sizes, "indices": return_indices, "layout": LAYOUTS[n]}


def _adaptive_avg(n: int, output_size: Any) -> Fields:
    return _adaptive(n, "avg", output_size)


def _adaptive_max(n: int, output_size: Any, return_indices: Any = False) -> Fields:
    return _adaptive(n, "max", output_size, return_indices)


def _pools(n: int) -> list[Word]:
    """The modules and functions for n spatial axes."""
    layers = {"MaxPool": _max, "AvgPool": _avg, "AdaptiveAvgPool": _adaptive_avg, "AdaptiveMaxPool": _adaptive_max}
    functions = {
        "max_pool": _max_function,
        "avg_pool": _avg,
        "adaptive_avg_pool": _adaptive_avg,
        "adaptive_max_pool": _adaptive_max,
    }
    return [Word(f"{NN}.{name}{n}d", partial(fields, n)) for name, fields in layers.items()] + [
        Word(f"{FUNCTIONAL}.{name}{n}d", partial(fields, n), "input") for name, fields in functions.items()
    ]


# ------------------------------------------------------------------------------------------------------- reductions


def _reduce(kind: str, dim: Any = None, keepdim: Any = False, *, axis: Any = None, keepdims: Any = None) -> Fields:
    given = dim if axis is None else axis
    if given is None:
        raise NotExactError("a mean or maximum over every axis, batch and channels too, is no pooling; leave it as it is")
    at = (given,) if isinstance(given, int) else given
    return {"kind": kind, "axis": at, "keepdims": keepdim if keepdims is None else keepdims}


def _mean(dim: Any = None, keepdim: Any = False, *, dtype: Any = None, axis: Any = None, keepdims: Any = None) -> Fields:
    if dtype is not None:
        raise NotExactError("dtype changes the type of the result, which a spec does not; cast before the mean")
    return _reduce("avg", dim, keepdim, axis=axis, keepdims=keepdims)


REDUCTIONS = {
    "mean": _mean,
    "amax": partial(_reduce, "max"),
    "amin": partial(_reduce, "min"),
    "sum": partial(_reduce, "sum"),
}


# ------------------------------------------------------------------------------------------------ short sequentials


def _sequential(*layers: Any) -> Any:
    """A global pool and Flatten, which drops the axes of size 1."""
    from poolkit.reading import fields_of

    pools = [layer for layer in layers if isinstance(layer, Call) and layer.name not in PASSING]
    rest = layers[1:]
    if len(pools) != 1 or pools[0] is not layers[0] or any(layer.name != f"{NN}.Flatten" for layer in rest):
        raise NotExactError(
            "this Sequential is more than a pooling layer and Flatten(); read the pooling layers inside it one by one"
        )
    fields = fields_of(pools[0])
    if not rest:
        return fields
    if len(rest) > 1 or rest[0].args not in ((), (1,)) or rest[0].kwargs not in ((), (("start_dim", 1),)):
        raise NotExactError("only Flatten() and Flatten(1) leave batch and channels as they are; read the pool alone")
    return flattened(fields)


def flattened(fields: Any) -> Any:
    """The fields with the pooled axes dropped."""
    sizes = fields.get("output_size")
    if not known(sizes) or sizes not in (1, (1,), (1, 1), (1, 1, 1), [1], [1, 1], [1, 1, 1]):
        raise NotExactError(
            "Flatten() after bins that are not one a channel makes a vector of them, which no spec does; "
            "read the pooling layer, and keep the Flatten"
        )
    return {**fields, "keepdims": False}


PASSING = (f"{NN}.Flatten",)

# --------------------------------------------------------------------------------------------------- layers in hand

ATTRIBUTES = {
    "MaxPool": ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"),
    "AvgPool": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "AdaptiveAvgPool": ("output_size",),
    "AdaptiveMaxPool": ("output_size", "return_indices"),
    "Flatten": ("start_dim", "end_dim"),
}


def call_of(obj: Any) -> Call | None:
    """A module as the call that makes it, by the class's own name, so that a subclass that pools otherwise isn't read."""
    cls = type(obj)
    root = cls.__module__.split(".")[0]
    if root == "timm":
        return timm_call(obj)
    if cls.__module__ == "torch.nn.modules.container" and cls.__name__ == "Sequential":
        return Call(f"{NN}.Sequential", tuple(call_of(child) or Name(type(child).__name__) for child in obj))
    if not cls.__module__.startswith("torch.nn.modules"):
        return None
    names = ATTRIBUTES.get(cls.__name__[:-2], ATTRIBUTES.get(cls.__name__))
    if names is None:
        return None
    values = {name: getattr(obj, name) for name in names if hasattr(obj, name)}
    if cls.__name__ == "Flatten":
        return Call(f"{NN}.Flatten") if values == {"start_dim": 1, "end_dim": -1} else Call(f"{NN}.Flatten", (values,))
    return Call(f"{NN}.{cls.__name__}", (), tuple(values.items()))


def canonical(name: str) -> str:
    name = name.replace("torch.nn.modules.pooling.", f"{NN}.")
    short = name.removeprefix("torch.")
    if f"{FUNCTIONAL}.{short}" in WORDS:  # torch.max_pool2d is the function below its Python face
        return f"{FUNCTIONAL}.{short}"
    if name.startswith("timm."):
        return f"timm.layers.{name.rsplit('.', 1)[1]}"
    return name


WORDS = words(
    *(word for n in (1, 2, 3) for word in _pools(n)),
    *(Word(f"torch.{name}", fields, "input") for name, fields in REDUCTIONS.items()),
    *(Word(f"torch.Tensor.{name}", fields, "self") for name, fields in REDUCTIONS.items()),
    Word(f"{NN}.Sequential", _sequential),
    *TIMM,
)

DIALECT = Dialect(
    name="torch",
    roots=("torch", "timm"),
    words=WORDS,
    layouts=LAYOUTS,
    canonical=canonical,
    call_of=call_of,
    native=native,
    caveats=CAVEATS,
    shorts={"nn": NN, "F": FUNCTIONAL},
)
