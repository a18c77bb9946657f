"""Sizes that are not told to what compiles or exports a case, and the inputs on which that is run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from poolkit_conformance import oracle
from poolkit_conformance.case import Case
from poolkit_conformance.expect import expected, further, given
from poolkit_conformance.harness import Sized
from poolkit_conformance.windows import pooled_axes

ANY_SIZE = " any"  # at the end of a way out for which no size is known
ANY_BATCH = " batch"  # likewise, where only that of the batch is not


def larger(case: Case) -> Iterator[Case]:
    """The case, and the same on a larger input that its windows fit."""
    yield case
    if not isinstance(case.data, str) or 0 in case.shape:
        return
    pooled = pooled_axes(case.spec, len(case.shape))
    grown = dataclasses.replace(case, shape=tuple(n + 3 if at in pooled else n for at, n in enumerate(case.shape)))
    try:
        expected(grown)
    except oracle.NoAnswerError:
        return
    yield grown


def runs(case: Case, how: str) -> Iterator[Case]:
    """The case, and the same of other sizes where these are not told."""
    if how.endswith(ANY_SIZE):
        yield from larger(case)
        return
    yield case
    if how.endswith(ANY_BATCH):
        yield _more(case)


def way(how: str) -> str:
    """How something is sent out, whatever sizes are told."""
    return how.removesuffix(ANY_SIZE).removesuffix(ANY_BATCH)


def told(case: Case, how: str) -> list[Sized]:
    """The sizes of all tensors, with None for those that an exporter is not to rely on."""
    shapes = _shapes(case)
    if how.endswith(ANY_SIZE):
        return [(None,) * len(shape) for shape in shapes]
    if not how.endswith(ANY_BATCH):
        return list(shapes)
    pairs = zip(shapes, _shapes(_more(case)), strict=True)
    return [tuple([n if n == m else None for n, m in zip(a, b, strict=True)]) for a, b in pairs]


def has_batch(case: Case) -> bool:
    """Whether there are maps of any number of which each is pooled alone; one or none is a constant to PyTorch."""
    first = case.spec.layout[:1] == "N" and len(case.spec.layout) == len(case.shape) and case.shape[0] > 1
    return first and isinstance(case.data, str) and 0 not in pooled_axes(case.spec, len(case.shape))


def _more(case: Case) -> Case:
    """The same of more maps at once."""
    return dataclasses.replace(case, shape=(case.shape[0] + 2, *case.shape[1:]))


def _shapes(case: Case) -> list[tuple[int, ...]]:
    return [t.shape for t in (given(case), *further(case).values())]
