"""Large arrays are pooled in parts: the same bits, little memory besides the result, and a file is never read whole."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.lowering import written as parts
from poolkit.running import dispatch
from tests.conftest import Fuzz

Array = np.ndarray[Any, Any]

SMALL = (7, 3, 9, 12)
AT_ONCE = [pk.GlobalAvgPool(layout="NHWC", keepdims=False)]  # one reduction, which holds nothing between
SPECS = [
    pk.MaxPool(3, 2, 1, layout="NCHW"),
    pk.MaxPool(3, 2, "same", layout="NHWC", indices=True),
    pk.AvgPool(3, 1, "same", layout="NCHW"),
    pk.AvgPool(3, 2, 1, layout="NHWC", ceil_mode=True),
    pk.AdaptiveAvgPool((3, 5), layout="NCHW"),
    pk.PoolSpec("max", output_size=1, layout="NCHW", keepdims=False, indices=True),
    pk.PoolSpec("max", window=2, layout="NHTC", axes="T"),
    pk.PoolSpec("softmax", window=3, stride=2, layout="...WC"),
    pk.PoolSpec("median", window=3, layout="NCHW"),
    pk.PoolSpec("lp", p=3, window=2, layout="NCHW"),
    pk.Mix([pk.MaxPool(2, layout="NHWC"), pk.AvgPool(2, layout="NHWC")], how="add"),
    pk.Mix([pk.MaxPool(2, layout="NCHW"), pk.AvgPool(2, layout="NCHW")], how="cat"),
    *AT_ONCE,
]


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    dispatch.forget()
    yield
    dispatch.forget()


def result(x: Array, spec: Any) -> tuple[Array, ...]:
    found: Any = pk.pool(x, spec)
    return found if spec.indices else (found,)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_bits_are_those_of_the_whole(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(SMALL).astype(dtype) for dtype in ("float32", "float64", "float16")]
    inputs += [x[:1] for x in inputs]
    wanted = [result(x, spec) for x in inputs]
    monkeypatch.setattr(parts, "LARGE", 0)
    monkeypatch.setattr(parts, "PART", 900)  # two maps in float32: parts of 2 of 3 maps, and the last is shorter
    dispatch.forget()
    for x, whole in zip(inputs, wanted, strict=True):
        for mine, other in zip(result(x, spec), whole, strict=True):
            assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
            assert mine.tobytes() == other.tobytes(), f"{spec} {x.shape} {x.dtype}"
    in_parts = ["def in_parts" in source for source in sources()]
    assert set(in_parts) == ({True} if spec not in AT_ONCE else {True, False})  # halves are widened first


STRIPS = [
    pk.AvgPool(3, 1, "same", layout="HW"),
    pk.AvgPool(3, 2, ((1, 0), (0, 1)), layout="CHW", count_include_pad=True),
    pk.AvgPool(2, 3, layout="CHW", ceil_mode=True, dilation=2),
    pk.AvgPool(5, 4, 2, layout="NHWC", ceil_mode=True),
    pk.MaxPool(3, 2, "same_lower", layout="HWC"),
    pk.MaxPool(3, (2, 1), 1, layout="CHW", indices=True),
    pk.MinPool((2, 4), 2, "causal", layout="NHWC", indices=True),
    pk.SumPool((1, 3), (3, 1), layout="CHW"),
    pk.PoolSpec("median", window=3, padding="same", layout="HW"),
    pk.PoolSpec("softmax", window=3, stride=2, layout="CHW"),
    pk.PoolSpec("blur", window=3, stride=2, pad_mode="reflect", layout="NCHW"),
    pk.PoolSpec("std", window=4, stride=3, layout="NHWC"),
    pk.MaxPool(2, 10, 1, layout="HW"),
]


def same_in_strips(x: Array, spec: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether it was pooled in strips, which have the bits of the whole."""
    found: list[tuple[Array, ...]] = []
    for large in (math.inf, 0):
        monkeypatch.setattr(parts, "LARGE", large)
        monkeypatch.setattr(parts, "STRIP", 0)
        dispatch.forget()
        found.append(result(x, spec))
    for mine, other in zip(*found, strict=True):
        assert (mine.dtype, mine.shape, mine.tobytes()) == (other.dtype, other.shape, other.tobytes())
    return "def in_strips" in sources()[0]


