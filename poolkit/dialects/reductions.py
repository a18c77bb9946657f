"""Words that several frameworks share for a mean, a sum or an extreme over positions of axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from poolkit.dialects.calls import Call, Name, call
from poolkit.dialects.dialect import Fields, NotPooling, need_value
from poolkit.errors import NotExactError
from poolkit.spec.values import is_many

if TYPE_CHECKING:
    from poolkit.spec.pool_spec import PoolSpec


def reduce(kind: str, axis: Any = None, keepdims: Any = False) -> Fields:
    """The fields of a reduction over positions; which of them are spatial axes, the reader of the call decides.

    >>> reduce("avg", [1, 2], True)["axis"]
    (1, 2)
    """
    need_value("keepdims", keepdims)
    if axis is None:
        raise NotPooling("a mean or maximum over every axis, batch and channels too, is no pooling; leave it as it is")
    at = (axis,) if isinstance(axis, int) else axis
    return {"kind": kind, "axis": tuple(at) if is_many(at) else at, "keepdims": bool(keepdims)}


def _extreme(
    kind: str, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = None
) -> Fields:
    _check_plain(out=out, initial=initial, where=where)
    return reduce(kind, axis, keepdims)


def _mean(axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = None) -> Fields:
    _check_plain(dtype=dtype, out=out, where=where)
    return reduce("avg", axis, keepdims)


def _sum(
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: Any = True,
) -> Fields:
    _check_plain(dtype=dtype, out=out, initial=initial, where=where)
    return reduce("sum", axis, keepdims)


SAYS = {
    "dtype": "dtype changes the type of the result, which a spec does not; cast before the call",
    "out": "out names a tensor to write into, and pooling gives a new one; leave it out",
    "initial": "initial takes part in the result, which a spec has no word for; leave it out",
    "where": "where leaves cells out, which a spec has no word for; leave it out",
}


def _check_plain(**given: Any) -> None:
    """`NotExactError` for an argument that a spec has no word for."""
    for name, value in given.items():
        if value is not None:
            raise NotExactError(SAYS[name])


# The parameters that NumPy, and after it JAX, give their reductions; without the tensor.
NUMPY_WORDS: Mapping[str, Callable[..., Fields]] = {
    "mean": _mean,
    "sum": _sum,
    "max": partial(_extreme, "max"),
    "amax": partial(_extreme, "max"),
    "min": partial(_extreme, "min"),
    "amin": partial(_extreme, "min"),
}


# Its functions that take axes, by the place of these.
NUMPY_AXES: Mapping[int, str] = {
    1: "concatenate stack expand_dims mean sum std var amax amin max min argmax argmin median average nanmean nansum "
    "nanmax nanmin ptp prod cumsum cumprod all any count_nonzero flip squeeze sort argsort",
    2: "split array_split roll rot90 repeat take take_along_axis quantile percentile diff append norm delete",
    3: "insert",
}


def reduction(spec: PoolSpec, name: str, axis: str = "axis") -> Call:
    """The partial of a function that reduces the whole axes of a spec; `axis` is its word for them.

    >>> from poolkit import GlobalAvgPool
    >>> str(reduction(GlobalAvgPool(layout="NHWC", keepdims=False), "numpy.mean"))
    'functools.partial(numpy.mean, axis=(1, 2))'
    """
    letters, sizes = spec.letters, cast("tuple[int | None, ...]", spec.output_size)
    back = len(letters) if spec.layout.startswith("...") else 0
    at = tuple(letters.index(letter) - back for n, letter in enumerate(spec.axes or "") if sizes[n] == 1)
    options = {"keepdims": True} if spec.keepdims else {}
    return call("functools.partial", Name(name), **{axis: at[0] if len(at) == 1 else at}, **options)
