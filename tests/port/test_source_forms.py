"""Python source, ported: every framework's words, in every direction; imports; arguments that are expressions."""

from __future__ import annotations

import textwrap

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.helpers.ports import MAP, function, line, ported, row

TENSORFLOW = "import tensorflow as tf\n"
TORCH = {"torch": "import torch", "nn": "import torch.nn as nn", "F": "import torch.nn.functional as F"}
JAX = {"nn": "import flax.linen as nn", "jax": "import jax", "jnp": "import jax.numpy as jnp"}


def returning(imports: dict[str, str], before: str) -> str:
    """A function f(x) that returns an expression, with the imports that it needs; a method's framework is by them."""
    needed = [line for name, line in imports.items() if f"{name}." in before] or [*imports.values()][-1:]
    return "\n".join([*needed, "", "def f(x):", f"    return {before}", ""])


FIRST = torch.from_numpy(MAP).permute(0, 3, 1, 2)


def last(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


# ------------------------------------------------------------------------------------------------------- TensorFlow

OF_TENSORFLOW = {
    "tf.nn.max_pool2d(x, 2, 2, 'VALID')": "torch.nn.functional.max_pool2d(x, 2)",
    "tf.nn.max_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], 'SAME')": "pk.PoolSpec",
    "tf.nn.avg_pool2d(x, ksize=3, strides=1, padding='SAME')": "count_include_pad=False",
    "tf.nn.pool(x, [2, 2], 'AVG', strides=[2, 2])": "torch.nn.functional.avg_pool2d(x, 2)",
    "tf.reduce_mean(x, [1, 2], keepdims=True)": "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
    "tf.compat.v1.reduce_mean(x, [1, 2], keep_dims=True)": "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
    "tf.math.reduce_max(x, axis=(1, 2))": "torch.amax(x, dim=(2, 3))",
    "tf.reduce_mean(input_tensor=x, axis=[-3, -2])": "torch.mean(x, dim=(-2, -1))",
}


@pytest.mark.parametrize("before", OF_TENSORFLOW)
def test_tensorflow_to_torch(before: str) -> None:
    source = f"{TENSORFLOW}def f(x):\n    return {before}\n"
    after = ported(source).text
    assert OF_TENSORFLOW[before] in after
    assert "tensorflow" not in after
    expected = function(source)(tf.constant(MAP)).numpy()
    np.testing.assert_allclose(last(function(after)(FIRST).numpy()), expected, rtol=1e-5, atol=1e-6)


def test_tensorflow_to_keras() -> None:
    source = f"{TENSORFLOW}y = tf.nn.max_pool2d(x, 3, 2, 'SAME', name='p')\n"
    assert ported(source, "keras").text == 'import keras\ny = keras.layers.MaxPooling2D(3, 2, padding="same")(x)\n'


# ------------------------------------------------------------------------------------------------------------- torch

OF_TORCH = [
    "F.max_pool2d(x, 2)",
    "F.max_pool2d(x, 3, 2, 1)",
    "F.avg_pool2d(x, 3, stride=1, padding=1)",
    "nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)(x)",
    "F.adaptive_avg_pool2d(x, 1)",
    "F.adaptive_avg_pool2d(x, (3, 2))",
    "nn.AdaptiveMaxPool2d(2)(x)",
    "torch.mean(x, dim=(2, 3), keepdim=True)",
    "torch.amax(x, (2, 3))",
    "x.mean(dim=(2, 3), keepdim=True)",
    "x.mean((-2, -1))",
    "x.relu().amax([2, 3])",
    "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())(x)",
]


@pytest.mark.parametrize("to", ["keras", "jax", "tensorflow"])
@pytest.mark.parametrize("before", OF_TORCH)
def test_from_torch(before: str, to: str) -> None:
    source = returning(TORCH, before)
    after = ported(source, to)
    assert after.complete
    x = {"keras": MAP, "jax": jnp.asarray(MAP), "tensorflow": tf.constant(MAP)}[to]
    if "relu" in before:  # is no pooling, and stays
        assert "x.relu()" in after.text
        return
    assert "torch." not in after.text.removeprefix(TORCH["F"])  # which a method alone does not use
    expected = last(function(source)(FIRST).numpy())
    np.testing.assert_allclose(np.asarray(function(after.text)(x)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "before", ["torch.mean(x, dim=1, keepdim=True)", "x.mean()", "x.max(1)[0]", "torch.max(x)", "x.mean(-1)"]
)
def test_means_and_maxima_that_are_no_pooling_stay(before: str) -> None:
    source = f"import torch\nfrom torch import nn\n\nprint(torch)\ny = {before}\nz = nn.MaxPool2d(2)(x)\n"
    after = ported(source, "keras")
    assert [r.status == "left" for r in after.rows] == [True, False]
    assert f"y = {before}\n" in after.text
    assert "import torch\n" in after.text
    assert "from torch import nn" not in after.text
    assert after.complete


def test_layers_of_torch() -> None:
    source = """\
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
            self.head = nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.ReLU())
    """
    assert ported(source, "keras").text == textwrap.dedent(
        """\
        from torch import nn
        import keras

        class Net(nn.Module):
            def __init__(self):
                self.pool = keras.layers.MaxPooling2D(2)
                self.head = nn.Sequential(keras.layers.GlobalAveragePooling2D(keepdims=True), nn.Flatten(), nn.ReLU())
        """
    )


# --------------------------------------------------------------------------------------------------------------- JAX

OF_JAX = {
    "nn.max_pool(x, (2, 2), strides=(2, 2))": "torch.nn.functional.max_pool2d(x, 2)",
    "nn.avg_pool(x, window_shape=(3, 3), strides=(2, 2), padding='SAME')": "pk.PoolSpec",
    "jnp.mean(x, axis=(1, 2), keepdims=True)": "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
    "jnp.max(x, axis=(1, 2))": "torch.amax(x, dim=(2, 3))",
    "x.mean(axis=(1, 2))": "torch.mean(x, dim=(2, 3))",
    "x.max((1, 2), keepdims=True)": "torch.nn.functional.adaptive_max_pool2d(x, 1)",
    "jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'VALID')": "max_pool2d(x, 2)",
    "nn.avg_pool(x, window_shape=x.shape[1:3])": "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
    "nn.avg_pool(x, (x.shape[1], x.shape[2]), strides=(1, 1))": "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
}


@pytest.mark.parametrize("before", OF_JAX)
def test_jax_to_torch(before: str) -> None:
    source = returning(JAX, before)
    after = ported(source).text
    assert OF_JAX[before] in after
    assert "jax" not in after.removeprefix(JAX["jnp"])  # which a method alone does not use
    assert "flax" not in after
    expected = np.asarray(function(source)(jnp.asarray(MAP)))
    np.testing.assert_allclose(last(function(after)(FIRST).numpy()), expected, rtol=1e-5, atol=1e-6)


def test_a_partial_is_a_layer() -> None:
    source = """\
    from functools import partial
    from flax import nnx

    pool = partial(nnx.max_pool, window_shape=(2, 2), strides=(2, 2))
    """
    assert line(source) == "pool = torch.nn.MaxPool2d(2)"
    assert nn.max_pool(MAP, (2, 2), (2, 2)).shape == (2, 4, 3, 3)


# -------------------------------------------------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("layers.MaxPooling2D(pool_size=(size, size))", "torch.nn.MaxPool2d(size)"),
        ("layers.MaxPooling2D(pool_size=(h, w), strides=s)", "torch.nn.MaxPool2d((h, w), s)"),
        ("layers.MaxPooling2D(size + 1)", "torch.nn.MaxPool2d(size + 1)"),
        (
            'layers.MaxPooling2D(size, padding="same")',
            'pk.PoolSpec("max", window=size, padding="same", layout="NCHW").layer("torch")',
        ),
        ("layers.MaxPooling2D(SIZE, padding=PADDING)", "torch.nn.MaxPool2d(3)"),
    ],
)
def test_expressions_are_carried_over(before: str, after: str) -> None:
    head = "from keras import layers\nSIZE = 3\nPADDING = 'valid'\n"
    assert row(f"{head}def f(size, h, w, s):\n    return {before}\n").after == after


