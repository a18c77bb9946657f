"""TensorFlow functions with pools, converted to LiteRT: its interpreter gives the numbers of the definition."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit_conformance import compare, oracle
from tests.helpers.support import ROOT

TABLE = re.findall(r"^\| `[^`]*` \| `(pk\.[^`]*)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
SPECS: list[pk.PoolSpec] = [
    *(eval(text, {"pk": pk}) for text in TABLE),
    pk.AdaptiveMaxPool(3, layout="NHWC"),
    pk.PoolSpec("sum", window=3, stride=2, padding=1, layout="NHWC"),
    pk.PoolSpec("softmax", window=2, layout="NHWC"),
    pk.GeM(layout="NHWC", keepdims=False),
]
OPEN = {"one size": "", "any size": "HW", "any batch": "N"}


def interpreter(function: Any, signature: tf.TensorSpec) -> Any:
    module = tf.Module()
    module.function = tf.function(function, input_signature=[signature])
    concrete = module.function.get_concrete_function()
    return tf.lite.Interpreter(
        model_content=tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()
    )


def interpreted(run: Any, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    place = run.get_input_details()[0]["index"]
    run.resize_tensor_input(place, x.shape)
    run.allocate_tensors()
    run.set_tensor(place, x)
    run.invoke()
    return [run.get_tensor(output["index"]) for output in run.get_output_details()]


def larger(shape: tuple[int, ...], spec: pk.PoolSpec, letters: str) -> tuple[int, ...]:
    return tuple(n + 5 if c in letters else n for n, c in zip(shape, spec.layout, strict=True))


@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize("opened", OPEN.values(), ids=OPEN)
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_interpreter_gives_the_numbers_of_the_definition(spec: pk.PoolSpec, opened: str) -> None:
    shape = (1, 13, 17, 4) if spec.layout == "NHWC" else (1, 4, 13, 17)
    sizes = [None if c in opened else n for n, c in zip(shape, spec.layout, strict=True)]
    run = interpreter(lambda x: pk.pool(x, spec), tf.TensorSpec(sizes))

    for x_shape in (shape, larger(shape, spec, opened)) if opened else (shape,):
        x = np.random.default_rng(0).standard_normal(x_shape).astype("float32")
        expected, found = oracle.answer(spec, x), interpreted(run, x)
        values = next(t for t in found if t.dtype == np.float32)
        compare.same_values(f"{spec} in LiteRT on {x_shape}", "values", spec, values, expected)
        if spec.indices:
            places = next(t for t in found if t.dtype != np.float32)
            compare.same_indices(f"{spec} in LiteRT on {x_shape}", places, expected, "int64")


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_sums_of_unknown_length_are_the_own_ones_unless_exact_ones_are_asked_for(layout: str) -> None:
    spec, x = pk.GlobalAvgPool(layout=layout, keepdims=True), tf.fill([300 if c in "HW" else 2 for c in layout], 77.7)
    sizes = [None if c in "HW" else 2 for c in layout]

    def error(route: str | None) -> float:
        run = tf.function(lambda x: pool_through(x, spec, route), input_signature=[tf.TensorSpec(sizes)])
        return float(np.abs(run(x).numpy().astype("float64") / np.float32(77.7) - 1).max() / np.finfo("float32").eps)

    assert error("exact") <= 4
    assert error(None) <= 300 * 300 / 4
    assert "float64" not in pk.lower(spec, "tensorflow").source
    assert "float64" in pk.lower(spec, "tensorflow", route="exact").source


def test_exact_is_the_fold_where_sizes_are_known() -> None:
    spec = pk.GlobalAvgPool(layout="NCHW", keepdims=True)
    shape = (1, 2, 5, 5)
    assert pk.lower(spec, "numpy", shape, route="exact").source == pk.lower(spec, "numpy", shape, route="fold").source
