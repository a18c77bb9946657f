"""The modes: ways to come to a result, each a function of a harness and a case that raises where it is wrong."""

from __future__ import annotations

import builtins
import dataclasses
import importlib
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import poolkit as pk
from poolkit_conformance.case import Case, Fixed, cotangent, tangent
from poolkit_conformance.checks import (
    arguments,
    check,
    check_gradient,
    described,
    named,
    pooling,
    program_of,
    refuses,
    routes_of,
    sides,
    values_of,
)
from poolkit_conformance.compare import (
    Mismatch,
    same_bits,
    same_derivative,
    where,
)
from poolkit_conformance.definitions import definition
from poolkit_conformance.expect import expected, further, given, quietly
from poolkit_conformance.harness import Harness, Tensor
from poolkit_conformance.routes import route_gradients, routes, routes_inside
from poolkit_conformance.sizes import ANY_BATCH, ANY_SIZE, has_batch, larger, runs, told, way
from poolkit_conformance.windows import has_one

LARGE = 50_000  # cells beyond which a case runs only where precision may differ

Mode = Callable[..., None]


# --------------------------------------------------------------------------------------------------------- values


def eager(h: Harness, case: Case) -> None:
    """`pk.pool` on a tensor."""
    if case.error is not None:
        refuses(h, case, "eager", lambda: pooling(h, case)(*arguments(h, case)))
        return
    check(h, case, "eager", pooling(h, case)(*arguments(h, case)))


def direct(h: Harness, case: Case) -> None:
    """The lowering run on the tensor itself; route by route, its bits are those of the recorded program."""
    x, *more = arguments(h, case)
    tensors = named(case, more)
    check(h, case, "direct", pk.pool_direct(x, case.spec, **tensors))
    if not h.same_bits:
        return
    for route in routes_of(h, case):
        try:
            run = pk.pool_direct(x, case.spec, route=route, **tensors)
        except pk.BackendError:  # a tensor may exclude a route that its shape allows; never the fold
            assert route != "fold"
            continue
        recorded = program_of(h, case, route)(x, *more)
        pairs = zip(run, recorded, strict=True) if case.spec.several else ((run, recorded),)
        for i, (a, b) in enumerate(pairs):
            said = where(case, f"direct, route {route}", h.backend)
            same_bits(said, f"tensor {i} of the result against the recorded one", h.to_numpy(a), h.to_numpy(b))


def layer(h: Harness, case: Case) -> None:
    """The spec as a layer of the framework."""
    x, *more = arguments(h, case)
    check(h, case, "layer", case.spec.layer(h.backend)(x, **named(case, more)))


def noncontiguous(h: Harness, case: Case) -> None:
    """Views: transposed, strided, reversed."""
    views = [h.views(given(case)), *(itertools.cycle(h.views(t)) for t in further(case).values())]
    for number, several in enumerate(zip(*views, strict=False)):
        check(h, case, "noncontiguous", pooling(h, case)(*several), f", view {number}")


def untouched(h: Harness, case: Case) -> None:
    """Read-only tensors, which are afterwards what they were, and a result with memory of its own."""
    before = (given(case), *further(case).values())
    tensors = [h.read_only(t.copy()) for t in before]
    result = pooling(h, case)(*tensors)
    check(h, case, "untouched", result)
    said = where(case, "untouched", h.backend)
    for t, numbers in zip(tensors, before, strict=True):
        same_bits(said, "tensor after the call", h.to_numpy(t), numbers)
        for part in result if case.spec.several else (result,):
            if h.shares_memory(t, part):
                raise Mismatch(f"{said}\n  the result shares memory with what was given")


def vmap(h: Harness, case: Case) -> None:
    """Two inputs at once, the second of which is the first turned round."""
    before = (given(case), *further(case).values())
    turned = [np.ascontiguousarray(np.flip(t)).reshape(t.shape) for t in before]
    both = h.vmap(pooling(h, case))(*(h.from_numpy(np.stack(pair)) for pair in zip(before, turned, strict=True)))
    tensors = tuple((name, Fixed(t)) for name, t in zip(further(case), turned[1:], strict=True))
    cases = (case, dataclasses.replace(case, data=Fixed(turned[0]), values=None, indices=None, tensors=tensors))
    for i, each in enumerate(cases):
        result = tuple(part[i] for part in both) if case.spec.several else both[i]
        check(h, each, "vmap", result, f", input {i}")


def compiled(h: Harness, case: Case, how: str) -> None:
    """Inside the framework's compiler."""
    run = h.compiled(pooling(h, case), how)
    check(h, case, f"compiled by {how}", run(*arguments(h, case)))


def dynamic(h: Harness, case: Case) -> None:
    """Compiled or exported without sizes, then run on two."""
    run = h.dynamic(pooling(h, case), *arguments(h, case), case=case)
    for each in larger(case):
        check(h, each, "dynamic", run(*arguments(h, each)), f" on {list(each.shape)}")


def exported(h: Harness, case: Case, how: str) -> None:
    """Sent out of the framework and read again by what runs it there, for the sizes that are told."""
    run = h.exported(pooling(h, case), way(how), told(case, how), *arguments(h, case))
    for each in runs(case, how):
        check(h, each, f"exported as {how}", run(*arguments(h, each)), f" on {list(each.shape)}")


# ------------------------------------------------------------------------------------------------------- programs


def standalone(h: Harness, case: Case) -> None:
    """The source that `pk.lower` prints for a shape, run where there is no poolkit."""
    source = program_of(h, case).source
    check(h, case, "standalone", _without_poolkit(source)(*arguments(h, case)))


