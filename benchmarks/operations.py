"""Operations with further tensors beside what their users write by hand: unpooling, segments, regions of interest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import poolkit as pk
from benchmarks.frameworks import Array, Function

Tensor = Any

SIDE, WINDOWS = 56, 28
ROWS, SEGMENTS = 4096, 256
BOXES, SCALE, BINS = 100, 1 / 16, 7
GRAPHS, NODES, CLUSTERS = 32, 64, 8
SPEC = pk.MaxPool(2, layout="NCHW", indices=True)


class Compared(NamedTuple):
    """What is pooled by poolkit, and by hand, of an input, and of further tensors that a compiler is not to know."""

    name: str
    x: Array
    ours: Function
    hand: Function
    further: tuple[Tensor, ...] = ()


def operations(backend: str, channels: int | None) -> Iterator[Compared]:
    """Maps of 64 channels, and rows and regions of 256; or of as many as are given."""
    made = {"torch": torch_operations, "tensorflow": tensorflow_operations, "jax": jax_operations}[backend]
    yield from made(channels or 64, channels or 256)


def torch_operations(few: int, many: int) -> Iterator[Compared]:
    import torch

    f = torch.nn.functional
    values, indices = f.max_pool2d(torch.from_numpy(numbers(8, few, SIDE, SIDE)), 2, return_indices=True)
    ids = torch.from_numpy(segments())
    boxes = torch.from_numpy(regions())
    maxima, samples = _torch_regions(boxes)

    def total(x: Tensor) -> Tensor:
        return x.new_zeros(SEGMENTS, many).index_add(0, ids, x)

    def average(x: Tensor) -> Tensor:
        return total(x) / torch.bincount(ids, minlength=SEGMENTS).clamp(min=1)[:, None]

    def largest(x: Tensor) -> Tensor:
        return x.new_zeros(SEGMENTS, many).scatter_reduce(0, ids[:, None].expand_as(x), x, "amax", include_self=False)

    def softmax(x: Tensor) -> Tensor:
        w = torch.exp(x - largest(x.detach())[ids])
        return total(x * w) / total(w)

    yield _unpooled(values.numpy(), indices, partial(f.max_unpool2d, kernel_size=[2, 2]))
    yield from _segments(ids, many, {"sum": total, "avg": average, "max": largest, "softmax": softmax})
    maps = numbers(2, many, SIDE, SIDE)
    for kind, by_hand, options in (("max", maxima, {}), ("align", samples, {"sampling_ratio": 2})):
        spec = pk.RoiSpec(kind, output_size=BINS, spatial_scale=SCALE, layout="NCHW", **options)  # type: ignore[arg-type]
        yield Compared(f"roi {kind}", maps, partial(pk.roi, boxes=boxes, spec=spec), by_hand)
    yield _graphs(torch.from_numpy, torch.softmax, torch.cat)


def _torch_regions(boxes: Tensor) -> tuple[Function, Function]:
    """The maxima of each box's bins, and the averages of samples in them."""
    import torch

    f = torch.nn.functional

    def maxima(x: Tensor) -> Tensor:
        made = []
        for n, *sides in boxes.tolist():
            x1, y1, x2, y2 = (int(side * SCALE + 0.5) for side in sides)
            cells = x[int(n) : int(n) + 1, :, y1 : min(y2 + 1, SIDE), x1 : min(x2 + 1, SIDE)]
            made.append(f.adaptive_max_pool2d(cells, BINS))
        return torch.cat(made)

    def samples(x: Tensor) -> Tensor:
        made, places = [], (torch.arange(2 * BINS) + 0.5) / (2 * BINS)
        for n, *sides in boxes.tolist():
            x1, y1, x2, y2 = (side * SCALE for side in sides)
            across, down = ((low + places * (high - low)) / SIDE * 2 - 1 for low, high in ((x1, x2), (y1, y2)))
            grid = torch.stack([across.expand(2 * BINS, -1), down[:, None].expand(-1, 2 * BINS)], -1)[None]
            found = f.grid_sample(x[int(n) : int(n) + 1], grid, padding_mode="border", align_corners=False)
            made.append(f.avg_pool2d(found, 2))
        return torch.cat(made)

    return maxima, samples


