"""Poolings with weights: each formula once, in the primitives, with poolings by their own routes."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.fold import pad, tap
from poolkit.lowering.geometry import Axis, letters_of
from poolkit.lowering.kinds.similar import Similar
from poolkit.lowering.kinds.taps import gathered
from poolkit.lowering.operations.activations import gelu, sigmoid, tanh
from poolkit.lowering.plan import Composite, Plan, Run
from poolkit.spec.dtypes import FLOATS
from poolkit.spec.learned import steps
from poolkit.spec.messages import quoted
from poolkit.spec.operation import Further
from poolkit.spec.pool_spec import PoolSpec

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops
    from poolkit.spec.learned import Learned
    from poolkit.spec.operation import Size, Widen

Tensor = Any
EPS = 1e-5  # of instance and layer normalisation


@dataclasses.dataclass(frozen=True)
class LearnedPlan(Composite):
    """`axes` are those of the first pooling, or of a result; `near` those of a convolution that leaves a map's size."""

    spec: Learned
    near: tuple[Axis, ...] = ()

    @property
    def channel(self) -> int:
        return letters_of(self.spec, self.rank).index("C")

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        mask = {name: t for name, t in tensors.items() if name == "mask"}
        of = {f.name: f.dtype for f in self.further}
        weights = {
            name: t if of[name] == self.work else o.of_rank(len(self.spec.parameters[name].shape)).cast(t, self.work)
            for name, t in tensors.items()
            if name != "mask"
        }
        return JOINS[self.spec.formula](self, o, x, runs, weights, mask), None


Weights = Mapping[str, Tensor]
Join = Callable[[LearnedPlan, "Ops", Tensor, Sequence[Run], Weights, Weights], Tensor]


# --------------------------------------------------------------------------------------------------- shares and gates