@pytest.mark.parametrize("size", [3, (3, 2)])
def test_expressions_of_either_form_give_the_same_numbers(size: object) -> None:
    source = "import torch.nn.functional as F\ndef f(x, k):\n    return F.max_pool2d(x, k)\n"
    for to, x in (("jax", jnp.asarray(MAP)), ("keras", MAP)):
        got = function(ported(source, to).text)(x, size)
        np.testing.assert_allclose(np.asarray(got), last(function(source)(FIRST, size).numpy()))


def test_axes_that_are_constant_or_not_known() -> None:
    source = "import tensorflow as tf\nAXES = [1, 2]\ndef f(x):\n    return tf.reduce_mean(x, AXES)\n"
    assert line(source) == "return torch.mean(x, dim=(2, 3))"
    shadowed = source.replace("def f(x):", "def f(x, AXES):")
    assert ported(shadowed).text == shadowed
    assert row(shadowed).status == "left"


@pytest.mark.parametrize(
    "before",
    [
        "layers.MaxPooling2D(0)",
        "layers.MaxPooling2D(tf.shape(x))",
        "layers.MaxPooling2D('two')",
        "layers.MaxPooling2D(2, 2, 'valid', None, 5, 6)",
        "layers.MaxPooling2D(**sizes_of(x.shape))",
        "tf.nn.max_pool2d(x, sizes_of(tf.shape(x)), 2, 'VALID')",
    ],
)
def test_what_a_variable_decides_is_kept_and_told(before: str) -> None:
    source = f"import tensorflow as tf\nfrom keras import layers\npool = {before}\n"
    found = row(source)
    assert (found.status, found.after) == ("failed", "")
    assert found.note
    assert ported(source).text == source
    assert not ported(source).complete


