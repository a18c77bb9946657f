"""What regions are: for every bin of a box the cells that it looks at and their weights, one group for each sample.

An average adds up all groups; a maximum takes the largest. Written from operators.md, section 7, in loops.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import FLOATS, NONE, Array, Tensors

Group = list[tuple[int, int, float]]  # a row, a column, a weight


class Bin(NamedTuple):
    """One bin of one box."""

    at: tuple[int, int, int]  # the box, and where its result stands
    batch: int
    groups: list[Group]
    divisor: int  # that an average divides by
    extent: float  # how far from 0 it is, by which the rounding of a place grows


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """One result for each box, in the place of the batch."""
    maps = _channels_last(spec, x)
    exact = spec.kind == "max" and x.dtype.name not in FLOATS
    shape = (len(tensors["boxes"]), *spec.output_size, maps.shape[3])
    values, magnitude = np.zeros(shape, x.dtype if exact else np.float64), np.zeros(shape)
    for each in _bins(spec, maps.shape, tensors["boxes"], x.dtype.name):
        cells = maps[each.batch]
        for c in range(shape[3]):
            chosen = _chosen(spec, each, cells[..., c])
            values[(*each.at, c)] = _total(chosen, cells[..., c], spec.kind == "max") if chosen else 0
            if spec.mode == "avg" and spec.kind == "align":
                values[(*each.at, c)] /= each.divisor
            magnitude[(*each.at, c)] = (spec.kind == "align") and each.extent * max(
                (abs(cells[i, j, c]) for g in each.groups for i, j, _ in g), default=0
            )
    dtype = x.dtype.name if spec.kind == "max" or x.dtype.name in FLOATS else "float32"
    there = _layout_back(spec, values), _layout_back(spec, magnitude)
    return Answer(*there, there[1] * 0, there[1] * 0, dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """What every bin gives to the cells that it is made of."""
    maps, g = _channels_last(spec, x), _channels_last(spec, cotangent).astype(np.float64)
    made, magnitude, defined = np.zeros(maps.shape), np.zeros(maps.shape), np.ones(maps.shape, bool)
    for each in _bins(spec, maps.shape, tensors["boxes"], x.dtype.name):
        for c in range(maps.shape[3]):
            for i, j, w in _chosen(spec, each, maps[each.batch, ..., c]):
                share = g[(*each.at, c)] * w / (each.divisor if spec.mode == "avg" and spec.kind == "align" else 1)
                made[each.batch, i, j, c] += share
            for group in each.groups:
                for i, j, _ in group:
                    magnitude[each.batch, i, j, c] += abs(g[(*each.at, c)]) * each.extent / each.divisor
    return Derivative(*(_layout_back(spec, t) for t in (made, magnitude, defined)))


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """It is linear, or a choice."""
    return Derivative(np.zeros(x.shape), np.zeros(x.shape), np.ones(x.shape, bool))


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How every bin changes."""
    maps, along = _channels_last(spec, x), _channels_last(spec, tangent).astype(np.float64)
    shape = (len(tensors["boxes"]), *spec.output_size, maps.shape[3])
    made, magnitude = np.zeros(shape), np.zeros(shape)
    for each in _bins(spec, maps.shape, tensors["boxes"], x.dtype.name):
        for c in range(shape[3]):
            here = along[each.batch, ..., c]
            total = _total(_chosen(spec, each, maps[each.batch, ..., c]), here, False)
            made[(*each.at, c)] = total / (each.divisor if spec.mode == "avg" and spec.kind == "align" else 1)
            magnitude[(*each.at, c)] = each.extent * max(
                (abs(here[i, j]) for g in each.groups for i, j, _ in g), default=0
            )
    return Derivative(
        _layout_back(spec, made),
        _layout_back(spec, magnitude),
        np.ones(x.shape[:0] + _layout_back(spec, made).shape, bool),
    )