def _option(plan: LearnedPlan, o: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    return runs[0](x, **weights, **mask)[0]


def _mix(plan: LearnedPlan, o: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    return _shared(o, sigmoid(o, _spread(plan, o, weights["share"], False)), [run(x, **mask)[0] for run in runs])


def _adapool(plan: LearnedPlan, o: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    base = Plan(plan.spec.parts[0], plan.axes, plan.rank, plan.work, plan.work)
    real = _condition(plan, o, mask["mask"]) if mask else None
    similar = Similar(o, base).of_windows(x, real)[0]
    return _shared(o, sigmoid(o, _spread(plan, o, weights["share"], False)), [similar, runs[0](x, **mask)[0]])


def _gate(plan: LearnedPlan, o: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    """Padding and masked cells are 0 to a gate."""
    at, wide = o.rank, o.of_rank(o.rank + 1)
    real = x if not mask else o.where(_condition(plan, o, mask["mask"]), x, 0)
    (cells,) = gathered(o, (real,), plan.axes)
    score = wide.own_sum(wide.multiply(cells, _spread(plan, wide, weights["gate"], True)), (at,))
    return _shared(o, sigmoid(o, wide.drop(score, (at,))), [run(x, **mask)[0] for run in runs])


def _shared(o: Ops, share: Tensor, values: Sequence[Tensor]) -> Tensor:
    first, second = values
    return o.add(o.multiply(first, share), o.multiply(second, o.subtract(1.0, share)))


def _spread(plan: LearnedPlan, o: Ops, t: Tensor, cells: bool) -> Tensor:
    """A weight of shape (C, O, ..., K), any of which may not be there, where these stand in a result."""
    spec = plan.spec
    ats = [*([plan.channel] if spec.channels else []), *([a.at for a in plan.axes] if spec.regions else [])]
    sizes = [*([spec.channels] if spec.channels else []), *(spec.regions or ())]
    order = sorted(range(len(ats)), key=ats.__getitem__)
    if order != list(range(len(ats))):
        t = o.of_rank(len(ats) + cells).permute(t, (*order, *([len(ats)] if cells else [])))
    shape = [1] * plan.rank + ([-1] if cells else [])
    for at, n in zip(ats, sizes, strict=True):
        shape[at] = n
    return o.reshape(t, tuple(shape))


def _condition(plan: LearnedPlan, o: Ops, mask: Tensor) -> Tensor:
    rank, dtype = next((f.rank, f.dtype) for f in plan.further if f.name == "mask")
    mask = mask if dtype == "bool" else o.of_rank(rank).greater(mask, 0)
    return o.expand(mask, plan.channel) if rank < plan.rank else mask


# ---------------------------------------------------------------------------------------------------- weights of cells


def _last(plan: LearnedPlan, o: Ops, x: Tensor) -> Tensor:
    """The channels behind all other axes."""
    order = (*[at for at in range(plan.rank) if at != plan.channel], plan.channel)
    return x if plan.channel == plan.rank - 1 else o.permute(x, order)


def _back(plan: LearnedPlan, o: Ops, x: Tensor) -> Tensor:
    order = [*range(plan.rank - 1)]
    order.insert(plan.channel, plan.rank - 1)
    return x if plan.channel == plan.rank - 1 else o.permute(x, tuple(order))


def _linear(o: Ops, x: Tensor, weights: Weights, name: str) -> Tensor:
    made = o.matmul(x, weights[name])
    return o.add(made, weights[f"{name}_bias"]) if f"{name}_bias" in weights else made


def _lip(plan: LearnedPlan, o: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    """Local importance: convolutions, each instance-normalised, make logits from 0 to 12; a masked cell is 0 there."""
    average, mean, deviation = runs
    real = _condition(plan, o, mask["mask"]) if mask else None
    t, each = _last(plan, o, x), {} if real is None else {"mask": o.drop(real, (plan.channel,))}
    for i, (k, _, _) in enumerate(steps(plan.spec), 1):
        t = t if i == 1 else o.clip(t, 0.0, math.inf)
        t = t if real is None else o.where(_last(plan, o, real), t, 0)
        t = o.matmul(t, weights[f"conv{i}"]) if k == 1 else _convolved(plan, o, t, weights[f"conv{i}"])
        away, spread = o.subtract(t, mean(t, **each)[0]), deviation(t, **each)[0]
        root = o.power(o.add(o.multiply(spread, spread), EPS), 0.5)
        t = o.add(o.multiply(o.divide(away, root), weights[f"scale{i}"]), weights[f"shift{i}"])
    logits = o.multiply(sigmoid(o, t), 12)
    return average(x, log_weight=_back(plan, o, logits), **mask)[0]


def _convolved(plan: LearnedPlan, o: Ops, t: Tensor, weight: Tensor) -> Tensor:
    """With zeros around; of each place of a window one product of matrices, places in row-major order."""
    for a in plan.near:
        t = pad(o, t, a, 0)
    total: Tensor = None
    for i, places in enumerate(itertools.product(range(3), repeat=len(plan.near))):
        cell = t
        for a, place in zip(plan.near, places, strict=True):
            cell = tap(o, cell, a, place)
        part = o.matmul(cell, o.of_rank(3).drop(o.of_rank(3).slice(weight, 0, i, i + 1, 1), (0,)))
        total = part if total is None else o.add(total, part)
    return total


def _attention(plan: LearnedPlan, o: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    cells = x if not mask else o.where(_condition(plan, o, mask["mask"]), x, 0)
    t = _last(plan, o, cells)
    score = tanh(o, _linear(o, t, weights, "score"))
    if "gate" in weights:
        score = o.multiply(score, sigmoid(o, _linear(o, t, weights, "gate")))
    # A Keras model whose inputs have unknown sizes does not know those of weights that are inputs, too.
    head = o.of_rank(2).reshape(weights["head"], plan.spec.parameters["head"].shape)
    logits = o.drop(o.matmul(score, head), (plan.rank - 1,))
    return runs[0](x, log_weight=logits, **mask)[0]


def _latent(plan: LearnedPlan, ops: Ops, x: Tensor, runs: Sequence[Run], weights: Weights, mask: Weights) -> Tensor:
    """Attention of one latent query.

    Scores are linear in the tokens, and shares add up to 1: so keys of a head are one row of numbers that meets the
    tokens, and values are made of the pooled tokens alone.
    """
    o, two, c, heads = ops.of_rank(3), ops.of_rank(2), plan.spec.channels or 1, plan.spec.heads
    condition = _condition(plan, ops, mask["mask"]) if mask else None
    tokens = _tokens(plan, ops, x if condition is None else ops.where(condition, x, 0))  # N, C, L
    at = two.line(tuple([i // (c // heads) for i in range(c)]), 1, "int32", weights["to_query"])
    own = two.cast(two.equal(at, two.line(tuple(range(heads)), 0, "int32", weights["to_query"])), plan.work)
    query = _linear(two, two.reshape(weights["latent"], (1, c)), weights, "to_query")
    query = two.multiply(own, two.multiply(query, (c // heads) ** -0.5))  # of each head, zeros elsewhere
    row = two.matmul(query, two.permute(weights["to_key"], (1, 0)))
    bias = two.matmul(query, two.reshape(weights["to_key_bias"], (c, 1)))
    score = o.add(o.matmul(row, tokens), bias)
    if condition is not None:
        score = o.where(_tokens(plan, ops, condition), score, -math.inf)
    top = o.max(o.detach(score), 2)
    power = o.exp(o.subtract(score, o.where(o.equal(top, -math.inf), 0.0, top)))
    whole = o.own_sum(power, (2,))
    empty = o.equal(whole, 0)
    share = o.divide(power, o.where(empty, 1.0, whole))
    value = _linear(o, o.matmul(share, o.permute(tokens, (0, 2, 1))), weights, "to_value")
    out = _linear(o, o.own_sum(o.multiply(value, own), (1,)), weights, "to_out")
    if "wide" in weights:
        inner = gelu(o, _linear(o, _normal(o, out, c, weights), weights, "wide"))
        out = o.add(out, _linear(o, inner, weights, "narrow"))
    if condition is not None:
        out = o.where(o.slice(empty, 1, 0, 1, 1), 0, out)
    made, rank = o.drop(out, (1,)), 2
    for a in plan.axes:
        made, rank = ops.of_rank(rank).expand(made, a.at), rank + 1
    return made


def _normal(o: Ops, t: Tensor, c: int, weights: Weights) -> Tensor:
    away = o.subtract(t, o.divide(o.own_sum(t, (2,)), c))
    square = o.divide(o.own_sum(o.multiply(away, away), (2,)), c)
    root = o.power(o.add(square, EPS), 0.5)
    return o.add(o.multiply(o.divide(away, root), weights["scale"]), weights["shift"])


def _tokens(plan: LearnedPlan, o: Ops, t: Tensor) -> Tensor:
    """As (N, C, L), of however many pooled axes."""
    ats = [a.at for a in plan.axes]
    order = (0, plan.channel, *ats)
    t = t if order == tuple(range(plan.rank)) else o.permute(t, order)
    if len(ats) == 1:
        return t
    return o.merge(t, len(ats), math.prod([a.n for a in plan.axes]))


JOINS: dict[str, Join] = {
    "option": _option,
    "mix": _mix,
    "adapool": _adapool,
    "gate": _gate,
    "lip": _lip,
    "attention": _attention,
    "latent": _latent,
}

# ------------------------------------------------------------------------------------------------------------ the plan


def plan_of_learned(
    spec: Learned, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...]
) -> LearnedPlan:
    """Its poolings resolved on an input, each with the tensors that the formula gives it."""
    work = spec.work_dtype(dtype, widen)
    _check(spec, further)
    mask = tuple([f for f in further if f.name == "mask"])
    given: tuple[Further, ...] = ()
    if spec.formula == "option":
        given = tuple([f._replace(dtype=work) for f in further if f.name != "mask"])
    elif spec.formula in ("lip", "attention"):
        cells = [at for at in range(rank) if spec.formula == "lip" or letters_of(spec, rank)[at] != "C"]
        sizes = [size(at) for at in cells]
        given = (Further("log_weight", len(cells), work, tuple([n if known else None for n, known in sizes])),)
    parts = [part.plan(rank, work, size, widen, given + mask) for part in spec.parts]
    pooled, near = parts[0].axes, parts[0].axes[:0]
    if spec.formula == "lip":
        letters = letters_of(spec, rank)
        last = letters.replace("C", "") + "C"

        def moved(at: int) -> tuple[Any, bool]:
            return size(letters.index(last[at]))

        around = PoolSpec("avg", window=3, stride=1, padding="same", layout=last, axes=spec.axes)
        near = around.plan(rank, work, moved, widen).axes
        whole = [PoolSpec(kind, output_size=1, layout=last, axes=spec.axes) for kind in ("avg", "std")]
        parts += [one.plan(rank, work, moved, widen, _each_cell(spec, rank, mask)) for one in whole]
    own = () if spec.formula == "latent" else tuple(parts)
    kept = tuple([f._replace(sizes=()) for f in further])
    return LearnedPlan(spec, own, pooled, rank, dtype, work, near, further=kept)


def _each_cell(spec: Learned, rank: int, mask: tuple[Further, ...]) -> tuple[Further, ...]:
    """The mask of cells of all channels, as a condition without an axis for these."""
    at = letters_of(spec, rank).index("C")
    if any(f.rank == rank and f.sizes[at] not in (None, 1) for f in mask):
        raise ShapeError(
            f"received mask of shape {mask[0].sizes} for {quoted(str(spec))}, whose logits are made of all channels; "
            "give one number for each cell, without C or with 1 for it"
        )
    sizes = [tuple([n for i, n in enumerate(f.sizes) if f.rank < rank or i != at]) for f in mask]
    return tuple([Further("mask", rank - 1, "bool", each) for each in sizes])


def _check(spec: Learned, further: Sequence[Further]) -> None:
    given = {f.name: f for f in further}
    for name, p in spec.parameters.items():
        f = given.get(name)
        if f is None:
            raise InputError(
                f"received no {name} for {quoted(str(spec))}, and its weights are {', '.join(spec.parameters)}; "
                "give all of them, or make a layer, which holds them"
            )
        if f.dtype not in FLOATS:
            raise DtypeError(f"received {name} of dtype {f.dtype}, and weights are floats; give {' or '.join(FLOATS)}")
        if any(n is not None and n != m for n, m in zip(f.sizes, p.shape, strict=False)) or f.rank != len(p.shape):
            raise ShapeError(
                f"received {name} of shape {f.sizes} for {quoted(str(spec))}, and it has the shape {p.shape}; "
                "give it this shape, or other channels"
            )
