"""Orders of the axes that only the program knows, and slim's arguments that stand around a call."""

from __future__ import annotations

import pytest

from poolkit.port.python.source import port_source
from tests.helpers.ports import ported, row

KERAS = "from keras import layers, backend as K\nfrom .config import ORDER\n"
ORDERS = [
    "dtype=None, data_format=self.data_format",
    "data_format=data_format",
    "data_format=ORDER",
    "data_format=K.image_data_format()",
    "data_format='channels_last' if last else 'channels_first'",
    "dim_ordering=K.image_dim_ordering()",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("layer", "after"),
    [
        ("MaxPooling2D(2, {})", "torch.nn.MaxPool2d(2)"),
        ("MaxPooling2D((3, 2), strides=(2, 1), {})", "torch.nn.MaxPool2d((3, 2), (2, 1))"),
        ("MaxPool1D(k, 2, 'valid', {})", "torch.nn.MaxPool1d(k, 2)"),
        ("GlobalAveragePooling2D(keepdims=True, {})", "torch.nn.AdaptiveAvgPool2d(1)"),
    ],
)
def test_a_format_that_is_not_known_is_the_target_s(order: str, layer: str, after: str) -> None:
    if "Global" in layer and "dim" in order:
        order = "data_format=" + order.partition("=")[2]
    found = row(f"{KERAS}pool = layers.{layer.format(order)}\n")

    assert (found.status, found.after) == ("exact", after)
    assert "is only known when the program runs" in found.note


def test_a_format_and_a_dtype_that_are_not_known() -> None:
    found = row(f"{KERAS}pool = layers.MaxPooling2D(2, data_format=data_format, dtype=dtype)\n")
    assert (found.status, found.after) == ("caveat", "torch.nn.MaxPool2d(2)")


TF = "import tensorflow as tf\n"

LAST, FIRST = ("[1, 3, 3, 1], [1, 2, 2, 1]", "[1, 1, 3, 3], [1, 1, 2, 2]")
LISTS = {
    "a choice": [
        "k = [1, 3, 3, 1] if df == 'NHWC' else [1, 1, 3, 3]",
        "s = [1, 2, 2, 1] if df == 'NHWC' else [1, 1, 2, 2]",
    ],
    "branches": ["if df == 'NHWC':", f"    k, s = {LAST}", "else:", f"    k, s = {FIRST}"],
    "one branch": [f"k, s = {LAST}", "if df == 'NCHW':", f"    k, s = {FIRST}"],
}


@pytest.mark.parametrize("lines", LISTS.values(), ids=LISTS)
def test_lists_that_go_with_the_format(lines: list[str]) -> None:
    inner = "\n    ".join([*lines, "return tf.nn.max_pool(x, k, s, 'VALID', data_format=df)"])
    found = row(f"import tensorflow as tf\ndef f(x, df):\n    {inner}\n")
    assert (found.status, found.after) == ("exact", "torch.nn.functional.max_pool2d(x, 3, 2)")


@pytest.mark.parametrize("lists", ["[1, 3, 3, 1] if a else [1, 2, 2, 1]", "[1, 3, 1, 1] if a else [1, 1, 3, 1]"])
def test_lists_that_go_with_something_else_are_refused(lists: str) -> None:
    found = row(f"import tensorflow as tf\nk = {lists}\ny = tf.nn.max_pool(x, k, k, 'VALID', data_format=df)\n")
    assert found.status == "failed"


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("tf.nn.max_pool2d(x, 3, 2, 'VALID', data_format=df)", "torch.nn.functional.max_pool2d(x, 3, 2)"),
        ("tf.nn.avg_pool(x, [1, 1, 3, 3], [1, 1, 1, 1], 'VALID', data_format=df)", "avg_pool2d(x, 3, 1)"),
        ("tf.layers.max_pooling2d(x, 2, 2, data_format=df)", "torch.nn.functional.max_pool2d(x, 2)"),
        ("tf.reduce_mean(x, [1, 2] if df == 'NHWC' else [2, 3], keepdims=True)", "adaptive_avg_pool2d(x, 1)"),
    ],
)
def test_a_format_of_tensorflow_that_is_not_known(call: str, after: str) -> None:
    found = row(f"{TF}def f(x, df):\n    return {call}\n")

    assert found.status == "exact"
    assert after in found.after


def test_axes_from_both_branches() -> None:
    source = f"{TF}def f(x, df):\n    if df:\n        axes = [2, 3]\n    else:\n        axes = [1, 2]\n"
    assert row(f"{source}    return tf.reduce_max(x, axes)\n").after == "torch.amax(x, dim=(2, 3))"
    mixed = source.replace("[2, 3]", "[3]")
    assert row(f"{mixed}    return tf.reduce_max(x, axes)\n").status == "failed"


