"""Model files: pyramids whose windows leave cells out, pools that TimeDistributed calls, models in models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl

from poolkit.port.files import port_file
from poolkit.port.report import Ported
from tests.helpers.portmodels import made


def ported(path: Path, outputs: Any, image: Any) -> Ported:
    """The port of a model's config, whose saving needs no weights."""
    (path / "model.json").write_text(keras.Model(image, outputs).to_json())
    return port_file(path / "model.json", "torch")


def test_windows_of_a_pyramid_that_leave_cells_out_have_a_word_on_the_size(tmp_path: Path) -> None:
    image = keras.Input((64, 50, 8))
    pools = [kl.AveragePooling2D((64 // n, 50 // n))(image) for n in (3, 6)]
    rows = ported(tmp_path, [*pools, kl.MaxPooling2D(2)(pools[0])], image).rows
    nested = ported(tmp_path, keras.Model(image, pools, name="pyramid")(image), image).rows

    assert "maps of 64x50, of which it makes 3x3 and leaves the last 1x2 out; a map of another" in rows[0].note
    assert "maps of 64x50, of which it makes 6x6 and leaves the last 4x2 out; a map of another" in rows[1].note
    assert "windows are those" not in rows[2].note
    assert [row.note for row in nested] == [row.note for row in rows[:2]]


STEPS = keras.Input((5, 9, 8, 3))


@pytest.mark.parametrize("pool", [kl.MaxPooling2D(3, 2, "same"), kl.GlobalAveragePooling2D()])
def test_a_pool_of_every_step_is_one_pool(tmp_path: Path, pool: Any) -> None:
    model = keras.Model(STEPS, kl.TimeDistributed(pool, name="each")(STEPS))
    result = ported(tmp_path, model.outputs, STEPS)
    x = np.random.default_rng(0).normal(size=(2, 5, 9, 8, 3)).astype("float32")
    mine = made(result)["each"](torch.from_numpy(np.moveaxis(x, -1, 2))).numpy()

    expected = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(mine if expected.ndim == 3 else np.moveaxis(mine, 2, -1), expected, rtol=1e-5, atol=1e-6)
    assert "it pools every step" in result.rows[0].note


def test_a_model_of_every_step_has_pools_of_its_own(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((9, 8, 3)), kl.MaxPooling2D(2, name="pool")], name="inner")
    [row] = ported(tmp_path, kl.TimeDistributed(inner, name="each")(STEPS), STEPS).rows

    assert (row.where, row.status, row.after) == ("each/inner/pool", "exact", "nn.MaxPool2d(2)")
    assert "each calls inner for every step: fold the steps into the batch" in row.note


def test_a_program_says_what_it_makes_of_what(tmp_path: Path) -> None:
    mean = kl.Lambda(lambda x: keras.ops.mean(x, (1, 2)), output_shape=(3,))
    [row] = ported(tmp_path, kl.TimeDistributed(mean)(STEPS), STEPS).rows

    assert row.status == "failed"
    assert row.note.endswith("it makes 3 of 9x8x3")


def test_models_in_models_that_are_called_twice(tmp_path: Path) -> None:
    inner_image = keras.Input((None, None, 3))
    inner = keras.Model(
        inner_image, [kl.MaxPooling2D(2, name="pool")(inner_image), kl.ReLU()(inner_image)], name="inner"
    )
    deep = keras.Sequential([keras.Input((None, None, 3)), kl.AveragePooling2D(2, name="pool")], name="deep")
    one, two = keras.Input((8, 8, 3)), keras.Input((6, 6, 3))
    rows = ported(tmp_path, [inner(deep(one))[0], inner(deep(two))[1], deep(two)], [one, two]).rows

    assert [row.where for row in rows] == ["deep/pool", "inner/pool"]
    assert all(row.status == "exact" for row in rows)


def test_layers_without_names_are_counted(tmp_path: Path) -> None:
    pools = [{"class_name": "MaxPooling2D", "config": {"pool_size": [n, n]}} for n in (2, 3)]
    inner = [{"class_name": "Sequential", "config": [pool, pool]} for pool in pools]
    (tmp_path / "model.json").write_text(json.dumps({"class_name": "Sequential", "config": inner}))
    found = port_file(tmp_path / "model.json", "torch")
    assert [row.where for row in found.rows] == [
        "Sequential/MaxPooling2D",
        "Sequential/MaxPooling2D_1",
        "Sequential_1/MaxPooling2D",
        "Sequential_1/MaxPooling2D_1",
    ]