def tensorflow_operations(few: int, many: int) -> Iterator[Compared]:
    import tensorflow

    tf: Any = tensorflow
    values, indices = (np.asarray(t) for t in SPEC(numbers(8, few, SIDE, SIDE)))
    ids = tf.constant(segments())

    def by_hand(x: Tensor, places: Tensor) -> Tensor:
        starts = tf.range(8 * few, dtype=tf.int64)[:, None] * SIDE**2
        line = tf.reshape(tf.reshape(places, (8 * few, -1)) + starts, (-1, 1))
        return tf.reshape(tf.scatter_nd(line, tf.reshape(x, (-1,)), (8 * few * SIDE**2,)), (8, few, SIDE, SIDE))

    def softmax(x: Tensor) -> Tensor:
        w = tf.exp(x - tf.gather(tf.stop_gradient(tf.math.unsorted_segment_max(x, ids, SEGMENTS)), ids))
        return tf.math.unsorted_segment_sum(x * w, ids, SEGMENTS) / tf.math.unsorted_segment_sum(w, ids, SEGMENTS)

    yield _unpooled(values, tf.constant(indices), by_hand)
    own = {"sum": "sum", "avg": "mean", "max": "max"}
    hands = {
        kind: partial(getattr(tf.math, f"unsorted_segment_{name}"), segment_ids=ids, num_segments=SEGMENTS)
        for kind, name in own.items()
    }
    yield from _segments(ids, many, hands | {"softmax": softmax})
    spec = pk.RoiSpec("align", output_size=BINS, spatial_scale=SCALE, sampling_ratio=2, layout="NHWC")
    maps, taken = numbers(2, SIDE, SIDE, many), partial(pk.roi, boxes=tf.constant(regions()), spec=spec)
    yield Compared("roi align", maps, taken, _tensorflow_samples())


def _tensorflow_samples() -> Function:
    """The averages of samples in the bins of each box: `crop_and_resize` takes samples from corner to corner."""
    import tensorflow

    tf: Any = tensorflow
    n, x1, y1, x2, y2 = regions().T
    steps = [(high - low) * SCALE / (2 * BINS) for low, high in ((y1, y2), (x1, x2))]
    firsts = [low * SCALE + step / 2 - 0.5 for low, step in zip((y1, x1), steps, strict=True)]
    lasts = [first + (2 * BINS - 1) * step for first, step in zip(firsts, steps, strict=True)]
    corners = (np.stack([*firsts, *lasts], 1) / (SIDE - 1)).astype("float32")

    def samples(x: Tensor) -> Tensor:
        found = tf.image.crop_and_resize(x, corners, n.astype("int32"), (2 * BINS, 2 * BINS))
        return tf.nn.avg_pool2d(found, 2, 2, "VALID")

    return samples


def jax_operations(few: int, many: int) -> Iterator[Compared]:
    import jax

    jnp = jax.numpy
    values, indices = (np.asarray(t) for t in SPEC(numbers(8, few, SIDE, SIDE)))
    ids = jnp.asarray(segments())
    sums = partial(jax.ops.segment_sum, segment_ids=ids, num_segments=SEGMENTS)
    most = partial(jax.ops.segment_max, segment_ids=ids, num_segments=SEGMENTS)

    def by_hand(x: Tensor, places: Tensor) -> Tensor:
        rows = jnp.arange(8 * few)[:, None]
        made = jnp.zeros((8 * few, SIDE * SIDE)).at[rows, places.reshape(8 * few, -1)].set(x.reshape(8 * few, -1))
        return made.reshape(8, few, SIDE, SIDE)

    def softmax(x: Tensor) -> Tensor:
        w = jnp.exp(x - jax.lax.stop_gradient(most(x))[ids])
        return sums(x * w) / sums(w)

    yield _unpooled(values, jnp.asarray(indices), by_hand)
    average = sums(jnp.ones((ROWS, 1)))
    yield from _segments(ids, many, {"sum": sums, "avg": lambda x: sums(x) / average, "max": most, "softmax": softmax})
    maps, boxes = numbers(2, SIDE, SIDE, many), jnp.asarray(regions())
    for kind, hand, options in zip(("max", "align"), _jax_regions(many), ({}, {"sampling_ratio": 2}), strict=True):
        spec = pk.RoiSpec(kind, output_size=BINS, spatial_scale=SCALE, layout="NHWC", **options)  # type: ignore[arg-type]
        yield Compared(f"roi {kind}", maps, partial(pk.roi, boxes=boxes, spec=spec), hand)
    yield _graphs(jnp.asarray, jax.nn.softmax, jnp.concatenate)


