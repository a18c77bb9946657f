"""`unpool`: put what a pool has chosen back where it stood; and the indices of other frameworks as poolkit's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.running import registry
from poolkit.running.dispatch import pool_made
from poolkit.spec.arguments import as_shape
from poolkit.spec.dtypes import INTEGERS
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.signatures import explained
from poolkit.spec.unpool import LIKE, Unpool
from poolkit.spec.validate import check_layout
from poolkit.spec.values import plain
from poolkit.spec.vocabulary import SYMBOLIC

Tensor = Any

CONVENTIONS = ("onnx", "onnx_column_major", "tensorflow")


@explained
def unpool(
    values: Tensor,
    indices: Tensor,
    spec: PoolSpec,
    output_size: int | Sequence[int] | str | None = None,
    *,
    like: Tensor | None = None,
) -> Tensor:
    """Put the values of a pool back where `indices` says that they stood; everything else is 0.

    `spec` is the pool that gave both, and `output_size` the size of its input along the pooled axes, one int for each.
    "smallest" is the smallest that the spec pools to the values' size, which PyTorch and ONNX take; without it the size
    has to be the only one. ``like=x`` takes the sizes of a tensor, the one that was pooled, which may be unknown while
    a program is made. Where several values go to one place the last of them, in row-major order, is there, and it
    alone has a gradient. An index of -1 puts its value nowhere; others out of range are an `InputError`, and in a
    compiled program their values are dropped.

    >>> import numpy as np
    >>> from poolkit import MaxPool
    >>> spec = MaxPool(2, layout="NCL", indices=True)
    >>> x = np.array([[[1.0, 5.0, 2.0, 4.0, 3.0]]])
    >>> unpool(*spec(x), spec, output_size=x.shape[2:])
    array([[[0., 5., 0., 4., 0.]]])
    >>> unpool(*spec(x), spec, like=x)
    array([[[0., 5., 0., 4., 0.]]])
    """
    if like is not None and output_size is not None:
        raise wrong(
            f"output_size={shown(output_size)} and like",
            "one of the two says what size there was before",
            "leave the other out",
        )
    size, more = (output_size, {}) if like is None else (LIKE, {"like": like})
    sizes = size if isinstance(size, tuple) else (size,)
    fields = ("unpool", spec, isinstance(size, tuple), *sizes)  # of which each has its type in the key
    return pool_made(values, lambda: Unpool(spec, size), fields, indices=indices, **more)


@explained
def indices_from(indices: Tensor, convention: str, shape: Sequence[int | None], layout: str) -> Tensor:
    """The indices of another framework's max pool as poolkit's, row-major over the axes that were pooled.

    `shape` is that of the tensor that was pooled, `layout` its letters; sizes of N are not looked at. "onnx" counts
    through the whole tensor, "onnx_column_major" too but along the first pooled axis first (``storage_order=1``).
    "tensorflow" is ``(y * W + x) * C + c``, with or without ``include_batch_in_index``.

    >>> import numpy as np
    >>> indices_from(np.array([21, 31]), "onnx", (1, 2, 4, 4), "NCHW")
    array([ 5, 15])
    >>> indices_from(np.array([17, 47]), "tensorflow", (1, 4, 4, 3), "NHWC")
    array([ 5, 15])
    """
    adapter = registry.find(indices)
    adapter.check(indices)
    dtype = adapter.dtype(indices)
    if dtype not in INTEGERS or dtype == "bool":
        raise DtypeError(f"received indices of dtype {dtype}, and an index is an integer; cast them to int64")
    convention, layout = plain(convention), plain(layout)
    given: object = convention
    if not isinstance(given, str) or given not in CONVENTIONS:
        raise InputError(
            f"received convention={shown(convention)}, and indices are known as those of "
            f"{', '.join(map(quoted, CONVENTIONS))}; give one of these"
        )
    counted = _counted(shape, layout)
    sizes = [n for c, n in counted.items() if c != "C"]
    channels = counted.get("C", 1) if convention == "tensorflow" else 1
    o, places = adapter.ops(1, "int32"), math.prod(sizes) * channels
    if places >= 2 ** (int(o.index[-2:]) - 1):
        rule = f"indices are {o.index} here, which does not count as many"
        raise ShapeError(f"received the shape {shown(shape)}, of {places} places, and {rule}; give a smaller one")
    if dtype not in ("int32", "int64") or places >= 2 ** (int(dtype[-2:]) - 1):
        indices = o.cast(indices, o.index)
    indices = indices % places // channels
    return indices if convention != "onnx_column_major" else _row_major(indices, sizes)


def _counted(shape: Sequence[int | None], layout: str) -> dict[str, int]:
    """The size of each axis that indices are counted by, which are all but N."""
    sizes = as_shape(shape, unknown=True)
    check_layout(layout)
    if layout in SYMBOLIC or len(layout) != len(sizes):
        raise ShapeError(
            f"received the shape {shown(shape)} with layout={shown(layout)}, and a layout has one letter for each "
            "axis; write both out"
        )
    counted = {c: n for c, n in zip(layout, sizes, strict=True) if c != "N" and n}
    if len(counted) < len(layout.replace("N", "")):
        rule = "indices are counted by the sizes besides that of N, which are at least 1"
        raise ShapeError(f"received the shape {shown(shape)}, and {rule}; give them")
    return counted


def _row_major(indices: Tensor, sizes: Sequence[int]) -> Tensor:
    """Places that count along the first axis first, as places that count along the last first."""
    found, step = 0, 1
    for i, n in enumerate(sizes):
        found = indices // step % n * math.prod(sizes[i + 1 :]) + found
        step *= n
    return found
