"""What the own layers of a framework cannot do, as rows of a table, and the one function that reads such a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import not_equal
from poolkit.errors import NotExactError
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

CHANNELS_FIRST = {1: "NCL", 2: "NCHW", 3: "NCDHW"}
CHANNELS_LAST = {1: "NLC", 2: "NHWC", 3: "NDHWC"}

Concerns = Callable[[PoolSpec], bool]
Near = Callable[[PoolSpec], PoolSpec]


@dataclass(frozen=True)
class Limit:
    """Something that the own layers of a framework cannot do: which specs that concerns, and what is said of them.

    `near` gives a spec whose layer comes nearest, the same one where the layer just leaves out what it cannot do;
    without it nothing comes near.
    """

    concerns: Concerns
    text: str  # of the `spec`, its `n` spatial axes, and the `usual` layout of so many
    near: Near | None = None


def differing(concerns: Concerns, text: str) -> Limit:
    """A limit of a layer that there is: it gives other numbers."""
    return Limit(concerns, text, lambda spec: spec)


def without(**changes: Any) -> Near:
    return lambda spec: spec.replace(**changes)


def written(
    spec: PoolSpec,
    limits: Sequence[Limit],
    write: Callable[[PoolSpec], Call | None],
    native: Callable[[PoolSpec], Call],
    layouts: Mapping[int, str],
) -> Call:
    """What `write` gives for a spec; `not_equal` by the first limit that concerns it, with `native` of what is near."""
    for limit in limits:
        if limit.concerns(spec):
            near = spec if limit.near is None else limit.near(spec)
            nearest = None if limit.near is None else write(spec) if near is spec else _nearest(near, native)
            n = len(spec.spatial or "")
            raise not_equal(limit.text.format(spec=spec, n=n, usual=layouts.get(n)), nearest)
    made = write(spec)
    assert made is not None, "a limit concerns every spec that nothing is written for"
    return made


def _nearest(spec: PoolSpec, native: Callable[[PoolSpec], Call]) -> Call | None:
    try:
        return native(spec)
    except NotExactError as error:
        nearest: Call | None = error.nearest
        return nearest


# ------------------------------------------------------------------------------------- what several frameworks share

indexed, ceiled = attrgetter("indices"), attrgetter("ceil_mode")


def kinds(owner: str, *names: str) -> Limit:
    return Limit(lambda spec: spec.kind not in names, f"{owner} no {{spec.kind}} pooling")


def axes(named: str, pools: str) -> tuple[Limit, Limit]:
    """Layers of one to three axes, which their names tell."""
    unnamed = f"layout={{spec.layout}} does not say how many spatial axes there are, and {named} them"
    several = f"{pools} one to three spatial axes, and {{spec.layout}} has {{n}}"
    return Limit(unplaced, unnamed), Limit(lambda spec: not 1 <= len(spec.spatial or "") <= 3, several)


def whole(owner: str) -> tuple[Limit, ...]:
    """Reductions over whole axes."""
    return (
        Limit(unplaced, "layout={spec.layout} does not say at which positions the spatial axes are"),
        Limit(lambda spec: any(size not in (1, None) for size in bins(spec)), f"{owner} has no adaptive pooling"),
        Limit(lambda spec: 1 not in bins(spec), "it leaves every axis as it is, and a reduction has one at least"),
        Limit(indexed, f"{owner}'s reductions over several axes return no indices"),
        Limit(divided, f"{owner}'s means divide by the count of cells"),
    )


def unplaced(spec: PoolSpec) -> bool:
    return spec.axes is None


def partly(spec: PoolSpec) -> bool:
    return spec.axes != spec.spatial


def divided(spec: PoolSpec) -> bool:
    return spec.divisor_override is not None


def counted(spec: PoolSpec) -> bool:
    return divided(spec) or spec.count_include_pad


def dilated(spec: PoolSpec) -> bool:
    return not is_all(spec.dilation, 1)


def selecting(spec: PoolSpec) -> bool:
    return spec.kind in ("max", "min")


def bins(spec: PoolSpec) -> tuple[int | None, ...]:
    sizes: Any = spec.output_size
    return tuple(sizes)


def padded(spec: PoolSpec) -> list[tuple[int, int, int, int]]:
    """Low padding, high padding, window and dilation along each axis, where the padding is written out."""
    padding: Any = spec.padding
    window: Any = spec.window
    dilation: Any = spec.dilation
    pairs = [] if isinstance(padding, str) else zip(padding, window, dilation, strict=True)
    return [(low, high, k, d) for (low, high), k, d in pairs]


def named(spec: PoolSpec) -> bool:
    """Whether the padding is "valid" or "same", if need be because the stride is 1."""
    around = [(low, high) == ((k - 1) // 2, k // 2) for low, high, k, _ in padded(spec)]
    return spec.padding in ("valid", "same") or (is_all(spec.stride, 1) and bool(around) and all(around))


def roles(spec: PoolSpec) -> str:
    """The letters of a layout with a dot for each spatial axis."""
    return "".join(c if c in "NC" else "." for c in spec.letters)


def short(values: Any) -> Any:
    """One number for equal ones."""
    return values[0] if isinstance(values[0], int) and is_all(values, values[0]) else values