def test_the_order_that_the_user_knows_goes_with_what_stands_around() -> None:
    source = f"{KERAS}x = layers.GlobalMaxPooling2D(data_format=ORDER)(x)\ny = layers.Reshape((c, 1, 1))(x)\n"
    first = port_source(source, "torch", source_layout="NCHW")
    assert [one.status for one in first.rows] == ["exact", "exact"]
    assert "AdaptiveMaxPool2d(1)(x)" in first.text
    assert "AdaptiveMaxPool2d(1)(x)\ny = x" not in ported(source).text


def test_the_order_that_the_user_knows_is_that_of_layers_that_say_none() -> None:
    found = port_source(f"{KERAS}y = layers.MaxPooling2D(2)(x)\n", "keras", layout="NHWC", source_layout="NCHW").rows
    assert [one.status for one in found] == ["exact"]  # it is Keras's already
    source = f"{KERAS}x = x[:, ::2]\ny = layers.MaxPooling2D(2)(x[:, 1:])\n"
    assert [one.status for one in port_source(source, "torch", source_layout="NCHW").rows] == ["exact"]


SLIM = ["import tf_slim as slim\n", "from tensorflow.contrib import slim\n", "import tensorflow.contrib.slim as slim\n"]


@pytest.mark.parametrize("head", SLIM)
def test_pools_of_slim_with_the_arguments_of_the_scopes_around(head: str) -> None:
    scope = "with slim.arg_scope([slim.conv2d, slim.max_pool2d], stride=1, padding='VALID'):\n"
    source = f"{head}def f(x):\n    {scope}        return slim.max_pool2d(x, [3, 3], scope='p')\n"
    listed, found = ported(source).rows
    assert (listed.status, found.status) == ("left", "exact")
    assert found.after == "torch.nn.functional.max_pool2d(x, 3, 1)"

    own = ported(source.replace("p')", "p', stride=2)")).rows[1]
    assert own.after == "torch.nn.functional.max_pool2d(x, 3, 2)"

    other = ported(source.replace("slim.max_pool2d]", "slim.avg_pool2d]")).rows[1]
    assert (other.status, other.after) == ("caveat", "torch.nn.functional.max_pool2d(x, 3, 2)")
    assert "arg_scope" in other.note


MADE = """def scope(p, deep=None):
    with slim.arg_scope([slim.max_pool2d], stride=1):
        with slim.arg_scope({}) as inner, slim.arg_scope([slim.max_pool2d], padding=p) as sc:
            return inner
def f(x):
    made = scope("SAME")
    with slim.arg_scope(made):
        return slim.max_pool2d(x, 3)
"""


@pytest.mark.parametrize(
    ("inner", "after"),
    [
        ('[slim.max_pool2d], padding="VALID"', "torch.nn.functional.max_pool2d(x, 3, 1)"),
        ("[slim.max_pool2d], stride=2, padding='VALID'", "torch.nn.functional.max_pool2d(x, 3, 2)"),
        ("scope(1)", ""),  # which goes round in a circle
        ("[slim.max_pool2d], padding=p", ""),
    ],
)
def test_scopes_that_a_function_gives_back(inner: str, after: str) -> None:
    found = ported(f"{SLIM[0]}{MADE.format(inner)}").rows[-1]
    if "=p" in inner:
        assert (found.status, found.after) == ("failed", "")
        assert "the arg_scope of line 4 gives it padding=p, which is only known in the function" in found.note
    elif after:
        assert (found.status, found.after) == ("exact", after)
    else:
        assert "arg_scope that this function is called in" in found.note


def test_layers_of_tensorflow_1_as_slim_makes_them() -> None:
    source = (
        "from tensorflow.compat.v1 import layers\npool = layers.MaxPooling2D(2, strides=2, data_format=df, _scope=sc)\n"
    )
    assert row(source).after == "torch.nn.MaxPool2d(2)"


def test_functions_of_contrib_layers() -> None:
    source = f"{TF}y = tf.contrib.layers.avg_pool2d(x, 2, padding='VALID', stride=2)\n"
    assert row(source).after == "torch.nn.functional.avg_pool2d(x, 2)"


@pytest.mark.parametrize(
    ("axes", "whole"), [("[2, 3] if size else [1, 2]", True), ("[3, 2] if size else [2, 1]", False)]
)
def test_a_window_of_the_whole_map_by_axes_of_either_order(axes: str, whole: bool) -> None:
    call = "tf.nn.avg_pool(x, [1, x.shape[a], x.shape[b], 1], [1, 1, 1, 1], 'VALID')"
    found = row(f"import tensorflow as tf\ndef f(x, size):\n    a, b = {axes}\n    return {call}\n")
    assert found.after == ("torch.nn.functional.adaptive_avg_pool2d(x, 1)" if whole else "")
