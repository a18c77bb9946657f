"""Keras layers and functional models, on each of Keras's engines.

The engine is settled when Keras is imported, so each runs in a process of its own.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.helpers.support import python

ENGINES = ("tensorflow", "jax", "torch")

HEAD = """
import json, sys, tempfile, warnings
from pathlib import Path
import keras, numpy as np
import poolkit as pk, poolkit_keras as layers

x = np.random.default_rng(0).standard_normal((2, 9, 11, 3)).astype("float32")
failed = {}

def check(function):
    try:
        function()
    except Exception as error:
        failed[function.__name__] = f"{type(error).__name__}: {error}"

def same(a, b):
    a, b = (np.asarray(keras.ops.convert_to_numpy(t)) for t in (a, b))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)

def pooled(a, *specs):
    for spec in specs:
        a = pk.pool(a, spec)
    return a
"""

CHECKS = """
@check
def masks_are_carried_as_keras_does():
    steps = np.array([[1, 2, 0, 0], [3, 0, 4, 1]], "int32")
    embed = keras.layers.Embedding(5, 3, mask_zero=True)
    ours, own = layers.GlobalAveragePooling1D(), keras.layers.GlobalAveragePooling1D()
    same(keras.Sequential([embed, ours])(steps), keras.Sequential([embed, own])(steps))
    general = pk.GlobalMaxPool(layout="NLC", keepdims=False).layer("keras")
    largest = keras.ops.convert_to_numpy(embed(steps))
    expected = np.where((steps > 0)[..., None], largest, -np.inf).max(1)
    same(keras.Sequential([embed, general])(steps), expected)
    # A functional model that is given the mask, saved and loaded.
    x, m, w = keras.Input((4, 3)), keras.Input((4,), dtype="bool"), keras.Input((4,))
    weighted = pk.GlobalAvgPool(layout="NLC", keepdims=False).layer("keras")
    model = keras.Model([x, m, w], [ours(x, mask=m), weighted(x, mask=m, weight=w)])
    given = [largest, steps > 0, np.full((2, 4), 2.0, "float32")]
    first, second = model(given)
    same(first, keras.Sequential([embed, own])(steps))
    same(second, first)
    again = keras.Model.from_config(model.get_config())
    same(again(given)[1], second)
    assert ours.compute_mask(x, m) is None and not layers.MaxPooling1D(2).supports_masking


@check
def a_layer_takes_all_that_its_operation_takes():
    steps, logits = np.array([[1, 2, 0, 0], [3, 0, 4, 1]], "int32"), x[:, :4, 0, 0]
    options = np.array([0.5, 1, 3], "float32")
    embed = keras.layers.Embedding(5, 3, mask_zero=True)
    avg, gem, soft = (pk.PoolSpec(kind, output_size=1, layout="NLC") for kind in ("avg", "gem", "softmax"))
    s, lw = keras.Input((4,), dtype="int32"), keras.Input((4,))
    p, b = keras.Input(batch_shape=(3,)), keras.Input(batch_shape=(3,))
    e = embed(s)  # whose mask counts beside the other tensors
    model = keras.Model([s, lw, p, b], [
        avg.layer("keras")(e, log_weight=lw), layers.Pool(avg)(e, weight=lw),
        gem.layer("keras")(e, p=p, eps=b), soft.layer("keras")(e, beta=b),
        avg.layer("keras")(e, mask=keras.ops.ones_like(s), log_weight=lw),  # one that is given goes first
    ])
    given, cells, m = [steps, logits, options + 1, options], keras.ops.convert_to_numpy(embed(steps)), steps > 0
    expected = [
        pk.pool(cells, avg, mask=m, log_weight=logits), pk.pool(cells, avg, mask=m, weight=logits),
        pk.pool(cells, gem, mask=m, p=options + 1, eps=options), pk.pool(cells, soft, mask=m, beta=options),
        pk.pool(cells, avg, log_weight=logits),
    ]
    for made in (model, keras.Model.from_config(model.get_config())):
        made.set_weights(model.get_weights())
        for got, wanted in zip(made(given), expected):
            same(got, wanted)
    same(avg.layer("keras")(embed(steps), log_weight=keras.ops.convert_to_tensor(logits)), expected[0])


@check
def named_layers_stack_save_and_load():
    model = keras.Sequential([
        keras.Input((None, None, 3)),
        layers.MaxPooling2D(3, 2, "same"),
        layers.AveragePooling2D(data_format="channels_last"),
        layers.AdaptiveAveragePooling2D((4, 3)),
        layers.Pool(pk.MinPool(3, 1, "same", layout="NHWC")),
        layers.GlobalAveragePooling2D(),
    ])
    expected = pooled(
        x, pk.MaxPool(3, 2, "same", layout="NHWC"), pk.AvgPool(2, layout="NHWC"),
        pk.AdaptiveAvgPool((4, 3), layout="NHWC"), pk.MinPool(3, 1, "same", layout="NHWC"),
        pk.GlobalAvgPool(layout="NHWC", keepdims=False),
    )
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        loaded = keras.models.load_model(f"{folder}/m.keras")
    for m in (model, loaded):
        np.testing.assert_allclose(m.predict(x, verbose=0), expected, atol=1e-6)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]