@pytest.mark.parametrize("spec", STRIPS, ids=str)
def test_strips_of_a_map_have_the_bits_of_the_whole(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    leading = {"HW": (), "HWC": (), "CHW": (2,), "NHWC": (2,), "NCHW": (1, 2)}[spec.layout]
    for rows in (97, 98, 99, 100):
        behind = (2,) if spec.layout.endswith("C") else ()
        x = np.random.default_rng(rows).standard_normal((*leading, rows, 11, *behind)).astype("float32")
        assert same_in_strips(x, spec, monkeypatch)
        assert result(x[:0], spec)[0].shape[0] == 0 if leading else True


def test_any_windows_in_strips_have_the_bits_of_the_whole(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    for rng in fuzz:
        window, stride, dilation = rng.randint(1, 4), rng.randint(1, 16), rng.randint(1, 2)
        around = ((rng.randint(0, window + 1), rng.randint(0, window + 1)), (0, 0))
        sizes: dict[str, Any] = {"window": (window, 2), "stride": (stride, 1), "dilation": dilation}
        sizes |= {"padding": around, "ceil_mode": rng.random() < 0.5}
        spec = pk.PoolSpec(rng.choice(["avg", "max"]), **sizes, layout="HW")
        spec = spec.replace(indices=True) if spec.kind == "max" and rng.random() < 0.5 else spec
        x = np.random.default_rng(rng.randint(0, 2**31)).standard_normal((rng.randint(4, 160), 5))
        try:
            fuzz.count("in strips" if same_in_strips(x, spec, monkeypatch) else "whole")
        except pk.ShapeError:  # a window of padding alone
            fuzz.count("refused")


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_a_map_takes_little_memory_besides_the_result(kind: str) -> None:
    """Measured: 0.1 of the map; at once averages take 2, maxima 1."""
    x = np.random.default_rng(0).random((2000, 2000), "float32")
    spec = pk.PoolSpec(kind, window=3, stride=1, padding="same", layout="HW")
    pk.pool(x, spec)
    tracemalloc.start()
    found = pk.pool(x, spec)
    extra = tracemalloc.get_traced_memory()[1] - found.nbytes
    tracemalloc.stop()
    assert extra <= 0.3 * x.nbytes, f"{extra / x.nbytes:.2f}"


def test_what_takes_a_mask_is_pooled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LARGE", 0)
    x, spec = np.random.default_rng(0).random(SMALL), pk.AvgPool(2, layout="NCHW")
    np.testing.assert_array_equal(pk.pool(x, spec, mask=np.ones(SMALL, bool)), pk.pool(x, spec))
    assert ["in_parts" in source for source in sources()] == [False, True]


def sources() -> list[str]:
    """Of what has run."""
    return [program.source for program in dispatch._PROGRAMS["numpy"].values()]  # pyright: ignore[reportPrivateUsage]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 MB, which only a program that reads it all at once takes 16 MB for."""
    path = tmp_path_factory.mktemp("parts") / "x.npy"
    x = np.lib.format.open_memmap(path, "w+", "float32", (16, 16, 128, 128))
    x[...] = np.random.default_rng(0).random((16, 1, 128, 128), "float32")
    return path


@pytest.mark.parametrize("shape", [(16, 16, 128, 128), (1, 256, 128, 128)], ids=str)
def test_a_file_takes_little_memory_besides_the_result(file: Path, shape: tuple[int, ...]) -> None:
    """Measured: at most 0.22 of the array, of soft maxima; at once they take 12.8, and averages of 3 take 4.0."""
    x = np.load(file, mmap_mode="r").reshape(shape)
    for spec in (
        pk.MaxPool(3, 2, 1, layout="NCHW"),
        pk.MaxPool(3, 2, 1, layout="NCHW", indices=True),
        pk.AvgPool(3, 1, "same", layout="NCHW"),
        pk.AvgPool(2, layout="NCHW"),
        pk.GlobalAvgPool(layout="NHWC", keepdims=True),
        pk.AdaptiveAvgPool(7, layout="NCHW"),
        pk.SoftPool(3, 2, layout="NCHW"),
    ):
        if spec.layout == "NHWC" and shape[0] == 1:
            continue
        tracemalloc.start()
        found = result(x, spec)
        peak = tracemalloc.get_traced_memory()[1] - sum(t.nbytes for t in found)
        tracemalloc.stop()
        assert peak <= 0.3 * x.nbytes, f"{spec}: {peak / x.nbytes:.2f}"


def test_what_runs_in_parts_says_so_and_runs_alone() -> None:
    spec, shape = pk.MaxPool(3, 2, 1, layout="NCHW"), (2, 256, 80, 80)
    program = pk.lower(spec, "numpy", shape, route="fold")
    assert "@in_parts\ndef pool(x):" in program.source
    assert "Pool 10 at a time" in program.source
    alone: dict[str, Any] = {}
    exec(program.source, alone)
    x = np.random.default_rng(0).random(shape, "float32")
    np.testing.assert_array_equal(alone["pool"](x), pk.pool(x, spec))
    assert ["@in_parts" in source for source in sources()] == [True, True]  # what `pool` has taken, too
    assert alone["pool"](x[:0]).shape == (0, 256, 40, 40)
    assert "in_parts" in pk.lower(spec, "numpy", (4, *shape[1:]), dtype="bfloat16", route="fold").source
    for smaller in ((2, 3, 80, 80), (1, 512, 8, 8)):
        assert "in_parts" not in pk.lower(spec, "numpy", smaller, route="fold").source
    assert "in_parts" not in pk.lower(spec, "numpy", shape).source  # its own view of windows holds nothing between
