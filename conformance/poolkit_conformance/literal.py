"""How a literal is written: a spec, an input and its result, along one axis or in full."""

from __future__ import annotations

import dataclasses
from typing import Any

from poolkit import PoolSpec
from poolkit_conformance.case import Case, Numbers

NAN, INF = float("nan"), float("inf")

ONE_TO_5 = (1, 2, 3, 4, 5)
ONE_TO_4 = (1, 2, 3, 4)


def row(name: str, kind: str, x: Numbers, values: Numbers, why: str = "", **fields: Any) -> Case:
    """A literal along one spatial axis, with one batch and one channel."""
    hand = {key: ((fields.pop(key),),) if key in fields else None for key in ("indices", "gradient")}
    dtype, few = fields.pop("dtype", "float32"), fields.pop("few", False)
    spec = PoolSpec(kind, layout="NCL", indices=hand["indices"] is not None, **fields)
    return Case(
        name,
        spec,
        (1, 1, len(x)),
        dtype,
        ((x,),),
        few,
        values=((values,),),
        indices=hand["indices"],
        gradient=hand["gradient"],
        why=why,
    )


def given(case: Case, **tensors: Numbers) -> Case:
    """The literal with further tensors along its axis."""
    return dataclasses.replace(case, tensors=tuple((name, (numbers,)) for name, numbers in tensors.items()))


def drawn(case: Case, *samples: float) -> Case:
    """The literal with a sample for each number of its result."""
    return dataclasses.replace(case, tensors=(("samples", ((samples,),)),))


def block(name: str, kind: str, layout: str, x: Numbers, values: Numbers, why: str = "", **fields: Any) -> Case:
    """A literal of any layout, its numbers given in full."""
    hand = {key: fields.pop(key, None) for key in ("indices", "gradient")}
    dtype, few = fields.pop("dtype", "float32"), fields.pop("few", False)
    spec = PoolSpec(kind, layout=layout, indices=hand["indices"] is not None, **fields)
    return Case(
        name, spec, _shape(x), dtype, x, few, values=values, indices=hand["indices"], gradient=hand["gradient"], why=why
    )


def _shape(x: Numbers) -> tuple[int, ...]:
    return (len(x), *_shape(x[0])) if isinstance(x, tuple) else ()
