"""How a literal is written: a spec, an input and its result, along one axis or in full."""

from __future__ import annotations

import dataclasses
from typing import Any

from poolkit_conformance.case import Case, Numbers, case

NAN, INF = float("nan"), float("inf")

ONE_TO_5 = (1, 2, 3, 4, 5)
ONE_TO_4 = (1, 2, 3, 4)


def row(name: str, spec: str, x: Numbers, values: Numbers, why: str = "", **more: Any) -> Case:
    """A literal along one spatial axis, with one batch and one channel; `spec` is a text without a layout."""
    more |= {key: ((more[key],),) for key in ("indices", "gradient") if key in more}
    return block(name, f"{spec} layout=NCL", ((x,),), ((values,),), why, **more)


def given(case: Case, **tensors: Numbers) -> Case:
    """The literal with further tensors along its axis."""
    return dataclasses.replace(case, tensors=tuple((name, (numbers,)) for name, numbers in tensors.items()))


def drawn(case: Case, *samples: float) -> Case:
    """The literal with a sample for each number of its result."""
    return dataclasses.replace(case, tensors=(("samples", ((samples,),)),))


def block(name: str, spec: str, x: Numbers, values: Numbers, why: str = "", **more: Any) -> Case:
    """A literal of any layout, its numbers given in full."""
    text = f"{spec} indices={'indices' in more}"
    return case(name, text, _shape(x), x, values=values, why=why, **more)


def _shape(x: Numbers) -> tuple[int, ...]:
    return (len(x), *_shape(x[0])) if isinstance(x, tuple) else ()
