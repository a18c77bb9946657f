"""`poolkit port --check` runs pooling alone: no other call, no import and no argument of a file that is no literal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, Name, found
from poolkit.dialects.dialect import Dialect
from poolkit.errors import NotExactError
from poolkit.port.check import check
from poolkit.port.files import port_file
from poolkit.port.permitted import permitted
from poolkit.port.python.source import port_source
from poolkit.port.runner import runner
from tests.helpers import vision

HEAD = """
import functools, keras, torch, jax, equinox, flax, numpy as np, tensorflow as tf
from torch import nn
import torch.nn.functional as F
import numpy.f2py.__main__
"""

# What each line would do to the files "victim" and "canary", were it run.
RUN = "np.testing.runstring(\"open('canary', 'w')\", {})"
LINES = [
    f"layer = keras.layers.MaxPooling2D(2, name={RUN})",
    f"layer = keras.layers.MaxPooling2D(2, name=[{RUN}])",
    f"layer = nn.MaxPool2d(2, {RUN})",
    f"layer = nn.Sequential(nn.AdaptiveAvgPool2d(1), {RUN})",
    f"layer = nn.Sequential(nn.AdaptiveAvgPool2d({RUN}), nn.Flatten())",
    f"layer = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten({RUN}))",
    f"layer = jax.vmap(equinox.nn.MaxPool2d(2), {RUN})",
    f"layer = functools.partial(flax.linen.max_pool, window_shape=(2, 2), strides={RUN})",
    f"layer = functools.partial(np.testing.runstring, \"open('canary', 'w')\", {RUN})",
    f"y = np.mean(x, axis=(1, 2), where={RUN})",
    f"y = tf.nn.max_pool2d(x, 2, 2, 'VALID', name={RUN})",
    f"y = jax.lax.reduce_window(x, {RUN}, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'VALID')",
    f"y = F.max_pool2d({RUN}, 2, 2)",
    "layer = keras.layers.MaxPooling2D(2, name=tf.io.gfile.remove('victim'))",
    "layer = keras.layers.MaxPooling2D(2, name=tf.io.gfile.rename('victim', 'canary'))",
    "layer = keras.layers.MaxPooling2D(2, name=np.load('victim', allow_pickle=True))",
    "layer = nn.MaxPool2d(2, ceil_mode=torch.load('victim', weights_only=False))",
    "layer = keras.layers.MaxPooling2D(2, dtype={'module': 'shutil', 'class_name': 'rmtree', 'config': {}})",
    "y = numpy.f2py.__main__.mean(x, axis=(1, 2))",
    "y = flax.errors.max_pool(x, (2, 2))",
    "layer = tf.this.layers.MaxPooling2D(2)",
]


@pytest.mark.parametrize("to", ["torch", "keras"])
@pytest.mark.parametrize("line", LINES)
def test_nothing_of_a_file_is_run(line: str, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "victim").write_text("here")
    (tmp_path / "hostile.py").write_text(f"{HEAD}{line}\n")

    for row in port_file(Path("hostile.py"), to).rows:
        check(row, to)

    assert [path.name for path in sorted(tmp_path.iterdir())] == ["hostile.py", "victim"]
    assert "numpy.f2py.__main__" not in sys.modules


@pytest.mark.parametrize(
    "call",
    [
        Call("numpy.testing.runstring", ("x = 1", {})),
        Call("torch.load", ("victim",)),
        Call("keras.layers.Lambda", ("code",)),
        Call("torch.nn.Conv2d", (1, 1, 1)),
        Call("torch.nn.MaxPool2d", (Call("builtins.int", (2,)),)),
        Call("torch.nn.MaxPool2d", (), (("ceil_mode", (Call("torch.load", ("victim",)),)),)),
        Call("torch.nn.MaxPool2d", (2,), (("name", {"a": 1}),)),
        Call("torch.nn.MaxPool2d", (2,), (("name", Name("os.environ")),)),
        Call("torch.nn.Sequential", (Call("torch.nn.MaxPool2d", (2,)), Call("torch.nn.Dropout", (2,)))),
        Call("torch.nn.Sequential", (Name("torch.nn.MaxPool2d"), Expression("k"))),
        Call("functools.partial", (Name("numpy.load"), "victim")),
        Call("functools.partial", (Call("numpy.load", ("victim",)),)),
        Call("functools.partial", (2,)),
        Call("onnx.MaxPool", (), (("kernel_shape", Call("numpy.load", ("victim",))),)),
        Call("onnx.Resize", (), ()),
        Call("onnx.hub.load", ("victim",)),
    ],
    ids=str,
)
def test_only_pooling_words_and_literals_are_permitted(call: Call) -> None:
    with pytest.raises(NotExactError):
        runner(call)


@pytest.mark.parametrize(
    ("written", "run"),
    [
        ("numpy.f2py.__main__.mean", "numpy.mean"),
        ("numpy.core.fromnumeric.mean", "numpy.mean"),
        ("keras.src.anything.layers.MaxPooling2D", "keras.layers.MaxPooling2D"),
        ("tensorflow.python.tools.freeze_graph.reduce_mean", "tensorflow.reduce_mean"),
        ("flax.errors.max_pool", "flax.linen.max_pool"),
        ("timm.models.layers.create_act.AvgPool2dSame", "timm.layers.AvgPool2dSame"),
        # These stay as they are, since a word of an older interface has other arguments.
        ("tensorflow.compat.v1.reduce_mean", "tensorflow.compat.v1.reduce_mean"),
        ("tf_keras.layers.MaxPooling2D", "tf_keras.layers.MaxPooling2D"),
        ("tensorflow.keras.layers.AveragePooling2D", "tensorflow.keras.layers.AveragePooling2D"),
        ("flax.nnx.min_pool", "flax.nnx.min_pool"),
        ("equinox.nn.AvgPool2d", "equinox.nn.AvgPool2d"),
    ],
)
def test_a_module_is_imported_under_a_public_name_alone(written: str, run: str) -> None:
    assert permitted(Call(written)).name == run


# ----------------------------------------------------------------------------------- what frameworks have no more

NEVER = {  # names that stand for those of another module
    "numpy.ndarray.amax": "the array standard's method has no such name, and PyTorch's takes axis=, too",
    "numpy.ndarray.amin": "the same",
    "flax.linen.min_pool": "it is flax.nnx's, whose words have linen's names",
}


BESIDE = ("timm.", "torch_geometric.", "kornia.", "torchvision.", "antialiased_cnns.")


@pytest.mark.parametrize("dialect", [d for d in table.dialects() if d.name != "onnx"], ids=lambda d: d.name)
def test_frameworks_have_the_words_that_are_not_gone(dialect: Dialect) -> None:
    assert vision.torchvision  # which is imported in a way of its own there
    for name, word in dialect.words.items():
        # Some of timm have only their module's name, and the others are not among what tests install, or do not load.
        if word.pools and name not in NEVER and not name.startswith(BESIDE):
            assert has(name) is not word.gone, name


def has(name: str) -> bool:
    try:
        found(name)
    except AttributeError:
        return False
    return True


GONE = ["K.mean(x, [1, 2])", "K.max(x, axis=(1, 2), keepdims=True)", "K.pool2d(x, (2, 2))"]
GONE += ["tf.layers.max_pooling2d(x, 2, 2)", "tf.compat.v1.layers.AveragePooling1D(2, 2)(x)"]
# Words that are there still, with arguments of Keras 1 and TensorFlow 1.
GONE += ["layers.MaxPooling2D(2, border_mode='same')(x)", "layers.GlobalAveragePooling2D(dim_ordering='tf')(x)"]
GONE += ["layers.MaxPooling1D(pool_length=3, stride=2)(x)", "tf.reduce_mean(x, reduction_indices=[1, 2])"]
GONE += ["tf.reduce_max(x, [1, 2], keep_dims=True)", "tf.nn.max_pool(value=x, ksize=2, strides=2, padding='VALID')"]
GONE += ["tf.nn.pool(x, [2, 2], 'AVG', padding='VALID', dilation_rate=[1, 1])"]


@pytest.mark.parametrize("call", GONE)
@pytest.mark.parametrize("to", ["torch", "keras", "tensorflow"])
def test_a_check_says_what_is_gone(call: str, to: str) -> None:
    source = f"import tensorflow as tf\nfrom keras import layers, backend as K\ny = {call}\n"
    [row] = port_source(source, to).rows
    checked = check(row, to)

    assert row.after not in ("", call)
    assert checked is not None
    assert checked.problem.endswith(" no more, so that the original is not run")


@pytest.mark.parametrize("call", ["tf.compat.v1.reduce_mean(x, reduction_indices=[1, 2], keep_dims=True)"])
def test_an_older_interface_has_its_arguments(call: str) -> None:
    [row] = port_source(f"import tensorflow as tf\ny = {call}\n", "torch").rows
    checked = check(row, "torch")

    assert checked is not None
    assert (checked.problem, checked.agrees) == ("", True)


def test_what_a_framework_raises_is_told_with_its_side() -> None:
    """The order of TensorFlow 1, of which TensorFlow takes "VALID" for the strides."""
    [row] = port_source("import tensorflow as tf\ny = tf.nn.pool(x, [2, 2], 'MAX', 'VALID')\n", "torch").rows
    checked = check(row, "torch")

    assert checked is not None
    assert checked.problem.startswith("the original ends in the framework's ValueError: `len(strides)` should be 2")