def standalone_any_size(h: Harness, case: Case) -> None:
    """The source that is right for every size, on two."""
    program = pk.lower(case.spec, h.backend, dtype=case.dtype, tensors=described(case))
    run = _without_poolkit(program.source)
    for each in larger(case):
        check(h, each, "standalone without a shape", run(*arguments(h, each)), f" on {list(each.shape)}")


def _without_poolkit(source: str) -> Callable[..., Any]:
    def guarded(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0].startswith("poolkit"):
            raise Mismatch(f"the source imports {name}:\n{source}")
        return importlib.__import__(name, *args, **kwargs)

    namespace: dict[str, Any] = {"__builtins__": vars(builtins) | {"__import__": guarded}, "__name__": "standalone"}
    exec(compile(source, "<standalone>", "exec"), namespace)
    return namespace["pool"]  # type: ignore[no-any-return]


# ---------------------------------------------------------------------------------------------------- derivatives


def gradient(h: Harness, case: Case) -> None:
    """Reverse mode."""
    check_gradient(h, case, values_of(h, case), "gradient")


def compiled_gradient(h: Harness, case: Case, how: str) -> None:
    """Reverse mode through the framework's compiler."""
    check_gradient(h, case, h.compiled(values_of(h, case), how), f"gradient compiled by {how}")


def dynamic_gradient(h: Harness, case: Case) -> None:
    """Reverse mode through what was compiled without sizes."""
    run = h.dynamic(values_of(h, case), *arguments(h, case), case=case)
    check_gradient(h, case, run, "gradient without sizes")


def second_gradient(h: Harness, case: Case) -> None:
    """The gradient of <gradient, tangent>: by the input, and by the cotangent, which is the tangent pooled."""
    x, spec, more = given(case), case.spec, further(case)
    answer = expected(case)
    g = cotangent(case, answer.values.shape, answer.dtype)
    for by, function, t, others in sides(h, case, values_of(h, case)):
        u = tangent(case, h.to_numpy(t).shape).astype(h.to_numpy(t).dtype)
        by_t, by_g = h.second(_of_one(function, others), t, h.from_numpy(g), h.from_numpy(u))
        said = where(case, "second gradient", h.backend)
        curvature = quietly(definition(spec).second, spec, x, g, u, more, by)
        same_derivative(said, f"derivative by {by}", spec, h.to_numpy(by_t), curvature, h.to_numpy(t).dtype.name)
        along = quietly(definition(spec).jvp, spec, x, u, more, by)
        same_derivative(said, f"derivative by the cotangent of {by}", spec, h.to_numpy(by_g), along, case.dtype)


def forward(h: Harness, case: Case) -> None:
    """Forward mode."""
    for by, function, t, others in sides(h, case, values_of(h, case)):
        u = tangent(case, h.to_numpy(t).shape).astype(h.to_numpy(t).dtype)
        found = h.to_numpy(h.jvp(_of_one(function, others), t, h.from_numpy(u)))
        along = quietly(definition(case.spec).jvp, case.spec, given(case), u, further(case), by)
        same_derivative(where(case, "forward", h.backend), f"tangent by {by}", case.spec, found, along, case.dtype)


def _of_one(function: Callable[..., Tensor], others: tuple[Tensor, ...]) -> Callable[[Tensor], Tensor]:
    return lambda t: function(t, *others)


# ------------------------------------------------------------------------------------------ which cases fit a mode

VALUES: tuple[Mode, ...] = (
    eager, direct, layer, noncontiguous, untouched, vmap, compiled, dynamic, exported, routes, routes_inside,
    standalone, standalone_any_size
)  # fmt: skip
DERIVATIVES: tuple[Mode, ...] = (
    gradient, compiled_gradient, dynamic_gradient, route_gradients, second_gradient, forward
)  # fmt: skip
MODES: dict[str, Mode] = {mode.__name__: mode for mode in (*VALUES, *DERIVATIVES)}

FOR_LARGE = {"eager", "gradient", "compiled", "compiled_gradient"}
WITHOUT_SHAPE = {"standalone_any_size", "dynamic", "dynamic_gradient"}


def fits(h: Harness, case: Case, mode: str) -> bool:
    """Whether a case means anything in a mode: gradients are of floats, errors are tried once, and so on."""
    name = mode.split(":")[0]
    if not h.takes(mode).issuperset([case.dtype, *(t.dtype.name for t in further(case).values())]):
        return False
    if case.error is not None:
        return name == "eager"
    if name == "layer" and case.spec.parameters:
        return False  # such a layer holds its weights, and takes none
    if math.prod(case.shape) > LARGE and name not in FOR_LARGE:
        return False
    unknown = name in WITHOUT_SHAPE or mode.endswith(ANY_SIZE)
    if unknown and len(case.spec.layout) != len(case.shape):
        return False  # a layout that doesn't tell the rank needs a shape
    if mode.endswith(ANY_BATCH) and not has_batch(case):
        return False
    if mode in h.constants and any(has_one(spec, case.shape) for spec in case.spec.poolings()):
        return False
    drawn = [spec for spec in case.spec.poolings() if spec.kind == "fractional_max"]
    if unknown and any(spec.window is None or spec.output_size is None for spec in drawn):
        return False  # windows, or how many there are, follow from a size
    one = case.spec.indices or not case.spec.several  # derivatives are those of one tensor
    return (case.floating and one) or MODES[name] not in DERIVATIVES


def run(h: Harness, case: Case, mode: str) -> None:
    """One case in one mode; raises what is wrong."""
    name, _, how = mode.partition(":")
    with h.context(case):
        MODES[name](h, case, *([how] if how else []))
