"""What every mode does with a result: it is what the definition says, or the refusal that the case names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import poolkit as pk
from poolkit.programs.program import Program
from poolkit_conformance.case import Case
from poolkit_conformance.compare import Mismatch, same_derivative, same_indices, same_values, where
from poolkit_conformance.definitions import definition
from poolkit_conformance.expect import expected, expected_gradient, further, given, slanted
from poolkit_conformance.harness import Function, Harness, Tensor
from poolkit_conformance.windows import layout_of, pooled_axes


def check(h: Harness, case: Case, mode: str, result: Any, label: str = "") -> None:
    """A result (values, or values and indices) against what is expected."""
    answer = expected(case)
    said = where(case, mode + label, h.backend)
    maps = len(case.spec.poolings()) if case.spec.several and not case.spec.indices else 0  # in a tuple
    parts: Any = result if case.spec.several else (result,)
    if not isinstance(parts, tuple) or len(parts) != (maps or 1 + case.spec.indices):
        raise Mismatch(
            f"{said}\n  expected {'a tuple' if case.spec.several else 'a tensor'}, got {type(result).__name__}"
        )
    for t in parts:
        if not h.owns(t):
            raise Mismatch(
                f"{said}\n  expected a tensor of {h.backend}, got {type(t).__module__}.{type(t).__qualname__}"
            )
    found = [h.to_numpy(t) for t in parts]
    values = definition(case.spec).joined(case.spec, found, len(case.shape)) if maps else found[0]
    same_values(said, "values", case.spec, values, answer)
    if case.spec.indices:
        same_indices(said, h.to_numpy(parts[1]), answer, h.index_dtype(case))


def arguments(h: Harness, case: Case) -> tuple[Tensor, ...]:
    """The input and the further tensors of a case, as the backend's own."""
    return tuple(h.from_numpy(t) for t in (given(case), *further(case).values()))


def described(case: Case) -> dict[str, tuple[str, str]]:
    """The further tensors of a case, as `pk.lower` and `pk.routes` take them; weights they know by themselves."""
    held = case.spec.parameters
    return {name: (_letters(case, name, t.ndim), t.dtype.name) for name, t in further(case).items() if name not in held}


def _letters(case: Case, name: str, axes: int) -> str:
    rank = len(case.shape)
    letters = layout_of(case.spec, rank)
    if name == "key":
        return ""
    if name == "samples" and not case.spec.keepdims:
        gone = pooled_axes(case.spec, rank)
        letters = "".join(c for at, c in enumerate(letters, rank - len(letters)) if at not in gone)
    layout = layout_of(case.spec, rank)
    lines = name == "samples" and None in case.spec.lengths.values()  # of all batches, and of leading axes
    axes -= 0 if lines or name in case.spec.learned else rank - len(layout)
    spec = case.spec if case.spec.axes is not None else case.spec.changed(lambda part: part.replace(layout=layout))
    return next(form for form in spec.axes_of(name, letters) if len(form) == axes)


def program_of(h: Harness, case: Case, route: str | None = None) -> Program:
    """What `pk.lower` gives for the shape of a case."""
    return pk.lower(case.spec, h.backend, case.shape, dtype=case.dtype, route=route, tensors=described(case))


def routes_of(h: Harness, case: Case) -> list[str]:
    """The routes that are right for every tensor of the shape."""
    listed = pk.routes(case.spec, h.backend, case.shape, dtype=case.dtype, tensors=described(case))
    return [route.name for route in listed]


def named(case: Case, more: Sequence[Tensor]) -> dict[str, Tensor]:
    """Tensors besides the input, by name."""
    return dict(zip((name for name, _ in case.tensors), more, strict=True))


def pooling(h: Harness, case: Case) -> Function:
    """Pooling as a function of the case's tensors, the input first."""
    return lambda x, *more: h.pool(x, case.spec, **named(case, more))


def values_of(h: Harness, case: Case) -> Function:
    """The same to one tensor, as derivatives need it."""
    return values_alone(pooling(h, case), case)


def values_alone(run: Function, case: Case) -> Function:
    return (lambda *tensors: run(*tensors)[0]) if case.spec.indices else run


def sides(h: Harness, case: Case, run: Function) -> Iterator[tuple[str, Function, Tensor, tuple[Tensor, ...]]]:
    """For each tensor with a gradient its name, a function of it and of the others, and all of these."""
    tensors = arguments(h, case)
    names = ["x", *(name for name, _ in case.tensors)]
    for by in slanted(case):
        at = names.index(by)

        def moved(t: Tensor, *others: Tensor, at: int = at) -> Tensor:
            return run(*others[:at], t, *others[at:])

        yield by, moved, tensors[at], (*tensors[:at], *tensors[at + 1 :])


def refuses(h: Harness, case: Case, mode: str, attempt: Callable[[], Any]) -> None:
    """The error that the case names, and no other."""
    said = where(case, mode, h.backend)
    try:
        result = attempt()
    except getattr(pk, str(case.error)):
        return
    except Exception as error:
        raise Mismatch(f"{said}\n  expected {case.error}, got {type(error).__name__}: {error}") from error
    raise Mismatch(f"{said}\n  expected {case.error}, got {type(result).__name__}")


def check_gradient(h: Harness, case: Case, run: Function, mode: str) -> None:
    """The gradients of a function of the case's tensors."""
    for by, function, t, others in sides(h, case, run):
        g, derivative = expected_gradient(case, by)
        found = h.to_numpy(h.vjp(function, t, h.from_numpy(g), *others))
        said = where(case, f"{mode} by {by}" if case.tensors else mode, h.backend)
        same_derivative(said, "gradient", case.spec, found, derivative, h.to_numpy(t).dtype.name)
