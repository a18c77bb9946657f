"""`pk.unpool` with the sizes of the tensor that was pooled, which may be known when a program runs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk

SPEC = pk.MaxPool(2, layout="NCHW", indices=True)
X = np.random.default_rng(0).standard_normal((2, 3, 8, 9)).astype("float32")
VALUES, INDICES = SPEC(X)


class Decoder(torch.nn.Module):
    def forward(self, values: torch.Tensor, indices: torch.Tensor, x: torch.Tensor) -> Any:
        return pk.unpool(values, indices, SPEC, like=x)


def test_the_size_before_may_be_known_when_the_program_runs_alone() -> None:
    """An index of -1 among them, and the sizes of what was pooled, which the values' size does not tell."""
    signature = [tf.TensorSpec([None, 3, None, None], dtype) for dtype in ("float32", "int64", "float32")]
    graph = tf.function(lambda v, i, x: pk.unpool(v, i, SPEC, like=x), input_signature=signature)
    large = [torch.from_numpy(t) for t in (*SPEC(np.ones((3, 3, 10, 15), "float32")), np.ones((3, 3, 10, 15), "f4"))]
    dims = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    exported = torch.export.export(Decoder(), tuple(large), dynamic_shapes=(dims,) * 3, strict=False).module()
    compiled = torch.compile(Decoder(), backend="aot_eager", fullgraph=True, dynamic=True)
    b, c, h, w, i, j = jax.export.symbolic_shape("b, 3, h, w, i, j")
    sizes = {"float32": (b, c, h, w), "int32": (b, c, h, w), "float16": (b, c, i, j)}
    arguments = [jax.ShapeDtypeStruct(shape, dtype) for dtype, shape in sizes.items()]
    shipped = jax.export.export(jax.jit(lambda v, i, x: pk.unpool(v, i, SPEC, like=x)))(*arguments)
    program = pk.lower(pk.Unpool(SPEC, "like"), "torch", tensors={"indices": "NCHW", "like": "NCHW"})

    for shape in ((2, 3, 8, 7), (4, 3, 7, 10)):
        x = np.resize(X, shape)
        values, indices = SPEC(x)
        indices[0, 0, 0, 0] = -1
        expected = pk.unpool(values, indices, SPEC, shape[2:])
        given = [torch.from_numpy(t) for t in (values, indices, x)]
        for run in (exported, compiled, program):
            np.testing.assert_array_equal(run(*given), expected)
        np.testing.assert_array_equal(graph(values, indices, x), expected)
        np.testing.assert_array_equal(shipped.call(values, indices.astype("int32"), x.astype("float16")), expected)
        np.testing.assert_array_equal(pk.unpool(values, indices, SPEC, like=x), expected)


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pk.unpool(VALUES, INDICES, SPEC, (8, 9), like=X), pk.SpecError, "and like, and one of the two says"),
    (lambda: pk.unpool(VALUES, INDICES, SPEC, like=X[0]), pk.ShapeError, r"received like of shape \(3, 8, 9\) for"),
    (lambda: pk.unpool(VALUES, INDICES, SPEC, like=X[:, :, :6]), pk.ShapeError, r"of size \(6, 9\) gives \(3, 4\)"),
    (lambda: pk.unpool(VALUES, INDICES + 99, SPEC, like=X), pk.InputError, "indices from 99 .* below 72"),
    (lambda: pk.pool(VALUES, pk.Unpool(SPEC, "like"), indices=INDICES), pk.InputError, "no tensor like .* like=x"),
    (
        lambda: pk.Unpool(SPEC, "like").layer("keras")(VALUES, indices=INDICES),
        pk.InputError,
        "received no tensor like",
    ),
]


@pytest.mark.parametrize(("attempt", "error", "says"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_said(attempt: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        attempt()
