"""Run as a program, with Keras on PyTorch: models with pools sent to ONNX; prints as JSON what could not be."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

import poolkit as pk
from poolkit_conformance import compare, oracle
from tests.programs.test_short import SPECS


def pooled(how: str, spec: pk.PoolSpec, x: Any) -> Any:
    return pk.pool(x, spec) if how == "pool" else spec.layer("keras")(x)


def any_of(module: Any) -> Any:
    """Keras says half of the types of its functions."""
    return module


def sizes_of(spec: pk.PoolSpec, by: int) -> tuple[int, ...]:
    return tuple({"N": 2, "C": 4, "H": 13 + by, "W": 17 + by}[c] for c in spec.layout)


def exported(spec: pk.PoolSpec, how: str, any_size: bool, file: Path) -> None:
    """Raises what the exporter does, and `Mismatch` where the numbers are others."""
    sizes = sizes_of(spec, 0)
    known = [None if any_size and c in "HW" else n for c, n in zip(spec.layout, sizes, strict=True)]
    given = any_of(keras).Input(known[1:])
    model = keras.Model(given, pooled(how, spec, given))
    model(np.zeros(sizes, "float32"))  # Keras exports what was called once
    with contextlib.redirect_stdout(io.StringIO()):
        model.export(file, format="onnx", verbose=False)
    session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for by in (0, 5) if any_size else (0,):
        x = np.random.default_rng(0).standard_normal(sizes_of(spec, by)).astype("float32")
        found, *places = session.run(None, {session.get_inputs()[0].name: x})
        expected = oracle.answer(spec, x)
        compare.same_values(f"{spec} in ONNX", "values", spec, np.asarray(found), expected)
        for t in places:
            compare.same_indices(f"{spec} in ONNX", np.asarray(t), expected, "int64")


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for spec in SPECS:
            for how in ("pool", "layer"):
                for any_size in (False, True):
                    try:
                        exported(spec, how, any_size, Path(folder) / "model.onnx")
                    except Exception as error:
                        failed[f"{how} {spec} {'any size' if any_size else 'one size'}"] = str(error)
    sys.stdout.write("\n" + json.dumps(failed) + "\n")


if __name__ == "__main__":
    main()
