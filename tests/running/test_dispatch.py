"""Dispatch: programs are shared and kept within bounds, a failed call leaves nothing, bad input gets a message."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.lower import FOLD, lower
from poolkit.programs.recorder import choose
from poolkit.running import dispatch


@pytest.fixture(autouse=True)
def empty_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_RUNS", {})
    monkeypatch.setattr(dispatch, "_PROGRAMS", {})


def test_batch_sizes_share_a_program() -> None:
    spec = pk.MaxPool(2, layout="NCHW")
    for batch in (1, 2, 3):
        pk.pool(np.zeros((batch, 3, 4, 4)), spec)
    assert len(dispatch._RUNS) == 3
    assert len(dispatch._PROGRAMS["numpy"]) == 1


def test_the_caches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MOST", 3)
    for n in range(2, 12):
        pk.pool(np.zeros((1, 1, n)), pk.MaxPool(2, layout="NCL"))
    assert (len(dispatch._RUNS), len(dispatch._PROGRAMS["numpy"])) == (3, 3)
    assert pk.pool(np.arange(4.0)[None, None], pk.MaxPool(2, layout="NCL")).tolist() == [[[1.0, 3.0]]]


def test_a_failed_call_leaves_no_entry() -> None:
    with pytest.raises(pk.ShapeError):
        pk.pool(np.zeros((1, 1, 2)), pk.MaxPool(3, layout="NCL"))
    with pytest.raises(pk.DtypeError):
        pk.pool(np.zeros((1, 1, 2), "complex64"), pk.MaxPool(2, layout="NCL"))
    assert dispatch._RUNS == {}
    assert dispatch._PROGRAMS == {}


def test_the_input_may_be_read_only_and_stays_as_it_is() -> None:
    x = np.array([[[3.0, 1.0, 2.0]]])
    x.flags.writeable = False
    kept = pk.pool(x, pk.MaxPool(1, layout="NCL"))
    assert kept.tolist() == x.tolist()
    assert not np.shares_memory(kept, x)
    assert kept.flags.writeable


def test_recorded_and_direct_are_the_same_numbers() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 9, 11))
    for kind in ("avg", "sum", "max", "min", "softmax"):
        spec = pk.PoolSpec(kind, window=3, stride=2, padding="same", layout="NCHW")
        recorded, direct = pk.pool(x, spec), pk.pool_direct(x, spec)
        for_every_size = pk.lower(spec, "numpy", dtype="float64")(x)
        np.testing.assert_allclose(recorded, direct, rtol=1e-15)
        # Of another route where sizes are known: what is left of a window's cells is as exact as they are.
        np.testing.assert_allclose(recorded, for_every_size, rtol=1e-14, atol=1e-16 * float(np.abs(x).max()))


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        ([[[1.0, 2.0]]], pk.InputError, "received a list, and pooling takes a tensor of one of: numpy, torch"),
        (((1.0, 2.0),), pk.InputError, "received a tuple, and pooling takes a tensor"),
        (None, pk.InputError, "received None, and pooling takes a tensor"),
        (3.0, pk.InputError, "received a float"),
        ("NCL", pk.InputError, "received a str"),
        ({"x": 1}, pk.InputError, "convert it first, as in numpy.asarray(x)"),
        (np.float64(3), pk.InputError, "takes a plain numpy.ndarray"),
        (
            np.ma.masked_array(np.zeros((1, 1, 4)), mask=True),
            pk.InputError,
            "fill it first, for the mask would be lost",
        ),
        (np.zeros(()), pk.ShapeError, "layout NCL describes 3 axes, received an input of rank 0"),
        (np.zeros((4,)), pk.ShapeError, "give the layout of this input, or reshape it"),
        (np.zeros((1, 1, 0)), pk.ShapeError, "axis L has size 0"),
        (np.zeros((1, 1, 1)), pk.ShapeError, "use a smaller window, or padding"),
        (np.zeros((1, 1, 4), "complex128"), pk.DtypeError, "pool the real and imaginary parts"),
        (np.array([[["a", "b"]]]), pk.DtypeError, "takes real numbers"),
        (np.array([[[None, None]]]), pk.DtypeError, "received an input of dtype object"),
        (np.zeros((1, 1, 4), "datetime64[s]"), pk.DtypeError, "max pooling takes real numbers"),
        (np.zeros((1, 1, 4), np.longdouble), pk.DtypeError, "received an input of dtype"),
        (np.zeros((1, 1, 4), [("a", "f4")]), pk.DtypeError, "received an input of dtype"),
    ],
)
def test_bad_inputs(x: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        pk.pool(x, pk.MaxPool(2, layout="NCL"))
    assert text in str(caught.value)
    assert isinstance(caught.value, pk.PoolkitError)


@pytest.mark.parametrize("spec", ["max", None, 3, {"kind": "max"}])
def test_a_spec_that_is_none(spec: object) -> None:
    with pytest.raises(pk.InputError, match=r"pool takes \(tensor, PoolSpec\) in this order"):
        pk.pool(np.zeros((1, 1, 4)), spec)  # type: ignore[arg-type]


def test_arguments_in_the_wrong_order() -> None:
    with pytest.raises(pk.InputError, match=r"received a poolkit.spec.pool_spec.PoolSpec"):
        pk.pool(pk.MaxPool(2, layout="NCL"), np.zeros((1, 1, 4)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((1, 1, -4), "a shape holds ints of at least 0"),
        ((1, 1, True), "holds ints"),
        ((1, 1, 4.0), "received the shape"),
    ],
)
def test_shapes_for_lower(shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(pk.ShapeError) as caught:
        pk.lower(pk.MaxPool(2, layout="NCL"), "numpy", shape)
    assert text in str(caught.value)


def test_lower_without_a_rank() -> None:
    with pytest.raises(pk.ShapeError, match="does not tell how many axes the input has"):
        pk.lower(pk.MaxPool(2, layout="channels_last"), "numpy")
    assert pk.lower(pk.MaxPool((2, 2), layout="channels_last"), "numpy")(np.zeros((1, 4, 4, 3))).shape == (1, 2, 2, 3)


def test_an_unknown_route() -> None:
    with pytest.raises(pk.BackendError, match=r'numpy has no route "gpu" .* its routes are .*fold'):
        pk.lower(pk.MaxPool(2, layout="NCL"), "numpy", (1, 1, 4), route="gpu")
    with pytest.raises(pk.BackendError, match="its routes are"):
        dispatch.pool_through(np.zeros((1, 1, 4)), pk.MaxPool(2, layout="NCL"), "gpu")
    assert dispatch._RUNS == {}


def test_a_route_may_ask_its_data_and_fall_back_to_the_fold() -> None:
    """The program holds both ways, and takes the right one; run directly, the same lowering asks too."""
    from poolkit_numpy import ADAPTER

    def lowering(o: Any, x: Any, plan: Any) -> Any:
        quick = o.np.fmax.reduce(x, axis=2, keepdims=True)  # which drops NaN
        return choose(o.np.isfinite(o.np.sum(x)), quick, lambda: FOLD.lower(o, x, plan)[0]), None

    route = Route("no_nan", ("max",), lowering, lambda plan, site: True, lambda plan: 0.0)
    spec = pk.GlobalMaxPool(layout="NCL", keepdims=False)
    x = np.array([[[1.0, 5.0], [np.nan, 2.0]]])
    plan = dispatch.plan_of_tensor(ADAPTER, x, spec)[1]
    program = dispatch.recorded(ADAPTER, plan, route, Situation(), x.shape)
    assert "if np.isfinite(np.sum(x)) else (better(" in program.source
    for run in (program, lambda x: lower(ADAPTER.ops(3, "float64"), x, plan, route)):
        np.testing.assert_array_equal(run(x), [[5.0, np.nan]])
        np.testing.assert_array_equal(run(np.array([[[1.0, 5.0], [3.0, 2.0]]])), [[5.0, 3.0]])


def test_a_traceback_shows_the_programs_lines() -> None:
    program = pk.lower(pk.MaxPool(2, layout="NCL"), "numpy", (1, 1, 4), route="fold")
    with pytest.raises(TypeError) as caught:
        program(None)
    assert "x[" in str(caught.traceback[-1].statement)


def test_the_key_of_a_program_has_the_device_of_every_tensor() -> None:
    torch = pytest.importorskip("torch")
    from poolkit.running import registry

    x, mask = torch.zeros(1, 4, 3), torch.ones(1, 4, dtype=torch.bool)
    spec, keys = pk.AvgPool(2, layout="NLC"), registry.adapter("torch").keys
    assert keys(x, spec, {"mask": mask}) == keys(x, spec, {"mask": mask.clone()})
    assert keys(x, spec, {"mask": mask}) != keys(x, spec, {"mask": mask.to("meta")})
