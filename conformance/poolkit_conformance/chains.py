"""What a chain is: each part by its own definition, of what the one before it gives; with `keep` all of that."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit_conformance import oracle
from poolkit_conformance.case import numpy_dtype
from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import FLOATS, NONE, Array, Tensors
from poolkit_conformance.tolerances import SELECTIONS
from poolkit_conformance.windows import NoAnswerError, channel_axis


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """The magnitude is that of the last part, and what the last part makes of those before."""
    steps = _steps(spec, x, tensors)
    sizes: list[Array] = [np.zeros(x.shape)]
    for part, _, of, found in steps:
        sizes.append(found.magnitude + _handed_on(part, of, sizes[-1]))
    last = steps[-1][3]
    if spec.keep is None:
        return Answer(last.values, sizes[-1], last.lowest, last.highest, last.dtype)
    made = [x, *(found.values for *_, found in steps)]
    if len({values.shape for values in made}) > 1:
        raise NoAnswerError("results of different sizes")
    exact = all(part.kind in SELECTIONS for part in spec.parts)
    dtype = x.dtype.name if exact or x.dtype.name in FLOATS else "float32"
    values = _joined(spec, [v.astype(np.float64) if dtype in FLOATS else v for v in made])
    return Answer(values, _joined(spec, sizes), np.zeros(values.shape), np.zeros(values.shape), dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """From the last part to the first, the gradient of each is the cotangent of the one before."""
    steps, own = _steps(spec, x, tensors), _shares(spec, x, cotangent)
    g = Derivative(own[-1], np.abs(own[-1]), np.ones(own[-1].shape, bool))
    for i, (part, more, of, _) in reversed(list(enumerate(steps))):
        g = _through(part, of, g, more, by if i == 0 else "x")
        if by == "x" or i > 0:
            g = Derivative(g.values + own[i], g.magnitude + np.abs(own[i]), g.defined)
    return g


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """From the first part to the last."""
    along = Derivative(tangent.astype(np.float64), np.abs(tangent), np.ones(tangent.shape, bool))
    made = [along if by == "x" else Derivative(np.zeros(x.shape), np.zeros(x.shape), np.ones(x.shape, bool))]
    for i, (part, more, of, _) in enumerate(_steps(spec, x, tensors)):
        which = by if i == 0 else "x"
        moved = oracle.jvp(part, of, along.values, more, which)
        size = oracle.jvp(part, of, along.magnitude, more, which).magnitude
        lost = oracle.jvp(part, of, (~along.defined).astype(float), more, which).magnitude
        along = Derivative(moved.values, size, moved.defined & (lost == 0))
        made.append(along)
    if spec.keep is None:
        return along
    return Derivative(*[_joined(spec, [getattr(d, name) for d in made]) for name in ("values", "magnitude", "defined")])


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How the gradient changes along a tangent: by the slopes of each part, and by what it is given."""
    steps, own = _steps(spec, x, tensors), _shares(spec, x, cotangent)
    moves = [tangent.astype(np.float64)]
    for i, (part, more, of, _) in enumerate(steps[:-1]):
        moves.append(oracle.jvp(part, of, moves[-1], more, by if i == 0 else "x").values)
    g = Derivative(own[-1], np.abs(own[-1]), np.ones(own[-1].shape, bool))
    change = Derivative(np.zeros(g.values.shape), np.zeros(g.values.shape), g.defined)
    for i, (part, more, of, _) in reversed(list(enumerate(steps))):
        which = by if i == 0 else "x"
        bent = oracle.second(part, of, g.values, moves[i], more, which)
        size = oracle.second(part, of, g.magnitude, np.abs(moves[i]), more, which).magnitude
        change = _through(part, of, change, more, which)
        change = Derivative(change.values + bent.values, change.magnitude + size, change.defined & bent.defined)
        g = _through(part, of, g, more, which)
        if which == "x":
            g = Derivative(g.values + own[i], g.magnitude + np.abs(own[i]), g.defined)
    return change


def _steps(spec: Any, x: Array, tensors: Tensors) -> list[tuple[Any, Tensors, Array, Answer]]:
    """Each part, the tensors that it is given, what it pools, and what that gives."""
    made: list[tuple[Any, Tensors, Array, Answer]] = []
    of, more = x, tensors
    for part in spec.parts:
        found = oracle.answer(part, of, more)
        made.append((part, more, of, found))
        of, more = found.values.astype(numpy_dtype(found.dtype)), NONE
    return made


def _handed_on(part: Any, of: Array, size: Array) -> Array:
    """How far a part's result may be off where what it pools is off by so much."""
    if part.kind in SELECTIONS:  # whichever cell is chosen
        return np.asarray(oracle.answer(part.replace(kind="max", options=()), size).values)
    return oracle.jvp(part, of, size).magnitude


def _through(part: Any, of: Array, g: Derivative, more: Tensors, by: str) -> Derivative:
    found = oracle.vjp(part, of, g.values, more, by)
    size = oracle.vjp(part, of, g.magnitude, more, by).magnitude
    lost = oracle.vjp(part, of, (~g.defined).astype(float), more, by).magnitude
    return Derivative(found.values, size, found.defined & (lost == 0))


def _shares(spec: Any, x: Array, cotangent: Array) -> list[Array]:
    """What of the cotangent belongs to the input, and to the result of each part."""
    g = cotangent.astype(np.float64)
    if spec.keep is not None:
        return np.split(g, len(spec.parts) + 1, channel_axis(spec, x.ndim))
    return [np.zeros(())] * len(spec.parts) + [g]


def _joined(spec: Any, parts: list[Array]) -> Array:
    return np.concatenate(parts, channel_axis(spec, parts[0].ndim))
