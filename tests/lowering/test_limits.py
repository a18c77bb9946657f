"""Windows, bins and outputs by the million: an answer in seconds, or the limit."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.lowering import count, fold
from poolkit.lowering.geometry import axes_of
from poolkit.programs import recorder
from poolkit.running import dispatch
from poolkit.tools.cost import cost

MILLION = 10**6
SPECS = {
    "bins": pk.AdaptiveMaxPool(MILLION, layout="NCL"),
    "averages": pk.AdaptiveAvgPool(MILLION, layout="NCL"),
    "window": pk.MaxPool(MILLION, layout="NCL"),
    "stride 1": pk.MaxPool(MILLION, 1, layout="NCL"),
    "same": pk.AvgPool(MILLION, 7, "same", layout="NCL"),
    "padding": pk.AvgPool(MILLION, 3, MILLION // 2, layout="NCL"),
    "dilation": pk.AvgPool(3, 2, MILLION, dilation=MILLION, layout="NCL"),
    "strides": pk.MaxPool(2, MILLION, "same", layout="NCL"),
    "softmax": pk.PoolSpec("softmax", window=MILLION, layout="NCL"),
    "outputs": pk.AvgPool(3, 1, "same", layout="NCL"),
    "indices": pk.MaxPool(MILLION, layout="NCL", indices=True),
}
SHAPE = (1, 1, 3 * MILLION + 1)


@pytest.mark.parametrize("shape", [SHAPE, None], ids=["a shape", "every size"])
@pytest.mark.parametrize("backend", pk.backends())
@pytest.mark.parametrize("name", SPECS)
def test_lower_ends(name: str, backend: str, shape: tuple[int, ...] | None) -> None:
    start = time.process_time()
    try:
        assert len(pk.lower(SPECS[name], backend, shape).source) < 10**5
    except pk.ShapeError as error:
        assert f"there may be {fold.MOST} of them" in str(error)  # noqa: PT017  # either outcome is right
    assert time.process_time() - start < 15


@pytest.mark.parametrize("name", SPECS)
def test_explain_and_cost_end(name: str) -> None:
    start = time.process_time()
    assert len(SPECS[name].explain(SHAPE)) < 3000
    assert SPECS[name].cost(SHAPE).operations >= 0
    assert SPECS[name].output_shape(SHAPE)[2] in range(1, 2 * SHAPE[2])
    assert time.process_time() - start < 5


def test_the_limits_are_said() -> None:
    with pytest.raises(pk.ShapeError, match=r"received 1000000 bins along axis L, and .* there may be 32768 of them"):
        pk.lower(SPECS["bins"], "jax")
    with pytest.raises(pk.ShapeError, match="received 1000000 cells of a window along axis L"):
        pk.lower(SPECS["softmax"], "numpy", SHAPE)
    with pytest.raises(pk.ShapeError, match=r"windows of 2000000 cells .* 1048576 at the most"):
        pk.MaxPool(2 * MILLION, 1, layout="NCL").cost((1, 1, 5 * MILLION))
    with pytest.raises(pk.ShapeError, match="dilation of 20000000, and over 5 cells 1048576 is the most"):
        pk.MaxPool(60, 1, 10**9, dilation=20000000, layout="NCL").output_shape((1, 1, 5))


def test_diff_of_a_map_that_is_too_large() -> None:
    with pytest.raises(pk.ShapeError, match="maps of up to 4194304 cells are compared"):
        pk.diff(SPECS["outputs"], pk.MaxPool(3, layout="NCL"), (1, 2, 2**31))


def test_a_program_of_too_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST", 20)
    with pytest.raises(pk.ShapeError, match="whose program has more than 20 calls"):
        pk.lower(pk.PoolSpec("softmax", window=20, layout="NCL"), "numpy")


def random_spec(rng: np.random.Generator) -> tuple[pk.PoolSpec, tuple[int, ...]]:
    window, stride, dilation, low, high = (int(n) for n in rng.integers((1, 1, 1, 0, 0), (6, 5, 4, 6, 6)))
    n = int(rng.integers(1, 30))
    if rng.random() < 0.3:
        return pk.AdaptiveAvgPool(window, layout="NCL"), (2, 3, n)
    spec = pk.AvgPool(
        window, stride, ((low, high),), dilation=dilation, ceil_mode=bool(rng.random() < 0.5), layout="NCL"
    )
    return spec, (2, 3, n)


def test_costs_are_those_of_cells_that_are_counted_one_by_one() -> None:
    rng, counted = np.random.default_rng(3), 0
    while counted < 300:
        spec, shape = random_spec(rng)
        try:
            (axis,) = axes_of(spec, 3, lambda at, shape=shape: (shape[at], True))  # type: ignore[misc]
        except pk.ShapeError:
            continue
        counted += 1
        assert cost(spec, shape).operations == 6 * sum(map(len, axis.ranges())), (spec, shape)


def test_divisors_that_a_program_computes_are_those_that_it_writes_down(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, counted = np.random.default_rng(4), 0
    while counted < 100:
        spec, shape = random_spec(rng)
        results: list[Any] = []
        try:
            for written in (2**14, 0):
                dispatch.forget()
                monkeypatch.setattr(count, "WRITTEN", written)
                results.append(pk.pool(np.arange(6.0 * shape[2]).reshape(shape), spec))
        except pk.ShapeError:
            continue
        counted += 1
        np.testing.assert_array_equal(*results, err_msg=f"{spec} {shape}")


def test_padding_and_bins_that_no_memory_holds() -> None:
    x = np.ones((1, 1, 4), "float32")
    for spec in (
        pk.AdaptiveAvgPool(2**31 - 1, layout="NCL"),
        pk.AvgPool(2**31 - 1, 1, "causal", layout="NCL"),
        pk.MaxPool(2**30, 1, 2**30 - 1, layout="NCL"),
        pk.PoolSpec("max", window=3, dilation=2**30, padding="same", layout="NCL"),
    ):
        with pytest.raises(pk.ShapeError, match=r"received 4 cells along L, .* 67108864 is the most"):
            pk.pool(x, spec)


@pytest.mark.parametrize(("spec", "call", "most"), [("max", "np.where(", 6), ("avg", " + ", 8)])
def test_the_calls_of_a_window_go_by_its_logarithm(spec: str, call: str, most: int) -> None:
    pool = pk.PoolSpec(spec, window=63, stride=1, layout="NCL")
    source = pk.lower(pool, "numpy", (1, 2, 100), route="fold").source
    assert 1 <= source.count(call) <= most, source


def test_a_window_whose_size_is_a_large_prime_is_not_factored_by_trying_each_number() -> None:
    """2**31 - 1 is prime: divisors are looked for up to its root, in milliseconds instead of minutes."""
    started = time.process_time()

    for spec in (pk.AvgPool(2**31 - 1, 1, layout="NCL"), pk.MaxPool(2**31 - 1, 1, layout="NCL", indices=True)):
        assert "def pool(x):" in pk.lower(spec, "numpy").source

    assert time.process_time() - started < 10
