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
MORE = 7  # cells of a longer axis, which has more windows of any stride up to it


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
        others = symbols(case)[1:] if len(shapes) > 1 else []
        return [(None,) * len(shapes[0]), *(tuple([n if isinstance(n, int) else None for n in t]) for t in others)]
    if not how.endswith(ANY_BATCH):
        return list(shapes)
    pairs = zip(shapes, _shapes(_more(case)), strict=True)
    return [tuple([n if n == m else None for n, m in zip(a, b, strict=True)]) for a, b in pairs]


def symbols(case: Case) -> list[tuple[int | str, ...]]:
    """The sizes of all tensors: a number that stays, or the name of one that may change.

    That is the input's along an axis (n1), the result's counted from the end (out1), or one of a tensor's own (own1).
    What changes is seen on the same input with one axis that is longer, where that has an answer.
    """
    found: list[list[int | str]] = [list(shape) for shape in _shapes(case)]
    for at, n in enumerate(case.shape):
        longer = _of_size(case, at, n + MORE) if n > 0 else None
        if longer is None:
            continue
        for names, *both in zip(found, _shapes(case), _shapes(longer), strict=True):
            for i, pair in enumerate(zip(*both, strict=True)):
                if pair[0] != pair[1]:
                    names[i] = f"n{at}" if pair == (n, n + MORE) else _out(case, longer, pair, len(names) - i)
    return [tuple(names) for names in found]


def _out(case: Case, longer: Case, pair: tuple[int, int], i: int) -> str:
    """The name of a size that is not the input's."""
    shapes = (expected(case).values.shape, expected(longer).values.shape)
    return f"out{i}" if pair == tuple([dict(enumerate(reversed(shape), 1)).get(i) for shape in shapes]) else f"own{i}"


def least(case: Case, at: int, few: int) -> int:
    """How many cells there are to be at least along an axis of the input, if few will do."""
    n = case.shape[at]
    return few if few < n and _of_size(case, at, few) is not None else n


def _of_size(case: Case, at: int, n: int) -> Case | None:
    """The case with a size of `n` along an axis, if there is an answer; weights are those of some channels."""
    other = dataclasses.replace(case, shape=(*case.shape[:at], n, *case.shape[at + 1 :]))
    if not isinstance(case.data, str):  # numbers by hand, in whose place others may stand, but not beside more of them
        if case.tensors:
            return None
        other = dataclasses.replace(other, data="normal", values=None, indices=None, gradient=None)
    try:
        expected(other)
    except (oracle.NoAnswerError, ValueError):
        return None
    return other


def has_batch(case: Case) -> bool:
    """Whether there are maps of any number of which each is pooled alone; one or none is a constant to PyTorch."""
    first = case.spec.layout[:1] == "N" and len(case.spec.layout) == len(case.shape) and case.shape[0] > 1
    return first and isinstance(case.data, str) and 0 not in pooled_axes(case.spec, len(case.shape))


def _more(case: Case) -> Case:
    """The same of more maps at once."""
    return dataclasses.replace(case, shape=(case.shape[0] + 2, *case.shape[1:]))


def _shapes(case: Case) -> list[tuple[int, ...]]:
    return [t.shape for t in (given(case), *further(case).values())]
