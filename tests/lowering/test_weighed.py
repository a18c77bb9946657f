"""`mask=` and `weight=`: against loops over windows, on every backend, in every mode, with both gradients."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit_conformance import runner
from poolkit_conformance.windows import boxes, counts, pooled_axes
from tests.helpers.differences import slopes

BACKENDS = ["numpy", "torch", "tensorflow", "jax", "keras"]
RNG = np.random.default_rng(5)

SPECS = {
    "tokens": (pk.PoolSpec("avg", output_size=1, layout="NLC", keepdims=False), (2, 7, 3)),
    "avg_same": (pk.PoolSpec("avg", window=3, stride=2, padding="same", layout="NCHW"), (2, 3, 5, 6)),
    "avg_bins": (pk.PoolSpec("avg", output_size=(2, 3), layout="NHWC"), (2, 5, 7, 3)),
    "avg_divisor": (pk.PoolSpec("avg", window=2, layout="NCL", divisor_override=3), (2, 3, 6)),
    "sum_k2": (pk.PoolSpec("sum", window=2, layout="NCL"), (2, 3, 6)),
    "max_same": (pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW"), (2, 3, 5, 6)),
    "max_tokens": (pk.PoolSpec("max", output_size=1, layout="NLC"), (2, 7, 3)),
    "min_bins": (pk.PoolSpec("min", output_size=3, layout="NCL"), (2, 3, 8)),
    "softmax_k3": (pk.PoolSpec("softmax", window=3, stride=2, padding=1, layout="NCL", beta=0.5), (2, 3, 8)),
}


def one(spec: Any, a: list[float], w: list[float], masked: list[bool]) -> float:
    """The definition for one window, of cells, weights and which cells there are."""
    cells = [(v, u) for v, u, m in zip(a, w, masked, strict=True) if m]
    if spec.kind in ("max", "min"):
        return {"max": max, "min": min}[spec.kind]([v for v, _ in cells], default=0.0)
    if spec.kind == "softmax":
        cells = [(v, math.exp(spec.beta * v)) for v, _ in cells]
    total = math.fsum(v * u for v, u in cells)
    if spec.kind == "sum" or spec.divisor_override is not None:
        return total / (spec.divisor_override or 1)
    weights = math.fsum(u for _, u in cells)
    return total / weights if weights else 0.0


def by_definition(spec: Any, x: Any, mask: Any = None, weight: Any = None) -> Any:
    pooled = pooled_axes(spec, x.ndim)
    last = tuple(range(-len(pooled), 0))
    c = spec.layout.index("C")

    def full(t: Any, other: Any) -> Any:
        t = np.full(x.shape, other) if t is None else t
        return np.broadcast_to(np.expand_dims(t, c) if t.ndim < x.ndim else t, x.shape)

    moved = [np.moveaxis(t, pooled, last) for t in (x, full(weight, 1.0), full(mask, True))]
    kept = moved[0].shape[: x.ndim - len(pooled)]
    out = np.zeros((*kept, *counts(spec, x.shape)))
    for box in boxes(spec, x.shape):
        grids = [t[(..., *np.ix_(*box.cells))].reshape(*kept, -1) for t in moved]
        for row in np.ndindex(*kept):
            out[(*row, *box.at)] = one(spec, *(g[row].tolist() for g in grids))
    back = np.moveaxis(out, last, pooled)
    return back if spec.keepdims else out.reshape(kept)


def drawn(name: str, form: str) -> tuple[Any, Any, Any, Any]:
    spec, shape = SPECS[name]
    x = (RNG.standard_normal(shape) * 2).astype("float32")
    c = spec.layout.index("C")
    sizes = {
        "without": [n for i, n in enumerate(shape) if i != c],
        "one": [1 if i == c else n for i, n in enumerate(shape)],
    }
    at = tuple(sizes.get(form, shape))
    mask = RNG.random(at) < 0.6
    mask[0] = False  # a row with nothing in it
    weight = RNG.uniform(0.1, 2, at).astype("float32")
    return spec, x, mask, weight


def close(found: Any, wanted: Any) -> None:
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["without", "one", "full"])
@pytest.mark.parametrize("name", SPECS)
def test_a_mask(backend: str, name: str, form: str) -> None:
    h = runner.harness(backend)
    spec, x, mask, _ = drawn(name, form)
    wanted = by_definition(spec, x, mask)
    x = np.where(
        np.broadcast_to(mask if mask.ndim == x.ndim else np.expand_dims(mask, spec.layout.index("C")), x.shape),
        x,
        np.nan,
    )
    for m in (mask, mask.astype("float32")):
        close(h.to_numpy(pk.pool(h.from_numpy(x), spec, mask=h.from_numpy(m))), wanted)
    close(h.to_numpy(pk.pool_direct(h.from_numpy(x), spec, mask=h.from_numpy(mask))), wanted)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["tokens", "avg_same", "avg_bins", "avg_divisor", "sum_k2"])
def test_weights(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, mask, weight = drawn(name, "without")
    tensors = {"weight": h.from_numpy(weight)}
    close(h.to_numpy(pk.pool(h.from_numpy(x), spec, **tensors)), by_definition(spec, x, weight=weight))
    tensors["mask"] = h.from_numpy(mask)
    close(h.to_numpy(pk.pool(h.from_numpy(x), spec, **tensors)), by_definition(spec, x, mask, weight))


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
@pytest.mark.parametrize("name", ["tokens", "avg_same", "max_same", "softmax_k3"])
def test_gradients_of_both(backend: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, mask, weight = drawn(name, "one")
    m, t = h.from_numpy(mask), h.from_numpy(x)
    weighs = "weight" in spec.takes
    w = h.from_numpy(weight)
    more = {"weight": w} if weighs else {}
    g: Any = RNG.standard_normal(spec.output_shape(x.shape)).astype("float32")

    def value(a: Any, b: Any) -> float:
        return float((by_definition(spec, a, mask, b if weighs else None) * g).sum())

    found = h.to_numpy(h.vjp(lambda a: pk.pool(a, spec, mask=m, **more), t, h.from_numpy(g)))
    np.testing.assert_allclose(found, slopes(lambda a: value(a, weight), x), rtol=1e-4, atol=1e-4)
    if weighs:
        found = h.to_numpy(h.vjp(lambda b: pk.pool(t, spec, mask=m, weight=b), w, h.from_numpy(g)))
        np.testing.assert_allclose(found, slopes(lambda b: value(x, b), weight), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("backend", "how"), [("torch", "aot_eager"), ("jax", "jit"), ("tensorflow", "function")])
@pytest.mark.parametrize("name", ["tokens", "avg_same", "max_same", "softmax_k3"])
def test_compiled_and_without_sizes(backend: str, how: str, name: str) -> None:
    h = runner.harness(backend)
    spec, x, mask, _ = drawn(name, "without")
    wanted = by_definition(spec, x, mask)
    m = h.from_numpy(mask)
    close(h.to_numpy(h.compiled(lambda t: pk.pool(t, spec, mask=m), how)(h.from_numpy(x))), wanted)
    if backend != "jax":
        run = h.dynamic(lambda t: pk.pool(t, spec, mask=m), h.from_numpy(x))
        close(h.to_numpy(run(h.from_numpy(x))), wanted)


def test_vmap_over_the_mask_alone() -> None:
    import torch

    spec, x, mask, _ = drawn("tokens", "without")
    t, masks = torch.from_numpy(x), torch.from_numpy(np.stack([mask, ~mask]))
    found = torch.func.vmap(lambda m: pk.pool(t, spec, mask=m))(masks)
    for i in range(2):
        close(found[i].numpy(), by_definition(spec, x, masks[i].numpy()))


@pytest.mark.parametrize(
    ("kind", "more", "tensors", "error", "message"),
    [
        (
            "max",
            {},
            {"weight": (2, 4)},
            pk.InputError,
            "the tensors that it takes besides its input are: mask; leave weight out",
        ),
        (
            "avg",
            {},
            {"samples": (2, 4)},
            pk.InputError,
            "the tensors that it takes besides its input are: mask and weight",
        ),
        ("avg", {}, {"mask": (2, 1)}, pk.ShapeError, r"received mask of shape \(2, 1\)"),
        ("avg", {}, {"mask": (1, 4)}, pk.ShapeError, r"received mask of shape \(1, 4\)"),
        (
            "avg",
            {},
            {"weight": (2, 3, 1)},
            pk.ShapeError,
            "it has the input's own sizes on the axes NL or NCL, or 1 for C",
        ),
        ("avg", {}, {"weight": (4,)}, pk.ShapeError, "received weight of shape"),
        ("avg", {"padding": "same", "count_include_pad": True}, {"mask": (2, 4)}, pk.InputError, "counts as padding"),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, more: Any, tensors: Any, error: Any, message: str) -> None:
    spec = pk.PoolSpec(kind, window=2, layout="NCL", **more)
    with pytest.raises(error, match=message):
        pk.pool(np.ones((2, 3, 4)), spec, **{name: np.ones(shape) for name, shape in tensors.items()})


def test_none_is_no_tensor() -> None:
    x = np.arange(8.0).reshape(1, 2, 4)
    np.testing.assert_array_equal(
        pk.pool(x, pk.AvgPool(2, layout="NCL"), mask=None), pk.pool(x, pk.AvgPool(2, layout="NCL"))
    )


def test_a_tensor_of_another_framework_is_refused() -> None:
    import torch

    with pytest.raises(pk.InputError):
        pk.pool(torch.ones(1, 2, 4), pk.AvgPool(2, layout="NCL"), mask=np.ones((1, 4)))


@pytest.mark.parametrize("axes", ["NC", "L", "NLC1", 3, ("NC", "bool")])
def test_axes_that_do_not_describe_a_tensor_are_refused(axes: Any) -> None:
    with pytest.raises(pk.InputError, match="a tensor besides the input is described by its axes, NL or NLC here"):
        pk.lower(pk.AvgPool(2, layout="NLC"), "numpy", tensors={"mask": axes})


def test_a_mask_of_unknown_sizes_beside_an_input_of_known_ones_is_spread() -> None:
    import tensorflow as tf

    spec, x, _, _ = drawn("tokens", "without")
    signature = [tf.TensorSpec(x.shape), tf.TensorSpec([None, None], tf.bool)]
    run = tf.function(lambda t, m: pk.pool(t, spec, mask=m), input_signature=signature)
    close(run(x, np.ones((2, 1), bool)).numpy(), by_definition(spec, x, np.ones((2, 7), bool)))
    one = np.array([[True], [False]])
    close(run(x, one).numpy(), by_definition(spec, x, np.broadcast_to(one, (2, 7))))
    total = spec.replace(kind="sum")
    count = tf.function(lambda t, m: pk.pool(t, total, mask=m), input_signature=signature)
    close(count(x, one).numpy(), np.where(one, x.sum(1), 0).astype("float32"))


def test_a_kind_without_a_neutral_state_takes_a_mask() -> None:
    from poolkit.lowering import kinds
    from poolkit.spec.kinds import KINDS

    class Largest(kinds.Max):
        """The largest cell, under another name: no value changes nothing in a choice."""

    pk.register_kind("largest", Largest, "takes the largest", selects=True)
    try:
        x, mask = np.array([[[-5.0, -7.0, 9.0, 3.0]]]), np.array([[1, 1, 0, 0]])
        found = pk.pool(x, pk.PoolSpec("largest", window=2, layout="NCL"), mask=mask)
        np.testing.assert_array_equal(found, [[[-5.0, 0.0]]])
    finally:
        del KINDS["largest"], kinds.FOLDS["largest"]


@pytest.mark.parametrize(
    ("x", "mask", "message"),
    [
        (np.ones((2, 3, 4)), [[1, 1]], "^mask: received a list, and pooling takes a plain numpy.ndarray"),
        (np.ones((2, 3, 4)), torch.ones(2, 4), "^mask: received a Tensor, and pooling takes a plain numpy.ndarray"),
        (torch.ones(2, 3, 4), np.ones((2, 4)), "^mask: received a ndarray .*, and pooling takes a dense torch.Tensor"),
        (jnp.ones((2, 3, 4)), torch.ones(2, 4), "^mask: received a Tensor, and pooling takes a dense jax.Array"),
        (tf.ones((2, 3, 4)), [[1, 1]], "^mask: received a list, and pooling takes a dense tf.Tensor"),
    ],
)
@pytest.mark.parametrize("run", [pk.pool, pk.pool_direct])
def test_a_tensor_of_another_framework_is_named(run: Any, x: Any, mask: Any, message: str) -> None:
    with pytest.raises(pk.InputError, match=message):
        run(x, pk.AvgPool(2, layout="NCL"), mask=mask)


@pytest.mark.parametrize("size", [2e-21, 1e20, 1.0])
@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_weights_of_any_size_have_a_gradient(backend: str, size: float) -> None:
    """(x - average) over what they add up to, whose square float32 does not hold: JAX's own slope is infinite, or 0."""
    h = runner.harness(backend)
    x, weight = np.array([[[1, 2, 3, 4]]], "float32"), np.array([[1, 2, 3, 4]], "float32") * np.float32(size)

    def pooled(weight: Any) -> Any:
        return pk.pool(h.from_numpy(x), pk.AvgPool(4, layout="NCL"), weight=weight)

    found = h.to_numpy(h.vjp(pooled, h.from_numpy(weight), h.from_numpy(np.ones((1, 1, 1), "float32"))))
    np.testing.assert_allclose(found * np.float64(size), (x[0] - 3) / 10, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_nodes_that_are_hardly_alike_have_a_gradient(backend: str) -> None:
    """What a node listens to is a quotient of products of cells, here of 1e-22."""
    h = runner.harness(backend)
    x = np.array([[[1, 2], [3, 1], [2, 5]]], "float32")
    links, unary = h.from_numpy(np.ones((1, 3, 3), "float32")), h.from_numpy(x[:, ::-1].copy())

    def slopes(x: Any) -> Any:
        def linked(x: Any) -> Any:
            return pk.struct_pool(x, links, unary)[1]

        return h.to_numpy(h.vjp(linked, h.from_numpy(x), h.from_numpy(np.arange(4, dtype="float32").reshape(1, 2, 2))))

    small = np.float32(1e-11)
    np.testing.assert_allclose(slopes(x * small) * small, slopes(x), rtol=1e-4, atol=1e-6)
