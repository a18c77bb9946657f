"""Several pools of one input, added or put side by side: mixed pooling (Lee, Gallagher, Tu, 2016) and its kin."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from poolkit.adapter import Route
from poolkit.arguments import as_shape
from poolkit.errors import InputError, ShapeError
from poolkit.facts import KINDS
from poolkit.geometry import letters_of, output_shape, positions
from poolkit.messages import quoted, shown, wrong
from poolkit.plan import FLOATS, Plan, plan_of, work_dtype
from poolkit.signatures import explained_class
from poolkit.spec import PoolSpec
from poolkit.text import VERSION, fields_of_dict
from poolkit.values import is_many, number, plain

if TYPE_CHECKING:
    from poolkit.adapter import Ops

Tensor = Any
Widen = Callable[[str], str | None]

HOWS = ("add", "cat")


@explained_class
@dataclasses.dataclass(frozen=True, repr=False)
class Mix:
    """Two or more pools of one input: their weighted sum (``how="add"``), or side by side along channels (``"cat"``).

    All parts have one layout and drop the same axes, and give one size on every axis. `coefficients` are numbers, one a
    part, of an "add"; without them every part has the same share. Raises `SpecError` where the parts do not fit
    together, and, once an input is there, `ShapeError` where their outputs differ in size.

    >>> import numpy as np
    >>> from poolkit import GlobalAvgPool, GlobalMaxPool
    >>> parts = [pool(layout="NCL", keepdims=False) for pool in (GlobalAvgPool, GlobalMaxPool)]
    >>> Mix(parts, how="add", coefficients=(0.5, 0.5))(np.array([[[1.0, 2.0, 6.0]]]))
    array([[4.5]])
    >>> Mix(parts, how="cat")(np.array([[[1.0, 2.0, 6.0]]]))
    array([[3., 6.]])
    """

    parts: Sequence[PoolSpec]
    _: dataclasses.KW_ONLY
    how: str
    coefficients: Sequence[float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _parts(self.parts))
        how: object = plain(self.how)
        object.__setattr__(self, "how", how)
        if not isinstance(how, str) or how not in HOWS:
            raise wrong(
                f"how={shown(self.how)}", f"pools are mixed by {' or '.join(map(quoted, HOWS))}", "give one of them"
            )
        if self.how == "cat" and "C" not in self.letters and self.axes is not None:
            raise wrong(f"layout={quoted(self.layout)}", '"cat" puts parts side by side along C', "name the channels C")
        object.__setattr__(self, "coefficients", _coefficients(plain(self.coefficients), self.how, len(self.parts)))

    def __repr__(self) -> str:
        shares = f", coefficients={self.coefficients}" if self.coefficients is not None else ""
        return f'Mix(({", ".join(map(repr, self.parts))}), how="{self.how}"{shares})'

    def __str__(self) -> str:
        if self.coefficients is None:
            return f"cat({', '.join(map(str, self.parts))})"
        return " + ".join(f"{c} * ({part})" for c, part in zip(self.coefficients, self.parts, strict=True))

    def __call__(self, x: Tensor) -> Tensor:
        from poolkit.dispatch import pool

        return pool(x, self)

    # What all parts share, under the names that a PoolSpec has for it.

    @property
    def layout(self) -> str:
        return self.parts[0].layout

    @property
    def letters(self) -> str:
        return self.parts[0].letters

    @property
    def axes(self) -> str | None:
        return self.parts[0].axes

    @property
    def keepdims(self) -> bool:
        return self.parts[0].keepdims

    @property
    def indices(self) -> bool:
        return False

    @property
    def selects(self) -> bool:
        """Whether every number of the result is one of the input."""
        return self.how == "cat" and all(KINDS[part.kind].selects for part in self.parts)

    def replace(self, **changes: Any) -> Self:
        """The mix with other values; those of a PoolSpec are changed in every part.

        >>> from poolkit import AvgPool, MaxPool
        >>> Mix((AvgPool(2, layout="NCL"), MaxPool(2, layout="NCL")), how="cat").replace(layout="NLC").layout
        'NLC'
        """
        own = {name: changes.pop(name) for name in ("parts", "how", "coefficients") if name in changes}
        parts = tuple(part.replace(**changes) for part in _parts(own.pop("parts", self.parts)))
        kept: dict[str, Any] = {"how": self.how, "coefficients": self.coefficients}
        return type(self)(parts, **(kept | own))

    def output_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the result for an input of this shape; None where it depends on a size that is None."""
        return self.shape_from(as_shape(shape, unknown=True))

    def shape_from(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The same without a look at the shape; sizes may be a tracer's."""
        shapes = [output_shape(part, shape) for part in self.parts]
        sizes = [{n for n in several if n is not None} for several in zip(*shapes, strict=True)]
        if any(len(several) > 1 for several in sizes):
            raise ShapeError(
                f"received an input of shape {shape}, on which the parts of {self} give "
                f"{' and '.join(map(str, shapes))}; they are mixed cell by cell, so give them windows that fit"
            )
        out = list(shapes[0])
        if self.how == "cat":
            at = self.channels(len(shape))
            at -= 0 if self.keepdims else sum(pooled < at for pooled in positions(self, len(shape)))
            out[at] = None if out[at] is None else out[at] * len(self.parts)  # type: ignore[operator]
        return tuple(out)

    def channels(self, rank: int) -> int:
        """The position of the channels in an input of this rank."""
        letters = letters_of(self, rank)
        return rank - len(letters) + letters.index("C")

    def layer(self, backend: str, **options: Any) -> Any:
        """A layer of a framework, as `PoolSpec.layer` gives one."""
        from poolkit.layers import layer

        return layer(self, backend, **options)

    def explain(self, shape: Sequence[int]) -> str:
        """What each part pools, one after the other."""
        return "\n\n".join([f"{self}", *(part.explain(shape) for part in self.parts)])

    def to_dict(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `spec_from_dict` reads it back."""
        shares = {} if self.coefficients is None else {"coefficients": list(self.coefficients)}
        return {"version": VERSION, "how": self.how, **shares, "parts": [part.to_dict() for part in self.parts]}


def as_spec(spec: object, takes: str) -> PoolSpec | Mix:
    """What was given as the spec; `InputError` where it is none. `takes` is a clause about who takes one."""
    if isinstance(spec, PoolSpec | Mix):
        return spec
    raise InputError(
        f"received {shown(spec)} as the spec, and {takes} in this order; "
        'a spec is made as in PoolSpec("max", window=2, layout="NCHW")'
    )


def spec_from_dict(data: Any) -> PoolSpec | Mix:
    """What `PoolSpec.to_dict` or `Mix.to_dict` described."""
    if not isinstance(data, Mapping) or "parts" not in data:
        return PoolSpec.from_dict(data)
    parts, others = data["parts"], {name: value for name, value in data.items() if name != "parts"}
    fields = fields_of_dict(others, ("how", "coefficients"))
    return Mix([PoolSpec.from_dict(part) for part in parts] if is_many(parts) else parts, **fields)


def _parts(parts: object) -> tuple[PoolSpec, ...]:
    given: tuple[Any, ...] = tuple(parts) if is_many(parts) else ()
    several = tuple(part for part in given if isinstance(part, PoolSpec))
    if len(several) < max(2, len(given)):
        raise wrong(shown(parts), "a mix has two PoolSpecs or more", 'write it as in Mix((a, b), how="add")')
    first = several[0]
    for part in several[1:]:
        for name in ("layout", "axes", "keepdims"):
            if getattr(part, name) != getattr(first, name):
                received = f"parts with {name}={shown(getattr(first, name))} and {name}={shown(getattr(part, name))}"
                raise wrong(received, f"all parts of a mix have one {name}", f"give them the same {name}")
    if any(part.indices for part in several):
        raise wrong("a part with indices=True", "a mix of elements has no position", "leave indices out")
    return several


def _coefficients(given: object, how: str, count: int) -> tuple[float, ...] | None:
    if how == "cat":
        if given is not None:
            raise wrong(f"coefficients={shown(given)}", '"cat" weights nothing', "leave them out")
        return None
    if given is None:
        return (1 / count,) * count
    numbers = [number(value) for value in given] if is_many(given) else []
    values = tuple(value for value in numbers if value is not None and math.isfinite(value))
    if len(numbers) != count or len(values) != count:
        raise wrong(
            f"coefficients={shown(given)}",
            f"a mix of {count} parts has {count} finite numbers",
            "give one for each part",
        )
    return values


# ---------------------------------------------------------------------------------------------------------- lowering


@dataclasses.dataclass(frozen=True)
class MixPlan:
    """A mix together with what an input settles: a plan for each part, all in the dtype in which they are mixed."""

    spec: Mix
    parts: tuple[Plan, ...]
    rank: int
    dtype: str
    work: str

    untouched = False

    @property
    def known(self) -> bool:
        return all(part.known for part in self.parts)

    @property
    def result(self) -> str:
        return result_dtype(self.spec, self.dtype)


AnyPlan = Plan | MixPlan


def work_of(spec: PoolSpec | Mix, dtype: str, widen: Widen) -> str:
    """The dtype in which a spec is computed; parts that are added are float32 until their sum is rounded, once."""
    if isinstance(spec, PoolSpec):
        return work_dtype(spec, dtype, widen)
    works = [work_dtype(part, dtype, widen) for part in spec.parts]
    if spec.selects:
        return works[0]
    return dtype if dtype in ("float32", "float64") else "float32"


def result_dtype(spec: PoolSpec | Mix, dtype: str) -> str:
    """A float keeps its dtype, so does a selection; arithmetic on integers gives float32."""
    selects = spec.selects if isinstance(spec, Mix) else KINDS[spec.kind].selects
    return dtype if dtype in FLOATS or selects else "float32"


def resolve(
    spec: PoolSpec | Mix, rank: int, dtype: str, size: Callable[[int], tuple[Any, bool]], widen: Widen
) -> AnyPlan:
    """The plan of a spec or of a mix on an input."""
    if isinstance(spec, PoolSpec):
        return plan_of(spec, rank, dtype, size, widen)
    work = work_of(spec, dtype, widen)
    parts = tuple([plan_of(part, rank, work, size, widen) for part in spec.parts])
    if all(part.known for part in parts):
        spec.shape_from([size(at)[0] if size(at)[1] else None for at in range(rank)])  # a ShapeError where they differ
    return MixPlan(spec, parts, rank, dtype, work)


def mixed(plan: MixPlan, routes: Sequence[Route]) -> Route:
    """The parts by a route each, and what mixes them, as one route."""

    def lower(o: Ops, x: Tensor, plan: Any) -> tuple[Tensor, None]:
        return _mix(o, plan, [route.lower(o, x, part)[0] for route, part in zip(routes, plan.parts, strict=True)]), None

    name = " + ".join(route.name for route in routes)
    return Route(name, (), lower, lambda plan, site: True, lambda plan: 0.0)


def _mix(o: Ops, plan: MixPlan, values: list[Tensor]) -> Tensor:
    if plan.spec.coefficients is None:
        return o.concat(values, plan.spec.channels(plan.rank))
    weighted = [v if c == 1 else o.multiply(v, c) for c, v in zip(plan.spec.coefficients, values, strict=True)]
    total = weighted[0]
    for other in weighted[1:]:
        total = o.add(total, other)
    return total