@pytest.mark.parametrize("use", ["def f(pool: Optional[layers.MaxPooling2D]): pass", "from keras import ops"])
def test_names_that_are_no_use(use: str) -> None:
    assert {row.status for row in ported(f"from keras import layers\nimport haiku\n{use}\n").rows} <= {"left"}


def test_calls_of_other_forms() -> None:
    head = "from keras import layers\n"
    assert line(f"{head}y = layers.MaxPooling2D(2)(x, training=True)\n") == "y = torch.nn.MaxPool2d(2)(x)"
    assert (
        line(f"{head}y = layers.MaxPooling2D(*k)(x)\n")
        == 'y = pk.stand_in("keras.layers.MaxPooling2D", "torch")(*k)(x)'
    )
    assert line(f"{head}y = layers.MaxPooling2D(2)(*x)\n") == "y = torch.nn.MaxPool2d(2)(*x)"
    assert line(f"{head}y = layers.MaxPooling2D(2)(inputs=x)\n") == "y = torch.nn.MaxPool2d(2)(x)"
    marked = f"\ufeff{head}y = layers.MaxPooling2D(2)\n"
    assert ported(marked).text == "\ufeffimport torch\ny = torch.nn.MaxPool2d(2)\n"
    quoted = f"{head}print(f'{{layers.MaxPooling2D(3, padding=\"same\")(x)}}')\n"
    assert row(quoted).status == "failed"
    assert ported(quoted).text == quoted


def test_layers_with_a_name_that_may_be_another() -> None:
    head = "from keras import layers\n"
    two = f"{head}Pool = layers.MaxPooling2D\nif big:\n    Pool = layers.AveragePooling2D\ny = Pool(2)(x)\n"
    assert [r.status for r in ported(two).rows] == ["exact", "exact", "left"]
    with_import = two.replace("Pool = layers.MaxPooling2D", "from keras.layers import MaxPooling2D as Pool")
    assert "failed" in [r.status for r in ported(with_import).rows]
    of_class = (
        f"{head}class Block:\n    pool = layers.MaxPooling2D\n    def call(self, x):\n        return self.pool(2)(x)\n"
    )
    assert [r.status for r in ported(of_class).rows] == ["exact"]
    assert [r.status for r in ported(f"{head}Pool = layers.MaxPooling2D\ny = Pool(2)(x)\n").rows] == ["left", "exact"]


@pytest.mark.parametrize(
    "use",
    ["{layers.MaxPooling2D, 3}", "{layers.MaxPooling2D: 3}", "m == layers.MaxPooling2D", "m[layers.MaxPooling2D]"],
)
def test_layers_that_are_named_and_not_called(use: str) -> None:
    found = row(f"from keras import layers\ny = {use}\n")
    assert (found.before, found.status) == ("layers.MaxPooling2D", "failed")


# ------------------------------------------------------------------------------------------------------ audit, layout


def test_an_audit() -> None:
    source = "from keras import layers\ny = layers.MaxPooling2D(3, 2, 'same')(x)\n"
    after = ported(source, None)
    assert after.text == source
    (found,) = after.rows
    assert str(found.spec) == "max window=3 stride=2 padding=same layout=NHWC"
    source = "from keras import layers\ndef f(k):\n    return layers.MaxPooling2D(k)\n"
    (found,) = ported(source, None).rows
    assert found.spec is None
    assert "torch: torch.nn.MaxPool2d(k)" in found.note


def test_a_layout_is_kept_where_it_is_asked_for() -> None:
    source = "from keras import layers\ny = layers.MaxPooling2D(2)(x)\nz = layers.MaxPooling1D(2)(x)\n"
    after = ported(source, layout="NHWC").text
    assert 'pk.PoolSpec("max", window=2, layout="NHWC")(x)' in after
    assert 'pk.PoolSpec("max", window=2, layout="NLC")(x)' in after
    assert line("from torch import nn\ny = nn.MaxPool2d(2)(x)\n", "keras", layout="NCHW") == (
        'y = keras.layers.MaxPooling2D(2, data_format="channels_first")(x)'
    )


def test_what_the_original_does_as_well_is_no_caveat() -> None:
    """TensorFlow's maxima leave out NaN, and so do Keras's on TensorFlow; PyTorch's do not."""
    assert row("import tensorflow as tf\ny = tf.nn.max_pool2d(x, 2, 2, 'VALID')\n", "keras").status == "exact"
    found = row("import torch.nn.functional as F\ny = F.max_pool2d(x, 2)\n", "keras")
    assert (found.status, "leave out NaN (on Keras's tensorflow engine)" in found.note) == ("caveat", True)
