"""`pk.Chain`: pools one after the other; its numbers are the suite's, here is what stands around them."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import poolkit as pk
from poolkit.spec.operation import Operation, operation_from_dict

FIVE = pk.MaxPool(5, 1, "same", layout="NCHW")
SPPF = pk.Chain((FIVE,) * 3, keep="cat")
MAX_BLUR = pk.Chain((pk.MaxPool(2, 1, layout="NCHW"), pk.BlurPool(3, 2, padding=1, layout="NCHW")))
X = np.random.default_rng(0).standard_normal((2, 3, 9, 8)).astype("float32")


@pytest.mark.parametrize("chain", [SPPF, MAX_BLUR])
def test_it_comes_back_from_every_form_in_which_it_is_kept(chain: pk.Chain) -> None:
    assert eval(repr(chain), {"Chain": pk.Chain, "PoolSpec": pk.PoolSpec}) == chain
    assert Operation.parse(str(chain)) == pk.Chain.parse(str(chain)) == chain
    assert operation_from_dict(chain.to_dict()) == pickle.loads(pickle.dumps(chain)) == copy.copy(chain) == chain
    assert pk.read(f"pk.{chain!r}") == chain


def test_a_change_reaches_every_part() -> None:
    assert [part.layout for part in SPPF.replace(layout="NHWC", keep=None).parts] == ["NHWC"] * 3
    assert SPPF.replace(parts=SPPF.parts[:2]).output_shape((1, 4, 8, 8)) == (1, 12, 8, 8)


def test_a_chain_is_its_parts_one_after_the_other() -> None:
    halves = torch.from_numpy(X).half()
    twice = pk.Chain((pk.AvgPool(2, layout="NCHW"), pk.AvgPool(2, layout="NCHW")))

    torch.testing.assert_close(twice(halves), twice.parts[1](twice.parts[0](halves)), rtol=0, atol=0)
    assert twice(halves).dtype == torch.float16
    assert twice((X * 10).astype("int16")).dtype == np.float32


def test_sizes_may_be_symbols() -> None:
    compiled = torch.compile(lambda x: MAX_BLUR(x), dynamic=True, fullgraph=True, backend="eager")
    for n in (5, 6):
        x = torch.randn(1, 2, n, n + 1)
        torch.testing.assert_close(compiled(x), MAX_BLUR(x))

    same = pk.Chain((pk.MaxPool(3, 2, "same", layout="NCHW"), pk.AvgPool(3, 2, "same", layout="NCHW")))
    traced = tf.function(lambda x: same(x), input_signature=[tf.TensorSpec([None, None, None, None])])
    exported = jax.export.export(jax.jit(same))(
        jax.ShapeDtypeStruct(jax.export.symbolic_shape("n, 3, h, w"), "float32")
    )
    for n in (4, 5, 6, 7, 9):
        np.testing.assert_allclose(traced(X[:, :, :n, :n]), same(X[:, :, :n, :n]), rtol=1e-6)
        np.testing.assert_allclose(exported.call(jnp.asarray(X[:, :, :n, :n])), same(X[:, :, :n, :n]), rtol=1e-6)


def test_layers_are_saved(tmp_path: Path) -> None:
    torch.save(SPPF.layer("torch"), tmp_path / "layer.pt")
    again = torch.load(tmp_path / "layer.pt", weights_only=True)
    np.testing.assert_array_equal(again(torch.from_numpy(X)), SPPF(X))

    last = SPPF.replace(layout="NHWC")
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, [last.layer("keras")(inputs), last(inputs)])
    model.save(tmp_path / "m.keras")
    for y in keras.saving.load_model(tmp_path / "m.keras")(X.transpose(0, 2, 3, 1)):
        np.testing.assert_array_equal(y, SPPF(X).transpose(0, 2, 3, 1))


def test_a_mask_is_the_first_parts() -> None:
    chain, mask = pk.Chain((pk.AvgPool(2, layout="NCHW"), pk.SumPool(2, layout="NCHW"))), X[:, 0] > 0
    found = pk.pool(X, chain, mask=mask)

    np.testing.assert_allclose(found, chain.parts[1](pk.pool(X, chain.parts[0], mask=mask)), rtol=1e-6)
    with pytest.raises(pk.InputError, match=r"received samples .*takes besides its input are: mask"):
        pk.pool(X, pk.Chain((pk.StochasticPool(2, layout="NCHW"), FIVE)), samples=X)


def test_it_is_explained_and_counted_part_by_part() -> None:
    told = MAX_BLUR.explain((1, 1, 6, 6))

    assert told.count("NCHW (1, 1, ") == 4
    assert "NCHW (1, 1, 5, 5) -> NCHW (1, 1, 3, 3)" in told
    parts = MAX_BLUR.parts
    counted = parts[0].cost((1, 1, 6, 6)).operations + parts[1].cost((1, 1, 5, 5)).operations
    assert MAX_BLUR.cost((1, 1, 6, 6)) == (counted, 4 * (36 + 9), 0)
    assert len(pk.routes(MAX_BLUR, "torch", (1, 1, 6, 6))) > 1


def test_differences() -> None:
    sizes = (1, 5, 9, 13)
    side_by_side = pk.Mix([pk.MaxPool(k, 1, "same", layout="NCHW") for k in sizes], how="cat")

    found = pk.diff(SPPF, side_by_side)
    assert found.agree == "at every size, as tried on square maps up to 12"
    assert found.differences == (
        "A puts 3 pools one after the other and side by side with the input; "
        "B puts 4 pools side by side along the channels",
    )
    assert pk.diff(SPPF, SPPF.replace(layout="NHWC")).equal
    other = pk.diff(str(MAX_BLUR), MAX_BLUR.changed(lambda part: part.replace(stride=1)))
    assert not other.equal
    assert other.differences[0].startswith("part 2: ")


IMPOSSIBLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pk.Chain((FIVE,)), pk.SpecError, "a chain has two PoolSpecs or more; write it as in Chain((a, b))"),
    (lambda: pk.Chain((FIVE, FIVE.replace(layout="NHWC"))), pk.SpecError, "all parts of a chain have one layout"),
    (lambda: pk.Chain((FIVE, FIVE), keep="add"), pk.SpecError, 'keep="add", and a chain keeps its last result'),
    (lambda: pk.Chain((FIVE.replace(indices=True), FIVE)), pk.SpecError, "a chain of elements has no position"),
    (lambda: pk.Chain((pk.GlobalMaxPool(layout="NCL", keepdims=False),) * 2), pk.SpecError, "needs the axes of the"),
    (lambda: pk.Chain((pk.MaxPool(2, layout="NHW"),) * 2, keep="cat"), pk.SpecError, "name the channels C"),
    (lambda: pk.Chain.parse("chain(max window=2)"), pk.SpecError, "no layout"),
    (lambda: pk.Chain.parse("max window=2 layout=NCL"), pk.SpecError, 'such a text is written as in "chain('),
    (lambda: SPPF.replace(stride=2)(X), pk.ShapeError, 'give every part stride=1 and padding="same"'),
    (lambda: pk.native(SPPF, "torch"), pk.NotExactError, "it is a composite of several pools"),
]


@pytest.mark.parametrize(("make", "error", "text"), IMPOSSIBLE)
def test_what_is_impossible(make: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        make()
