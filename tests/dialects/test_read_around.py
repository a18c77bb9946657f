"""What stands beside the arguments that pool: masks, dtypes, old names, wrappers, and pools by another name."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch.nn import functional

import poolkit as pk
from poolkit.errors import NotExactError
from poolkit.port.audit import audit
from poolkit.port.python.source import port_source
from poolkit.port.report import Row

KERAS = "import keras\nfrom keras import layers\n\n"
GAP = "layers.GlobalAveragePooling1D()"


def row(source: str, to: str | None = "torch") -> Row:
    [found] = port_source(source, to).rows
    return found


@pytest.mark.parametrize("given", ["mask=m", "training=False, mask=m", "m", "**more"])
def test_a_layer_that_is_called_with_a_mask(given: str) -> None:
    with pytest.raises(pk.NotExactError, match="is called with a mask, which leaves steps out"):
        pk.read(f"keras.{GAP}(x, {given})")
    assert pk.read(f"keras.{GAP}(x, mask=None)") == pk.GlobalAvgPool(layout="NLC", keepdims=False)


@pytest.mark.parametrize("masks", ["layers.Masking(0.0)", "layers.Embedding(9, 4, mask_zero=True)"])
@pytest.mark.parametrize("to", ["torch", None])
def test_a_mask_that_a_layer_before_makes(masks: str, to: str | None) -> None:
    found = row(f"{KERAS}model = keras.Sequential([{masks}, {GAP}])\n", to)
    assert found.status == "caveat"
    assert "leaves masked steps out, and the port does not" in found.note


def test_no_mask_where_none_is_made() -> None:
    assert row(f"{KERAS}a = [layers.Embedding(9, 4, mask_zero=False), {GAP}]\n").status == "exact"


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16", "float64"])
def test_a_dtype_casts(dtype: str) -> None:
    layer = keras.layers.MaxPooling2D(2, dtype=dtype)
    for given in (layer, keras.layers.serialize(layer), f"keras.layers.MaxPooling2D(2, dtype='{dtype}')"):
        with pytest.raises(pk.NotExactError, match=f"dtype={dtype} casts what is pooled"):
            pk.read(given)
    found = row(f"{KERAS}y = layers.MaxPooling2D(2, dtype={dtype!r})(x)\n")
    assert (found.status, found.after) == ("caveat", "torch.nn.MaxPool2d(2)(x)")
    assert f'dtype="{dtype}" casts what it is given' in found.note
    assert pk.read(keras.layers.MaxPooling2D(2, dtype="float32")) == pk.MaxPool(2, layout="NHWC")


@pytest.mark.parametrize("call", ["mixed_precision.set_global_policy", "config.set_dtype_policy", "backend.set_floatx"])
def test_a_policy_casts(call: str) -> None:
    pool = "y = layers.MaxPooling2D(2)(x)\n"
    assert row(f"{KERAS}keras.{call}('mixed_float16')\n{pool}").status == "caveat"
    assert row(f"{KERAS}keras.{call}(name)\n{pool}").status == "caveat"
    assert row(f"{KERAS}keras.{call}('float32')\n{pool}").status == "exact"


def test_names_of_keras_1() -> None:
    same = pk.MaxPool(3, 2, "same", layout="NCHW")
    assert pk.read("keras.layers.MaxPooling2D((3, 3), (2, 2), border_mode='same', dim_ordering='th')") == same
    assert pk.read("keras.layers.MaxPooling2D((3, 3), (2, 2), 'same', 'th')") == same
    assert pk.read("keras.layers.GlobalMaxPooling2D('th')").layout == "NCHW"
    assert pk.read("keras.layers.AveragePooling1D(pool_length=3, stride=1)") == pk.AvgPool(3, 1, layout="NLC")
    assert pk.read("keras.layers.GlobalMaxPooling2D(dim_ordering='tf')").layout == "NHWC"


BACKEND = "import keras.backend as K\n\ny = K.pool2d(x, (3, 2), strides=(2, 1), padding='same', pool_mode='avg')\n"


def test_pool2d_of_the_backend() -> None:
    assert pk.read("K.pool2d(x, 2)") == pk.MaxPool(2, 1, layout="NHWC")
    keras_1 = "K.pool2d(x, (3, 3), strides=(2, 2), border_mode='same', dim_ordering='th', pool_mode='avg')"
    assert pk.read(keras_1) == pk.AvgPool(3, 2, "same", layout="NCHW")
    with pytest.raises(NotExactError, match=r"name is no argument of keras\.backend\.pool2d; leave it out"):
        pk.read("K.pool2d(x, 2, name='pool')")
    assert row(BACKEND).spec == pk.AvgPool((3, 2), (2, 1), "same", layout="NHWC")
    assert row(BACKEND, "keras").after == 'keras.layers.AveragePooling2D((3, 2), (2, 1), padding="same")(x)'
    mode = row("import keras.backend as K\n\ny = K.pool3d(x, 2, pool_mode=mode)\n").after
    assert mode == 'pk.stand_in("keras.backend.pool3d", "torch")(x, 2, pool_mode=mode)'


def test_a_wrapper_that_is_imported_with_everything() -> None:
    found = row("from keras.layers import *\n\ny = TimeDistributed(GlobalAveragePooling2D())(x)\n")
    assert found.spec == pk.GlobalAvgPool(keepdims=False, layout="...HWC")
    assert "TimeDistributed pools every step" in found.note


def test_haikus_last_axes() -> None:
    spec = pk.MaxPool(2, layout="...HW")
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 4)).astype("float32")
    hk, jnp = pytest.importorskip("haiku"), pytest.importorskip("jax.numpy")
    assert pk.read("hk.max_pool(x, (2, 2), (2, 2), 'VALID')") == spec
    for image in (x, x[0], x[0, 0]):
        theirs = hk.max_pool(jnp.asarray(image), (2, 2), (2, 2), "VALID")
        np.testing.assert_array_equal(pk.pool(image, spec), np.asarray(theirs))
    found = row("import haiku as hk\n\ny = hk.max_pool(x, (2, 2), (2, 2), 'VALID')\n")
    assert "over the last axes, channels among them where they come last" in found.note
    with pytest.raises(pk.NotExactError, match="is for the last axes and strides=2 are for others"):
        pk.read("hk.max_pool(x, (2, 2), 2, 'VALID')")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("mmcv.ops.roi_align(x, b, 7)", "mmcv is no framework that poolkit reads"),
        ("torch.median(x, 2)", "the index of any of several equal cells; PoolSpec"),
        ("x.median()", "over every axis, batch and channels too, is no pooling"),
        ("torch.nanmedian(x, 2)", "leaves NaN out, and no spec of a pool says that"),
        ("np.median(x, (1, 2))", "averages the two middle cells of an even count"),
        ("np.nanmedian(x, (1, 2))", "leaves NaN out, and no spec of a pool says that"),
    ],
)
def test_what_is_no_pool_of_ours(source: str, text: str) -> None:
    with pytest.raises(pk.NotExactError, match=text) as raised:
        pk.read(source)
    assert "Tensor.roi_align" not in str(raised.value)


@pytest.mark.parametrize(
    ("pad", "text"),
    [
        ("F.pad(x, (1, 1, 1, 1))", "takes these zeros for numbers"),
        ("F.pad(x, (1, 1, 1, 1), value=float('-inf'))", "puts -inf around the map, which takes no part"),
        ("F.pad(x, (1, 1, 1, 1), 'constant', -math.inf)", "puts -inf around the map, which takes no part"),
        ("F.pad(x, (1, 1, 1, 1), 'reflect')", "the numbers of F.pad"),
        ("F.pad(x, (1, 1, 1, 1), value=3)", "the numbers of F.pad"),
        ("F.pad(x, (1, 1, 1, 1), value=float('inf'))", "the numbers of F.pad"),
    ],
)
def test_what_a_padding_before_puts_there(pad: str, text: str) -> None:
    source = f"import math\nimport torch.nn.functional as F\n\ny = F.max_pool2d({pad}, 3, 2)\n"
    assert text in port_source(source, "keras").rows[-1].note


def test_resizing_by_area_is_adaptive_averaging() -> None:
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    for size in (3, (3, 5), 1):
        theirs = functional.interpolate(x, size=size, mode="area")
        for given in (f"F.interpolate(x, {size}, mode='area')", torch.nn.Upsample(size, mode="area")):
            torch.testing.assert_close(pk.pool(x, pk.read(given)), theirs, rtol=1e-12, atol=1e-12)
    found = row("import torch.nn as nn\n\nup = nn.Upsample((3, 3), mode='area')\n", "keras")
    assert found.after == "keras.layers.AdaptiveAveragePooling2D(3)"
    more = "import torch.nn.functional as F\n\ny = F.interpolate(x, scale_factor=2)\nz = F.interpolate(x, s, mode=m)\n"
    assert not port_source(more, "keras").rows
    for given in ("scale_factor=0.5, mode='area'", "size=s, mode='area'"):
        with pytest.raises(pk.NotExactError, match="size"):
            pk.read(f"F.interpolate(x, {given})")


@pytest.mark.parametrize("call", ["layers.GlobalMaxPooling2D()(x)", "keras.ops.min(x, axis=(1, 2))"])
def test_an_audit_does_not_deny_the_call_itself(call: str) -> None:
    found = {one.framework: one for one in audit(row(f"{KERAS}y = {call}\n", None))}
    assert found["keras"].equal
    assert found["keras"].layer.rpartition(".")[2] == call.removesuffix("(x)").rpartition(".")[2]
    shares = "Keras's global maximum shares the gradient between equal elements"
    assert found["keras"].caveats == ((shares,) if "Max" in call else ())