def _jax_regions(many: int) -> tuple[Function, Function]:
    """The maxima of each box's bins by masks of its rows and columns, and the averages of samples in them."""
    import jax

    jnp = jax.numpy
    boxes = regions()
    n, x1, y1, x2, y2 = boxes.T
    sampled = (np.arange(2 * BINS) + 0.5) / (2 * BINS)
    rows, columns = (
        (low[:, None] + sampled * (high - low)[:, None]) * SCALE - 0.5 for low, high in ((y1, y2), (x1, x2))
    )
    first, last = (np.floor(sides * SCALE + 0.5).astype(int) for sides in (boxes[:, 1:3], boxes[:, 3:]))
    cells, bins = np.arange(SIDE), np.arange(BINS)
    length = np.minimum(last, SIDE - 1) + 1 - first
    starts, ends = (first + bins[:, None, None] * length // BINS, first - (-(bins[:, None, None] + 1) * length // BINS))
    inside = (cells[:, None, None, None] >= starts) & (cells[:, None, None, None] < ends)  # cells, bins, boxes, sides

    def samples(x: Tensor) -> Tensor:
        def of_box(n: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
            at = jnp.meshgrid(rows, columns, indexing="ij")
            interpolated = partial(jax.scipy.ndimage.map_coordinates, coordinates=at, order=1, mode="nearest")
            return jax.vmap(interpolated, -1, -1)(x[n])

        found = jax.vmap(of_box)(n.astype(int), rows, columns)
        return found.reshape(BOXES, BINS, 2, BINS, 2, many).mean((2, 4))

    def maxima(x: Tensor) -> Tensor:
        def of_box(n: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
            along = jnp.stack([jnp.where(columns[:, b, None], x[n], -jnp.inf).max(1) for b in range(BINS)], 1)
            return jnp.stack([jnp.where(rows[:, b, None, None], along, -jnp.inf).max(0) for b in range(BINS)])

        return jax.lax.map(lambda box: of_box(*box), (n.astype(int), *np.moveaxis(inside, (3, 2), (0, 1))))

    return maxima, samples


def _unpooled(values: Array, indices: Tensor, hand: Function) -> Compared:
    ours = partial(pk.unpool, spec=SPEC, output_size=(SIDE, SIDE))
    return Compared("unpool window=2", values, ours, hand, (indices,))


def _segments(ids: Tensor, channels: int, by_hand: dict[str, Function]) -> Iterator[Compared]:
    for kind, hand in by_hand.items():
        ours = partial(pk.segment, ids=ids, num_segments=SEGMENTS, kind=kind)
        yield Compared(f"segment {kind}", numbers(ROWS, channels), ours, hand)


def _graphs(tensor: Function, softmax: Function, concat: Function) -> Compared:
    """Graphs of 64 nodes, with 64 channels, by the published formulas of StructPool in five steps."""
    links = tensor((np.random.default_rng(3).random((GRAPHS, NODES, NODES)) < 0.1).astype("float32"))
    unary, others = tensor(numbers(GRAPHS, NODES, CLUSTERS)), tensor(1 - np.eye(NODES, dtype="float32"))

    def by_hand(x: Tensor) -> Tensor:
        alike = x @ x.swapaxes(-1, -2) * others
        attention, scores = alike / alike.sum(-1)[..., None], unary
        for _ in range(5):
            scores = unary + attention @ softmax(scores, -1)
        shares = softmax(scores, -1)
        turned = shares.swapaxes(-1, -2)
        return concat([turned @ x, turned @ links @ shares], -1)

    ours = partial(pk.StructPool(CLUSTERS), adjacency=links, unary=unary)
    return Compared("struct_pool", numbers(GRAPHS, NODES, NODES), ours, by_hand)


def numbers(*shape: int) -> Array:
    return 1 - np.random.default_rng(0).random(shape, "float32")


def segments() -> Array:
    return np.sort(np.random.default_rng(1).integers(0, SEGMENTS, ROWS))


def regions() -> Array:
    """Boxes of an image of 896x896, of 32 to 300 pixels a side, inside of it."""
    rng = np.random.default_rng(2)
    sides, n = rng.uniform(32, 300, (BOXES, 2)), rng.integers(0, 2, (BOXES, 1))
    starts = rng.uniform(16, 560, (BOXES, 2))
    return np.concatenate([n, starts, starts + sides], 1).astype("float32")