@check
def a_layer_survives_its_config():
    named = [
        layers.MaxPooling1D(3, 2, "same", "channels_first", "stem"),
        layers.AveragePooling3D((2, 1, 2), padding="same"),
        layers.GlobalMaxPooling1D(keepdims=True), layers.AdaptiveMaxPooling2D((4, None)),
        layers.MaxPooling2D(layout="NWHC"), layers.GlobalAveragePooling3D("channels_first", dtype="float64"),
        layers.Pool(pk.MaxPool(2, layout="NHWC", indices=True), route="fold", name="first"),
    ]
    for layer in named:
        copy = keras.layers.deserialize(json.loads(json.dumps(keras.layers.serialize(layer))))
        same = ("spec", "route", "name", "autocast", "compute_dtype")
        assert type(copy) is type(layer) and all(getattr(copy, a) == getattr(layer, a) for a in same), layer
    assert named[0].spec == pk.MaxPool(3, 2, "same", layout="NCL")

@check
def shapes_dtypes_and_indices_are_declared():
    spec = pk.MaxPool(2, layout="NHWC", indices=True)
    values, indices = layers.Pool(spec)(keras.Input((None, 11, 3), dtype="float16"))
    assert values.shape == indices.shape == (None, None, 5, 3) and values.dtype == "float16"
    got = keras.Model(inputs := keras.Input((None, None, 3)), layers.Pool(spec)(inputs)).predict(x, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(got, pk.pool(x, spec)))
    assert layers.AveragePooling2D()(keras.Input((4, 4, 3), dtype="uint8")).dtype == "float32"

