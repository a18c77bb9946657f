"""PyTorch's words for pooling, and timm's: modules, functions and methods. Imports neither."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from poolkit.dialects.calls import Call, known
from poolkit.dialects.dialect import WITHOUT_NAN, Dialect, Fields, NotPooling, Word, need_value, no_spec, words
from poolkit.dialects.reductions import reduce
from poolkit.dialects.torch.antialiased import ANTIALIASED
from poolkit.dialects.torch.caveats import CAVEATS
from poolkit.dialects.torch.fractional import FRACTIONAL, with_indices
from poolkit.dialects.torch.geometric import GEOMETRIC
from poolkit.dialects.torch.kornia import KORNIA
from poolkit.dialects.torch.layers import NN, OUTSIDE, call_of
from poolkit.dialects.torch.native import LAYOUTS, native
from poolkit.dialects.torch.others import others
from poolkit.dialects.torch.regions import REGIONS
from poolkit.dialects.torch.resizing import RESIZING
from poolkit.dialects.torch.timm import TIMM
from poolkit.dialects.torch.unpooling import UNPOOLING
from poolkit.dialects.torch.usage import USAGE
from poolkit.dialects.torch.windows import each, flag, padding_of, stride_of
from poolkit.errors import NotExactError
from poolkit.spec.chain import Chain
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_all

if TYPE_CHECKING:
    from poolkit.spec.pool_spec import PoolSpec

FUNCTIONAL = "torch.nn.functional"

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
        "window": each(n, kernel_size),
        "stride": stride_of(n, stride),
        "padding": padding_of(n, padding),
        "dilation": each(n, dilation),
        "indices": flag(return_indices),
        "ceil_mode": flag(ceil_mode),
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
    padding = padding_of(n, padding)
    nothing = is_all(padding, 0) or divisor_override is not None
    return {
        "kind": "avg",
        "window": each(n, kernel_size),
        "stride": stride_of(n, stride),
        "padding": padding,
        "ceil_mode": flag(ceil_mode),
        "count_include_pad": False if nothing else flag(count_include_pad),
        "divisor_override": divisor_override,
        "layout": LAYOUTS[n],
    }


def _avg_1d(
    kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: Any = False, count_include_pad: Any = True
) -> Fields:
    return _avg(1, kernel_size, stride, padding, ceil_mode, count_include_pad)


def _lp(n: int, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False) -> Fields:
    need_value("norm_type", norm_type, int, float)
    if norm_type != math.inf and (norm_type <= 0 or norm_type % 2 != 0):
        raise NotExactError(
            f"torch adds up x**{norm_type} with the signs of x, or gives NaN below 0, and a norm adds up magnitudes; "
            f'where no cell is below 0, write PoolSpec("lp", p={norm_type}, ...)'
        )
    if ceil_mode and norm_type != math.inf:
        raise NotExactError(
            "with ceil_mode torch multiplies the norm of a window that reaches over the end, as if it were whole; "
            "leave ceil_mode out"
        )
    fields = _max(n, kernel_size, stride, ceil_mode=ceil_mode)
    return {**fields, "kind": "lp", "p": norm_type}


def _adaptive(n: int, kind: str, output_size: Any, return_indices: Any = False) -> Fields:
    sizes = (None,) * n if output_size is None else output_size
    return {"kind": kind, "output_size": sizes, "indices": return_indices, "layout": LAYOUTS[n]}


def _adaptive_avg(n: int, output_size: Any) -> Fields:
    return _adaptive(n, "avg", output_size)


def _adaptive_max(n: int, output_size: Any, return_indices: Any = False) -> Fields:
    return _adaptive(n, "max", output_size, return_indices)


def _pools(n: int) -> list[Word]:
    """The modules and functions for n spatial axes."""
    average = _avg_1d if n == 1 else partial(_avg, n)
    adaptive_average, adaptive_max = partial(_adaptive_avg, n), partial(_adaptive_max, n)
    layers: dict[str, Callable[..., Fields]] = {
        f"MaxPool{n}d": partial(_max, n),
        f"AvgPool{n}d": average,
        f"LPPool{n}d": partial(_lp, n),
        f"AdaptiveAvgPool{n}d": adaptive_average,
        f"AdaptiveMaxPool{n}d": adaptive_max,
    }
    functions: dict[str, Callable[..., Fields]] = {
        f"max_pool{n}d": partial(_max_function, n),
        f"max_pool{n}d_with_indices": with_indices(partial(_max_function, n)),
        f"avg_pool{n}d": average,
        f"lp_pool{n}d": partial(_lp, n),
        f"adaptive_avg_pool{n}d": adaptive_average,
        f"adaptive_max_pool{n}d": adaptive_max,
        f"adaptive_max_pool{n}d_with_indices": with_indices(adaptive_max),
    }
    return [Word(f"{NN}.{name}", fields) for name, fields in layers.items()] + [
        Word(f"{FUNCTIONAL}.{name}", fields, "input") for name, fields in functions.items()
    ]


# ------------------------------------------------------------------------------------------------------- reductions


def _reduce(kind: str, dim: Any = None, keepdim: Any = False, *, axis: Any = None, keepdims: Any = None) -> Fields:
    return reduce(kind, dim if axis is None else axis, keepdim if keepdims is None else keepdims)


def _mean(
    dim: Any = None, keepdim: Any = False, *, dtype: Any = None, axis: Any = None, keepdims: Any = None
) -> Fields:
    if dtype is not None:
        raise NotExactError("dtype changes the type of the result, which a spec does not; cast before the mean")
    return _reduce("avg", dim, keepdim, axis=axis, keepdims=keepdims)


def _pair(dim: Any = None, keepdim: Any = False) -> Fields:
    if dim is None:
        raise NotPooling("a maximum over every axis, batch and channels too, is no pooling; leave it as it is")
    raise NotExactError("max and min with dim return values and indices of one axis; amax and amin return the values")


def _median(dim: Any = None, keepdim: Any = False) -> Fields:
    if dim is None:
        raise NotPooling("the median over every axis, batch and channels too, is no pooling; leave it as it is")
    raise NotExactError(
        "median with dim returns values and indices of one axis, and the index of any of several equal cells; "
        'PoolSpec("median", output_size=1, …) returns the same values, over several axes too'
    )


REDUCTIONS: dict[str, Callable[..., Fields]] = {
    "max": _pair,
    "min": _pair,
    "median": _median,
    "mean": _mean,
    "amax": partial(_reduce, "max"),
    "amin": partial(_reduce, "min"),
    "sum": partial(_reduce, "sum"),
}


# ------------------------------------------------------------------------------------------------ short sequentials


def _sequential(*layers: Any) -> Any:
    """A global pool and Flatten, which drops the axes of size 1; or pools and then a blur, one after the other."""
    from poolkit.dialects.reading import fields_of, read_call

    names = [layer.name if isinstance(layer, Call) else "" for layer in layers]
    if len(names) > 1 and all(names) and BLUR.search(names[-1]):
        return Chain([cast("PoolSpec", read_call(layer)) for layer in layers])
    if not names or names[0] in ("", FLATTEN) or not {FLATTEN}.issuperset(names[1:]):
        raise NotExactError(
            "this Sequential is not a pooling layer alone or with Flatten(); read the layers inside it one by one"
        )
    pool, *rest = layers
    fields = fields_of(pool)
    if not rest:
        return fields
    if len(rest) > 1 or rest[0].args not in ((), (1,)) or rest[0].kwargs not in ((), (("start_dim", 1),)):
        raise NotExactError("only Flatten() and Flatten(1) leave batch and channels as they are; read the pool alone")
    return flattened(fields)


def flattened(fields: Any) -> Any:
    """The fields, or a mix, with the pooled axes dropped."""
    if isinstance(fields, Operation):
        return fields.replace(keepdims=False) if is_all(fields.poolings()[0].output_size, 1) else flattened({})
    sizes = fields.get("output_size")
    if not known(sizes) or not is_all(sizes, 1):
        raise NotExactError(
            "Flatten() after bins that are not one a channel makes a vector of them, which no spec does; "
            "read the pooling layer, and keep the Flatten"
        )
    return {**fields, "keepdims": False}


FLATTEN = f"{NN}.Flatten"
BLUR = re.compile(r"\.BlurPool(2[dD])?$")  # timm's, kornia's, antialiased_cnns'

# ---------------------------------------------------------------------------------------------------- what is no spec

NEIGHBOURS = {
    **{f"{NN}.Conv{n}d": "is a convolution with learned weights" for n in (1, 2, 3)},
    **dict.fromkeys(("torch.nanmedian", "torch.Tensor.nanmedian"), WITHOUT_NAN),
    f"{NN}.Identity": "pools nothing",
}

# Where functions and classes say that they live.
INNER = (
    ("torch.nn.modules.pooling.", f"{NN}."),
    ("torch.nn.modules.", f"{NN}."),
    ("torch._C._nn.", f"{FUNCTIONAL}."),
    ("torch._VariableFunctionsClass.", "torch."),
    ("torch._C.TensorBase.", "torch.Tensor."),
)


def canonical(name: str) -> str:
    for inner, outer in INNER:
        name = name.replace(inner, outer)
    short = name.removeprefix("torch.")
    if f"{FUNCTIONAL}.{short}" in WORDS:  # torch.max_pool2d is the function below its Python face
        return f"{FUNCTIONAL}.{short}"
    module = OUTSIDE.get(name.split(".")[0])
    return name if module is None or "." not in name else f"{module}.{name.rsplit('.', 1)[1]}"


WORDS = words(
    *(word for n in (1, 2, 3) for word in _pools(n)),
    *(Word(f"torch.{name}", fields, "input") for name, fields in REDUCTIONS.items()),
    *(Word(f"torch.Tensor.{name}", fields, "self") for name, fields in REDUCTIONS.items()),
    Word(f"{NN}.Sequential", _sequential),
    *RESIZING,
    *(no_spec(name, what) for name, what in NEIGHBOURS.items()),
    *(*TIMM, *GEOMETRIC, *KORNIA, *ANTIALIASED, *FRACTIONAL, *UNPOOLING, *REGIONS),
)

DIALECT = Dialect("torch", ("torch", *OUTSIDE), WORDS, LAYOUTS, canonical, call_of, native, CAVEATS, USAGE, others)
