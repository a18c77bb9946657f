"""`pk.segment` beside the conformance suite: the frameworks' own segments, what is refused, texts, speed of a key."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit.spec.operation import operation_from_dict

Array = np.ndarray[Any, Any]
ROWS, SEGMENTS = 40, 6
X = np.random.default_rng(0).standard_normal((ROWS, 5)).astype("float32")
IDS = np.random.default_rng(1).integers(0, SEGMENTS, ROWS).astype("int32")


def own_jax(kind: str) -> Array:
    found: Any = getattr(jax.ops, f"segment_{kind}")(X, IDS, SEGMENTS)
    return np.asarray(found)


def own_torch(kind: str) -> Array:
    how = {"sum": "sum", "avg": "mean", "max": "amax", "min": "amin"}[kind]
    places = torch.from_numpy(IDS).long()[:, None].expand(-1, X.shape[1])
    made = torch.zeros(SEGMENTS, X.shape[1]).scatter_reduce(0, places, torch.from_numpy(X), how, include_self=False)
    return made.numpy()


def own_tensorflow(kind: str) -> Array:
    how = {"avg": "mean"}.get(kind, kind)
    found: Any = getattr(tf.math, f"unsorted_segment_{how}")(X, IDS, SEGMENTS)
    return np.asarray(found)


OWN: list[tuple[Callable[[str], Array], str]] = [
    *((own_jax, kind) for kind in ("sum", "max", "min")),
    *((own, kind) for own in (own_torch, own_tensorflow) for kind in ("sum", "avg", "max", "min")),
]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("to", [np.asarray, tf.constant, jnp.asarray], ids=["numpy", "tensorflow", "jax"])
def test_numbers_without_a_sign(to: Callable[[Array], Any], dtype: str) -> None:
    ids = np.array([0, 2, 0, 9], dtype)  # JAX takes uint64 for uint32
    found = np.asarray(pk.segment(to(X[:4]), to(ids), 3))
    np.testing.assert_allclose(found, [X[0] + X[2], 0 * X[0], X[1]], rtol=1e-6)


@pytest.mark.parametrize(("own", "kind"), OWN, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_numbers_are_those_of_the_frameworks_own(own: Callable[[str], Array], kind: str) -> None:
    np.testing.assert_allclose(pk.segment(X, IDS, SEGMENTS, kind), own(kind), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("to", [np.asarray, torch.from_numpy, tf.constant], ids=["numpy", "torch", "tensorflow"])
def test_an_exact_average_of_many_rows_keeps_to_the_bound_of_sums(to: Callable[[Array], Any]) -> None:
    x = np.random.default_rng(2).uniform(100, 101, (100_000, 1)).astype("float32")
    mean, ids = x.astype("float64").mean(), to(np.zeros(len(x), "int32"))

    def error(route: str | None) -> float:
        return abs(float(np.asarray(pk.segment(to(x), ids, 1, "avg", route=route))[0, 0]) - mean) / (2**-23 * mean)

    assert error("exact") < 4
    assert error(None) < len(x) / 4


def test_an_extreme_is_the_frameworks_own_where_no_derivative_is_taken() -> None:
    x, ids = torch.from_numpy(X), torch.from_numpy(IDS)
    names = [route.name for route in routes_for(x, pk.Segment("max", SEGMENTS), ids=ids)]

    assert names == ["every: values", "values", "fold"]
    trained = routes_for(x.requires_grad_(), pk.Segment("max", SEGMENTS), ids=ids)
    assert [route.name for route in trained] == ["every: fold", "fold"]


@pytest.mark.parametrize("size", [1.0, 30.0, 1e30, np.inf, np.nan])
def test_exponentials_of_segments_are_tried_as_they_are(size: float) -> None:
    """Segment 1 has no row, and row 3 no segment."""
    x, ids = torch.tensor([[1.0, -1.0], [0.5, 2.0], [size, 0.0], [500.0, -np.inf]]), torch.tensor([0, 0, 2, 3])
    x[0, 0] = -size
    op = pk.Segment("softmax", 3)

    assert [route.name for route in routes_for(x, op, ids=ids)] == ["every: tried", "tried", "fold", "exact"]
    found, wanted = (pool_through(x, op, name, ids=ids) for name in ("tried", "fold"))
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6, equal_nan=True)


def test_a_program_for_every_size_and_a_new_number_of_rows_share_nothing_with_the_ids() -> None:
    program = pk.lower(pk.Segment("avg", 3), "numpy", tensors={"ids": "L"})

    assert "def pool(x, ids):" in program.source
    for rows in (1, 4, 9):
        ids = np.arange(rows) % 3
        np.testing.assert_allclose(program(X[:rows], ids), pk.segment(X[:rows], ids, 3, "avg"), rtol=1e-6)


def test_under_jit_new_ids_compile_nothing() -> None:
    traced: list[int] = []

    @jax.jit
    def run(x: jax.Array, ids: jax.Array) -> Any:
        traced.append(1)
        return pk.segment(x, ids, SEGMENTS, "max")

    for ids in (IDS, IDS[::-1].copy()):
        np.testing.assert_array_equal(run(jnp.asarray(X), jnp.asarray(ids)), pk.segment(X, ids, SEGMENTS, "max"))
    assert len(traced) == 1


def test_a_tf_function_of_unknown_sizes_takes_it_without_autograph() -> None:
    run = tf.function(
        lambda x, ids: pk.segment(x, ids, SEGMENTS, "softmax"),
        input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None], "int32")],
    )

    for rows in (0, 1, ROWS):
        expected = pk.segment(X[:rows], IDS[:rows], SEGMENTS, "softmax")
        np.testing.assert_allclose(run(X[:rows], IDS[:rows]), expected, rtol=1e-5, atol=1e-6)


def test_a_model_of_pytorch_compiles_and_exports_it_with_any_number_of_rows() -> None:
    class Readout(torch.nn.Module):
        def forward(self, x: torch.Tensor, ids: torch.Tensor) -> Any:
            return pk.segment(x, ids, SEGMENTS, "max")

    x, ids, rows = torch.from_numpy(X), torch.from_numpy(IDS), torch.export.Dim("rows")
    compiled = torch.compile(Readout(), backend="aot_eager", fullgraph=True)
    exported = torch.export.export(Readout(), (x, ids), dynamic_shapes=({0: rows}, {0: rows}), strict=False).module()

    np.testing.assert_array_equal(compiled(x, ids), pk.segment(X, IDS, SEGMENTS, "max"))
    for n in (7, ROWS):
        np.testing.assert_array_equal(exported(x[:n], ids[:n]), pk.segment(X[:n], IDS[:n], SEGMENTS, "max"))


def test_a_saved_keras_model_holds_it(tmp_path: Any) -> None:
    x, ids = keras.Input((5,)), keras.Input((), dtype="int32")
    layer = pk.Segment("max", SEGMENTS, empty_value=-1).layer("keras")
    keras.Model([x, ids], layer(x, ids=ids)).save(tmp_path / "readout.keras")
    loaded = keras.models.load_model(tmp_path / "readout.keras")

    np.testing.assert_array_equal(loaded([X, IDS]), pk.segment(X, IDS, SEGMENTS, "max", -1))


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pk.segment(X, IDS[:-1], 3), pk.ShapeError, r"received ids of shape \(39,\).* 40 rows here"),
    (lambda: pk.segment(X, IDS[:, None], 3), pk.ShapeError, r"received ids of shape \(40, 1\)"),
    (lambda: pk.segment(X, X[:, 0], 3), pk.DtypeError, "received ids of dtype float32.*cast them to int32"),
    (lambda: pk.segment(X, IDS > 1, 3), pk.DtypeError, "received ids of dtype bool"),
    (lambda: pk.segment(X, None, 3), pk.InputError, "received no ids.*one integer for each row"),
    (lambda: pk.segment(X, [0, 1], 3), pk.InputError, "^ids: received a list, and pooling takes a plain numpy.ndarray"),
    (lambda: pk.segment([1.0], IDS, 3), pk.InputError, "received a list"),
    (lambda: pk.segment(np.ones(()), IDS, 3), pk.ShapeError, "received an input of rank 0"),
    (lambda: pk.segment(X, IDS, 0), pk.SpecError, "received num_segments=0.*from 1 to"),
    (lambda: pk.segment(X, IDS, 2.0), pk.SpecError, "received num_segments=2.0"),  # type: ignore[arg-type]
    (lambda: pk.segment(X, IDS, 2**30), pk.ShapeError, "1073741824 segments would make"),
    (lambda: pk.segment(X, IDS, 3, "median"), pk.SpecError, 'received kind="median", and segments are pooled by "sum"'),
    (lambda: pk.segment(X, IDS, 3, "max", None), pk.SpecError, "received empty_value=None"),  # type: ignore[arg-type]
    (lambda: pk.segment(IDS, IDS, 3, "max", 0.5), pk.DtypeError, "received empty_value=0.5 .* dtype int32"),
    (lambda: pk.segment(X.astype("complex64"), IDS, 3), pk.DtypeError, "complex64"),
    (lambda: pk.Segment("max", 3, layout="NC"), pk.SpecError, 'received layout="NC", and the rows of segments have a'),
    (lambda: pk.Segment("max", 3, layout=""), pk.SpecError, "layout"),
    (lambda: pk.Segment("max", 3, layout="...LC"), pk.SpecError, "capital letter for each axis, the rows first"),
    (lambda: pk.pool(X, pk.Segment("max", 3, layout="LCH"), ids=IDS), pk.ShapeError, "of rank 2 .* layout LCH has 3"),
    (lambda: pk.pool(X, pk.Segment("max", 3), ids=IDS, mask=IDS > 1), pk.InputError, "received mask .* are: ids"),
    (lambda: pk.lower(pk.Segment("max", 3), "numpy", tensors={"ids": "C"}), pk.InputError, "by its axes, L here"),
    (lambda: pk.native(pk.Segment("max", 3), "torch"), pk.NotExactError, "no layer of its own"),
]


@pytest.mark.parametrize(("attempt", "error", "says"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_wrong_is_said(attempt: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        attempt()


SPEC = pk.Segment("max", 3, layout="LHC", empty_value=float("-inf"))


def test_it_comes_back_from_every_form_in_which_it_is_kept() -> None:
    assert eval(repr(SPEC), {"Segment": pk.Segment}) == SPEC
    assert operation_from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
    assert pickle.loads(pickle.dumps(SPEC)) == SPEC
    assert hash(SPEC.replace(empty_value=0)) != hash(SPEC)
    nan = pk.Segment("max", 3, empty_value=float("nan"))
    assert nan == pk.Segment("max", 3, empty_value=-float("nan"))
    assert str(SPEC) == "segment max num_segments=3 layout=LHC empty_value=-inf"


def test_it_is_explained_and_counted() -> None:
    told = pk.Segment("avg", 3).explain((5, 2), {"ids": "L"})

    assert told.startswith("segment avg num_segments=3 layout=LC\nLC (5, 2) -> LC (3, 2)")
    assert "ids (5,): the segment of each row" in told
    assert pk.Segment("avg", 3).cost((5, 2)).operations == 10  # 10 - 6 additions, 6 quotients
    assert pk.Segment("sum", 3).cost((5, 2), {"ids": "L"}).bytes == 4 * (10 + 6 + 5)