@check
def a_model_learns_through_layers_and_symbolic_pools():
    inputs = keras.Input((None, None, 3))
    y = layers.MaxPooling2D(2)(keras.layers.Conv2D(4, 3)(inputs))
    y = pk.pool(y, pk.GlobalAvgPool(layout="NHWC", keepdims=False))
    model = keras.Model(inputs, keras.layers.Dense(1)(y))
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(x, np.ones((2, 1), "float32"), verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0

@check
def a_subclass_may_hold_layers():
    class Head(keras.Model):
        def __init__(self):
            super().__init__()
            self.pool = layers.GlobalMaxPooling2D()
        def call(self, inputs):
            return self.pool(inputs)
    np.testing.assert_array_equal(Head().predict(x, verbose=0), x.max((1, 2)))

@check
def nan_and_minus_infinity_pass_through_a_compiled_predict():
    stem = pk.MaxPool(3, 2, "same", layout="NHWC")
    whole = pk.GlobalMaxPool(layout="NHWC", keepdims=True)
    inputs = keras.Input((None, None, 3))
    layer = layers.MaxPooling2D(3, 2, "same")
    model = keras.Model(inputs, [pk.pool(inputs, stem), pk.pool(inputs, whole), layer(inputs)])
    if keras.backend.backend() != "torch":
        model.compile(jit_compile=True)
    one = x.copy()
    one[0, 4, 4, 0] = np.nan
    for data in (one, np.full_like(x, -np.inf)):
        for got, spec in zip(model.predict(data, verbose=0), (stem, whole, stem)):
            np.testing.assert_array_equal(got, pk.pool(data, spec))

@check
def long_sums_stay_within_four_eps():
    data = 100 + np.random.default_rng(0).random((1, 512, 512, 1)).astype("float32")
    for shape in ((None, None, 1), (512, 512, 1)):
        inputs = keras.Input(shape)
        model = keras.Model(inputs, pk.pool(inputs, pk.GlobalAvgPool(layout="NHWC", keepdims=False)))
        for filled in (data, np.full_like(data, 77.7)):
            mean = filled.astype("float64").mean((1, 2))
            assert np.abs(model.predict(filled, verbose=0) / mean - 1).max() <= 4 * np.finfo("float32").eps

@check
def half_types_keep_their_dtype_under_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        inputs = keras.Input((None, None, 3))
        y = keras.layers.Conv2D(2, 1)(inputs)
        outputs = [layers.MaxPooling2D(2)(y), pk.pool(y, pk.GlobalAvgPool(layout="NHWC", keepdims=False))]
        assert [o.dtype for o in outputs] == ["bfloat16"] * 2
        assert all(o.dtype.name == "bfloat16" for o in keras.Model(inputs, outputs).predict(x, verbose=0))
        assert layers.MaxPooling2D(2)(inputs).dtype == "float32"  # a float keeps its dtype
        assert layers.MaxPooling2D(2, dtype="mixed_bfloat16")(inputs).dtype == "bfloat16"
    finally:
        keras.mixed_precision.set_global_policy("float32")

@check
def bad_input_is_refused():
    def refused(error, text, function):
        try:
            function()
        except error as e:
            assert text in str(e), e
        else:
            raise AssertionError(text)
    refused(pk.ShapeError, "does not fit axis", lambda: layers.MaxPooling2D(3)(keras.Input((2, 2, 3))))
    refused(pk.ShapeError, "does not fit axis", lambda: layers.MaxPooling2D(3)(np.zeros((1, 2, 2, 3), "float32")))
    refused(pk.SpecError, "give one of them", lambda: layers.MaxPooling2D(data_format="channels_last", layout="NHWC"))
    refused(pk.SpecError, "channels_last", lambda: layers.MaxPooling2D(data_format="NHWC"))
    wide = keras.Input((4, 3), dtype="uint64")
    refused(pk.DtypeError, "uint64", lambda: pk.pool(wide, pk.MaxPool(2, layout="NLC")))
    if keras.backend.backend() != "torch":  # which has no sparse input
        sparse = keras.Input((4, 3), sparse=True)
        refused(pk.InputError, "sparse", lambda: pk.pool(sparse, pk.MaxPool(2, layout="NLC")))
    embedding = keras.layers.Embedding(5, 3, mask_zero=True)(keras.Input((4,), dtype="int32"))
    counted = pk.AvgPool(2, padding="same", layout="NLC", count_include_pad=True)
    refused(pk.InputError, "count_include_pad", lambda: keras.Sequential([
        keras.layers.Embedding(5, 3, mask_zero=True), counted.layer("keras")])(np.ones((1, 4), "int32")))
    soft, cells = pk.SoftPool(2, layout="NLC").layer("keras"), keras.Input((4, 3))
    refused(pk.InputError, "are: mask and beta; leave p out", lambda: soft(cells, p=keras.Input(())))
"""

SPECS = """
SPECS = [
    pk.PoolSpec("avg", output_size=(4, 3), layout="NHWC"),
    pk.PoolSpec("sum", window=2, stride=3, padding="same", layout="NHWC"),
    pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"),
    pk.PoolSpec("min", output_size=1, layout="NHWC"),
    pk.PoolSpec("softmax", window=3, stride=2, ceil_mode=True, layout="NHWC"),
]
"""

SAVE = """
inputs = keras.Input((None, None, 3))
moved = keras.layers.Dense(3, kernel_initializer="identity")(inputs)
keras.Model(inputs, [pk.pool(moved, s) for s in SPECS]).save(sys.argv[1])
"""

LOAD = """
for path in sys.argv[1:]:
    model = keras.models.load_model(path)
    for got, spec in zip(model.predict(x, verbose=0), SPECS):
        np.testing.assert_allclose(np.ravel(got), np.ravel(pk.pool(x, spec)), atol=1e-5, err_msg=str(spec))
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(x, [got * 0 for got in model.predict(x, verbose=0)], verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0
print(json.dumps("loaded"))
"""


def run(code: str, engine: str, *arguments: str) -> Any:
    """What the code prints last, read as JSON."""
    said = f"import sys; sys.argv = ['', *{list(arguments)!r}]\n{code}"
    printed = python(said, KERAS_BACKEND=engine, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    return json.loads(printed.strip().splitlines()[-1])


class First(NamedTuple):
    """What one process an engine did: Keras takes four seconds to import."""

    failed: dict[str, str]
    model: Path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], First]:
    folder = tmp_path_factory.mktemp("saved")

    @functools.cache
    def of(engine: str) -> First:
        path = folder / f"{engine}.keras"
        return First(run(HEAD + CHECKS + SPECS + SAVE + "\nprint(json.dumps(failed))", engine, str(path)), path)

    return of


NAMES = [line.removeprefix("def ").removesuffix("():") for line in CHECKS.splitlines() if line.startswith("def ")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ENGINES)
def test_on_an_engine(engine: str, name: str, first: Callable[[str], First]) -> None:
    assert first(engine).failed.get(name) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_model_of_another_engine_loads_and_learns(engine: str, first: Callable[[str], First]) -> None:
    others = [str(first(name).model) for name in ENGINES if name != engine]

    # Without poolkit_keras: the file holds calls of keras.ops only.
    assert run(HEAD.replace(", poolkit_keras as layers", "") + SPECS + LOAD, engine, *others) == "loaded"
