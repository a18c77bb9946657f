"""`roi`: pool the cells under boxes; and the level of a pyramid that each box belongs to."""

from __future__ import annotations

import functools
from typing import Any

from poolkit.errors import ShapeError, SpecError
from poolkit.running import registry
from poolkit.running.dispatch import pool
from poolkit.running.further import facts_of
from poolkit.spec.messages import shown, wrong
from poolkit.spec.roi import RoiSpec
from poolkit.spec.signatures import explained
from poolkit.spec.values import number

Tensor = Any


@explained
def roi(x: Tensor, boxes: Tensor, spec: RoiSpec) -> Tensor:
    """Pool the cells under each box: RoI align or RoI pool, on a tensor of any framework.

    `boxes` has a row for each, ``[batch number, x1, y1, x2, y2]``, in the coordinates of the image, which
    ``spec.spatial_scale`` takes to the map. The result has the layout of `x`, with the boxes in the place of the batch.
    A batch number that is no map is an `InputError`, and in a compiled program gives zeros. Boxes have no gradient.

    >>> import numpy as np
    >>> x, boxes = np.arange(16.0).reshape(1, 1, 4, 4), np.array([[0.0, 1.0, 1.0, 3.0, 2.0]])
    >>> roi(x, boxes, RoiSpec("max", output_size=2, layout="NCHW"))
    array([[[[ 6.,  7.],
             [10., 11.]]]])
    """
    if not isinstance(spec, RoiSpec):
        raise wrong(
            shown(spec), "regions are pooled by a RoiSpec", 'write RoiSpec("align", output_size=7, layout="NCHW")'
        )
    return pool(x, spec, boxes=boxes)


@explained
def roi_levels(boxes: Tensor, lowest: int, highest: int, size: float = 224.0, level: int = 4) -> Tensor:
    """The level of a feature pyramid that each box is pooled from, as int32: larger boxes from coarser levels.

    ``floor(level + log2(sqrt(area) / size + 1e-6))`` between `lowest` and `highest`, as in FPN (arXiv 1612.03144,
    equation 1): a box of 224x224 is of level 4, one with a NaN of the lowest. `boxes` are those of `roi`, in the
    coordinates of the image.

    >>> import numpy as np
    >>> roi_levels(np.array([[0, 0, 0, 112, 112], [0, 0, 0, 224, 224], [0, 0, 0, 900, 900]]), 2, 5)
    array([3, 4, 5], dtype=int32)
    """
    if not (all(type(n) is int for n in (lowest, highest, level)) and lowest <= highest):
        raise _no_levels(f"lowest={shown(lowest)}, highest={shown(highest)}, level={shown(level)}")
    side = number(size)
    if side is None or not side > 0 or not -64 < lowest - level <= highest - level < 64:
        raise _no_levels(f"size={shown(size)}, level={shown(level)}")
    adapter = registry.find(boxes)
    adapter.check(boxes)
    boxes, rank = adapter.rank(boxes, 2)
    columns = adapter.known_size(boxes, 1) if rank == 2 else 0
    if columns not in (5, None):
        raise ShapeError(
            f"received boxes of rank {rank} with {columns} columns, and a box is a row of 5 "
            "numbers, [batch number, x1, y1, x2, y2]; give them in the shape (K, 5)"
        )
    facts_of(adapter, "boxes", boxes, 2)
    o = adapter.ops(2, "float32")
    boxes = o.detach(o.cast(boxes, "float32"))
    x1, y1, x2, y2 = (o.slice(boxes, 1, at, at + 1, 1) for at in range(1, 5))
    area = o.multiply(o.subtract(x2, x1), o.subtract(y2, y1))
    # By comparing areas, which are exact where logarithms of frameworks differ.
    sides = [side * (2.0 ** (n - level) - 1e-6) for n in range(lowest + 1, highest + 1)]
    limits = [a * a for a in sides]  # infinite where ** would raise
    above = [o.cast(o.either(o.greater(area, limit), o.equal(area, limit)), "int32") for limit in limits]
    none = o.cast(o.greater(area, area), "int32")  # 0, as an infinite or NaN area times 0 is not
    return o.of_rank(1).add(o.reshape(functools.reduce(o.add, above, none), (-1,)), int(lowest))


def _no_levels(received: str) -> SpecError:
    return wrong(
        received, "levels are ints, lowest first, of which `level` has boxes of `size`", "give those of the pyramid"
    )
