"""`pk.Pyramid`: maps of several sizes, or one vector; its numbers are the suite's, here is what stands around them."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.spec.operation import Operation, operation_from_dict

SPP = pk.Pyramid("max", levels=(1, 2, 4), layout="NCHW", flatten=True)
PSP = pk.Pyramid("avg", levels=(1, 2, 3, 6), layout="NHWC")
UNEVEN = pk.Pyramid("lp", levels=(1, (2, 3)), layout="NTHWC", axes="HW", p=3.0)
X = np.random.default_rng(0).standard_normal((2, 3, 9, 8)).astype("float32")


@pytest.mark.parametrize("pyramid", [SPP, PSP, UNEVEN, pk.Pyramid("min", levels=(3,), layout="channels_last")])
def test_it_comes_back_from_every_form_in_which_it_is_kept(pyramid: pk.Pyramid) -> None:
    assert eval(repr(pyramid), {"Pyramid": pk.Pyramid}) == pyramid
    assert Operation.parse(str(pyramid)) == pk.Pyramid.parse(str(pyramid)) == pyramid
    assert operation_from_dict(pyramid.to_dict()) == pickle.loads(pickle.dumps(pyramid)) == pyramid
    assert pk.read(f"pk.{pyramid!r}") == pyramid


def test_the_vector_is_what_is_written_by_hand_in_pytorch() -> None:
    x = torch.from_numpy(X)
    by_hand = torch.cat([torch.nn.functional.adaptive_max_pool2d(x, n).flatten(1) for n in (1, 2, 4)], 1)

    torch.testing.assert_close(SPP(x), by_hand, rtol=0, atol=0)
    np.testing.assert_array_equal(SPP.replace(layout="NHWC")(X.transpose(0, 2, 3, 1)), by_hand)


def test_sizes_move_with_their_letters() -> None:
    assert UNEVEN.replace(layout="NWHTC").levels == (1, (3, 2))
    assert UNEVEN.replace(kind="avg", options={}).poolings()[1].output_size == (2, 3)


def test_sizes_may_be_symbols() -> None:
    x = torch.from_numpy(X)
    compiled = torch.compile(lambda x: SPP(x), dynamic=True, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), SPP(x))
    torch.testing.assert_close(compiled(x[:1, :, :7]), SPP(x[:1, :, :7]))

    traced = tf.function(lambda x: SPP(x), input_signature=[tf.TensorSpec([None, None, None, None])])
    np.testing.assert_allclose(traced(X), SPP(X))
    static = tf.function(lambda x: SPP(x)).get_concrete_function(tf.TensorSpec([None, 3, 9, 8]))
    assert static.outputs[0].shape.as_list() == [None, 63]


def test_layers_are_saved(tmp_path: Path) -> None:
    torch.save(SPP.layer("torch"), tmp_path / "layer.pt")
    again = torch.load(tmp_path / "layer.pt", weights_only=True)
    np.testing.assert_array_equal(again(torch.from_numpy(X)), SPP(X))

    inputs = keras.Input((9, 8, 3))
    last = SPP.replace(layout="NHWC")
    vectors = [last(inputs), last.layer("keras")(inputs)]
    assert [y.shape for y in vectors] == [(None, 63)] * 2
    model = keras.Model(inputs, [*vectors, *PSP.layer("keras")(inputs)])
    model.save(tmp_path / "m.keras")
    first, second, *maps = keras.saving.load_model(tmp_path / "m.keras")(X.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(first, SPP(X))
    np.testing.assert_array_equal(second, SPP(X))
    for y, expected in zip(maps, PSP(X.transpose(0, 2, 3, 1)), strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(y), expected, rtol=1e-5, atol=1e-6)
    assert PSP.layer("keras").compute_output_shape((None, None, None, 3))[3] == (None, 6, 6, 3)


def test_a_vector_of_unknown_sizes_in_keras() -> None:
    inputs = keras.Input((3, None, None))
    y = keras.Model(inputs, [SPP(inputs), SPP.layer("keras")(inputs)])(X)
    np.testing.assert_array_equal(y[0], SPP(X))
    np.testing.assert_array_equal(y[1], SPP(X))


def test_it_is_explained_counted_and_compared_level_by_level() -> None:
    assert PSP.explain((1, 12, 12, 3)).count(" -> ") == 4
    counted = sum(part.cost((1, 12, 12, 3)).operations for part in PSP.poolings())
    assert PSP.cost((1, 12, 12, 3)) == (counted, 4 * 3 * (144 + 50), 0)
    assert pk.diff(PSP, PSP.replace(layout="NCHW")).equal
    found = pk.diff(PSP, PSP.replace(kind="max"))
    assert [said.split(":")[0] for said in found.differences] == ["part 1", "part 2", "part 3", "part 4"]
    assert found.cells
    assert pk.diff(PSP, PSP.replace(flatten=True)).differences == (
        "A puts 4 pools in a tuple; B puts 4 pools in one vector",
    )


IMPOSSIBLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pk.Pyramid("avg", levels=(), layout="NCHW"), pk.SpecError, "a pyramid has one level or more"),
    (lambda: pk.Pyramid("avg", levels=3, layout="NCHW"), pk.SpecError, "levels=3, and a pyramid has"),  # type: ignore[arg-type]
    (lambda: pk.Pyramid("avg", levels=(0,), layout="NCHW"), pk.SpecError, "output_size=0"),
    (lambda: pk.Pyramid("avg", levels=(1,), layout="NCHW", window=2), pk.SpecError, "window=2, and Pyramid takes only"),
    (lambda: pk.Pyramid("avg", levels=(1,), layout="NCHW", p=2.0), pk.SpecError, "p=2.0"),
    (lambda: pk.Pyramid("blur", levels=(1,), layout="NCHW"), pk.SpecError, "blur"),
    (lambda: pk.Pyramid("avg", layout="NCHW"), pk.SpecError, "no levels, and Pyramid needs it"),  # type: ignore[call-arg]
    (lambda: pk.Pyramid("max", levels=(1,), layout="NCHW", flatten=1), pk.SpecError, "flatten=1"),  # type: ignore[arg-type]
    (lambda: pk.Pyramid.parse("max window=2"), pk.SpecError, "no levels, and Pyramid needs it"),
    (lambda: PSP(X[0]), pk.ShapeError, "NHWC"),
    (lambda: pk.native(PSP, "torch"), pk.NotExactError, "it is a composite of several pools"),
]


@pytest.mark.parametrize(("make", "error", "text"), IMPOSSIBLE)
def test_what_is_impossible(make: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        make()