def _chosen(spec: Any, each: Bin, cells: Array) -> Group:
    """The cells that a bin's number is made of: all of an average, those of the first largest sample of a maximum."""
    if spec.kind == "align" and spec.mode == "avg":
        return [term for group in each.groups for term in group]
    groups = each.groups
    if spec.kind == "align" and spec.max_of == "corners":
        groups = [[term] for group in groups for term in group]
    totals = [_total(group, cells, spec.kind == "max") for group in groups]
    if not totals:
        return []
    nan = next((i for i, t in enumerate(totals) if t != t), None)
    return groups[max(range(len(totals)), key=lambda i: (totals[i], -i)) if nan is None else nan]


def _total(group: Group, cells: Array, exact: bool) -> Any:
    if exact:
        ((i, j, _),) = group
        return cells[i, j]
    return math.fsum(float(cells[i, j]) * w for i, j, w in group if w) if group else 0.0


def _bins(spec: Any, shape: tuple[int, ...], boxes: Array, dtype: str) -> Iterator[Bin]:
    for k, box in enumerate(boxes):
        batch = math.floor(box[0]) if np.isfinite(box[0]) else -1
        if not 0 <= batch < shape[0]:
            continue
        sides = [_side(spec, i, shape[1 + i], box, dtype) for i in range(2)]
        for p, q in itertools.product(*(range(n) for n in spec.output_size)):
            down, across = sides[0][p], sides[1][q]
            groups = [
                [(i, j, v * w) for i, v in one for j, w in other] for one, other in itertools.product(down, across)
            ]
            extent = 1 + max(np.abs(box[1:]).max() * spec.spatial_scale, *shape[1:3]) if spec.kind == "align" else 1
            yield Bin((k, p, q), batch, groups, max(len(groups), 1), float(extent))


def _side(spec: Any, i: int, n: int, box: Array, dtype: str) -> list[list[list[tuple[int, float]]]]:
    """Of each bin along one side its samples, each the cells that it is made of."""
    low, high = (float(np.float32(box[at]) * np.float32(spec.spatial_scale)) for at in (2 - i, 4 - i))
    if "float64" in (box.dtype.name, dtype) and (spec.kind == "align" or spec.bins == "exact"):
        low, high = (float(box[at]) * spec.spatial_scale for at in (2 - i, 4 - i))
    bins = spec.output_size[i]
    return _cells(spec, n, low, high, bins) if spec.kind == "max" else _samples(spec, n, low, high, bins)


def _cells(spec: Any, n: int, low: float, high: float, bins: int) -> list[list[list[tuple[int, float]]]]:
    first, last = (int(math.copysign(math.floor(abs(v) + 0.5), v)) for v in (low, high))
    size = max(last - first + 1, 1)
    made = []
    for p in range(bins):
        if spec.bins == "exact":
            start, stop = p * size // bins, -(-(p + 1) * size // bins)
        else:
            step = np.float32(size) / np.float32(bins)
            start, stop = math.floor(np.float32(p) * step), math.ceil(np.float32(p + 1) * step)
        made.append([[(at, 1.0)] for at in range(max(start + first, 0), min(stop + first, n))])
    return made


def _samples(spec: Any, n: int, low: float, high: float, bins: int) -> list[list[list[tuple[int, float]]]]:
    low, high = (v - (0.5 if spec.aligned else 0) for v in (low, high))
    size = high - low if spec.aligned else max(high - low, 1.0)
    grid = spec.sampling_ratio or max(math.ceil(np.float32(size) / np.float32(bins)), 0)
    grid = min(grid, spec.max_grid) if spec.max_grid else grid
    return [
        [_corners(n, low + p * size / bins + (s + 0.5) * size / bins / grid) for s in range(grid)] for p in range(bins)
    ]


def _corners(n: int, at: float) -> list[tuple[int, float]]:
    if not -1 <= at <= n:
        return [(0, 0.0), (0, 0.0)]
    at = min(max(at, 0.0), n - 1.0)
    near = math.floor(at)
    return [(near, 1 - (at - near)), (min(near + 1, n - 1), at - near)]


def _channels_last(spec: Any, t: Array) -> Array:
    return t.transpose([spec.layout.index(c) for c in f"N{spec.axes}C"])


def _layout_back(spec: Any, t: Array) -> Array:
    return t.transpose([f"N{spec.axes}C".index(c) for c in spec.layout])
