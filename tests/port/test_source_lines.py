"""The lines that go by the order of the axes, with what they become."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import torch
from click.testing import CliRunner

from poolkit.cli.commands import poolkit
from poolkit.port.python.source import port_source
from tests.helpers.ports import MAP, function

KERAS = "import keras\nfrom keras import layers, backend as K\nimport tensorflow as tf\nimport numpy as np\n"
TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
POOL = {"torch": "x = layers.MaxPooling2D(2)(x)", "keras": "x = F.max_pool2d(x, 2)"}

BOUND = [  # to which framework, a line, the expression in it, and what it becomes
    ("torch", "h = x.shape[1]", "x.shape[1]", "x.shape[2]"),
    ("torch", "c = K.int_shape(x)[-1]", "K.int_shape(x)[-1]", "x.shape[1]"),
    ("torch", "h, w = tf.shape(x)[1:3]", "tf.shape(x)[1:3]", "x.shape[2:4]"),
    ("torch", "b, h, w, c = x.shape", "b, h, w, c = x.shape", "b, c, h, w = x.shape"),
    ("torch", "s = x.shape; w = s[2]", "s[2]", "x.shape[3]"),
    ("torch", "y = x[:, 1:, :-1, :]", "x[:, 1:, :-1, :]", "x[:, :, 1:, :-1]"),
    ("torch", "y = x[..., :2]", "x[..., :2]", "x[:, :2]"),
    ("torch", "y = tf.concat([x, x], 3)", "tf.concat([x, x], 3)", "tf.concat([x, x], 1)"),
    ("torch", "y = layers.Concatenate()([x, x])", "layers.Concatenate()", "layers.Concatenate(axis=1)"),
    ("torch", "y = layers.concatenate([x, x])", "layers.concatenate([x, x])", "layers.concatenate([x, x], axis=1)"),
    ("torch", "y = tf.nn.softmax(x)", "tf.nn.softmax(x)", "tf.nn.softmax(x, axis=1)"),
    ("torch", "y = layers.Softmax()(x)", "layers.Softmax()", "layers.Softmax(axis=1)"),
    (
        "torch",
        "y = layers.LayerNormalization(epsilon=1e-6)(x)",
        "layers.LayerNormalization(epsilon=1e-6)",
        "layers.LayerNormalization(epsilon=1e-6, axis=1)",
    ),
    ("torch", "y = K.argmax(x)", "K.argmax(x)", "K.argmax(x, axis=1)"),
    ("keras", "y = F.normalize(x)", "F.normalize(x)", "F.normalize(x, dim=-1)"),
    ("keras", "y = torch.sort(x)[0]", "torch.sort(x)", "torch.sort(x, dim=-2)"),
    ("torch", "a = 3; y = tf.concat([x, x], axis=a)", "tf.concat([x, x], axis=a)", "tf.concat([x, x], axis=1)"),
    (
        "torch",
        "a = 3 if K.image_data_format() == 'channels_last' else 1; y = layers.BatchNormalization(axis=a)(x)",
        "layers.BatchNormalization(axis=a)",
        "layers.BatchNormalization(axis=1)",
    ),
    ("torch", "y = tf.argmax(x, axis=[-3, -2])", "tf.argmax(x, axis=[-3, -2])", "tf.argmax(x, axis=[-2, -1])"),
    ("torch", "y = tf.transpose(x, [0, 2, 1, 3])", "tf.transpose(x, [0, 2, 1, 3])", "axes (0, 1, 3, 2)"),
    ("torch", "y = layers.Permute((2, 1, 3))(x)", "layers.Permute((2, 1, 3))(x)", "axes (0, 1, 3, 2)"),
    ("torch", "y = tf.transpose(x, [0, 3, 1, 2])", "tf.transpose(x, [0, 3, 1, 2])", ""),
    ("torch", "y = tf.image.resize(x, (9, 9))", "tf.image.resize(x, (9, 9))", ""),
    ("torch", "y = layers.UpSampling2D(2)(x)", "layers.UpSampling2D(2)", ""),
    ("torch", "y = layers.Dense(3)(layers.Flatten()(x))", "layers.Flatten()", ""),
    ("torch", "y = tf.reshape(x, [-1, 12, 3])", "tf.reshape(x, [-1, 12, 3])", ""),
    ("torch", "y = tf.concat([x, x], axis=a)", "tf.concat([x, x], axis=a)", ""),
    ("torch", "y = tf.expand_dims(x, -1)", "tf.expand_dims(x, -1)", ""),
    ("torch", "y = x[:, None, 1:]", "x[:, None, 1:]", ""),
    (
        "torch",
        "y = tf.pad(x, [[0, 0], [1, 2], [3, 4], [0, 0]])",
        "tf.pad(x, [[0, 0], [1, 2], [3, 4], [0, 0]])",
        "tf.pad(x, [[0, 0], [0, 0], [1, 2], [3, 4]])",
    ),
    ("torch", "y = tf.tile(x, [1, 2, 3, 1])", "tf.tile(x, [1, 2, 3, 1])", "tf.tile(x, [1, 1, 2, 3])"),
    ("torch", "y = tf.einsum('bhwc,cd->bhwd', x, a)", "tf.einsum('bhwc,cd->bhwd', x, a)", ""),
    (
        "torch",
        "y = layers.Conv2D(3, 3, data_format='channels_last')(x)",
        "layers.Conv2D(3, 3, data_format='channels_last')",
        'layers.Conv2D(3, 3, data_format="channels_first")',
    ),
    ("keras", "y = x.repeat(1, 1, 2, 3)", "x.repeat(1, 1, 2, 3)", "x.repeat(1, 2, 3, 1)"),
    ("keras", "y = F.pad(x, (1, 1, 1, 1))", "F.pad(x, (1, 1, 1, 1))", ""),
    ("keras", "c = x.size(1)", "x.size(1)", "x.shape[3]"),
    ("keras", "h, w = x.shape[2:]", "x.shape[2:]", "x.shape[1:3]"),
    ("torch", "y = tf.math.reduce_std(x, [1, 2])", "tf.math.reduce_std(x, [1, 2])", "tf.math.reduce_std(x, [2, 3])"),
    ("torch", "y = tf.unstack(x, 3, 1)", "tf.unstack(x, 3, 1)", "tf.unstack(x, 3, 2)"),
    ("torch", "y = tf.gather(x, i, None, 3)", "tf.gather(x, i, None, 3)", "tf.gather(x, i, None, 1)"),
    ("torch", "y = keras.ops.roll(x, 1, 2)", "keras.ops.roll(x, 1, 2)", "keras.ops.roll(x, 1, 3)"),
    ("keras", "y = x.std((2, 3))", "x.std((2, 3))", "x.std((1, 2))"),
    ("keras", "y = x.flip(2, 3)", "x.flip(2, 3)", "x.flip(1, 2)"),
    ("keras", "y = torch.roll(x, (1, 1), (2, 3))", "torch.roll(x, (1, 1), (2, 3))", "torch.roll(x, (1, 1), (1, 2))"),
    ("keras", "y = x.unbind(1)", "x.unbind(1)", "x.unbind(-1)"),
    ("keras", "y = x.norm(2, 1)", "x.norm(2, 1)", "x.norm(2, -1)"),
    ("torch", "y = layers.Softmax(3)(x)", "layers.Softmax(3)", "layers.Softmax(1)"),
    ("keras", "y = torch.max(x, 1)[1]", "torch.max(x, 1)", "torch.max(x, -1)"),
    ("keras", "y = torch.cat([x, x], 1)", "torch.cat([x, x], 1)", "torch.cat([x, x], -1)"),
    ("keras", "y = torch.cat([x, x], dim=1)", "torch.cat([x, x], dim=1)", "torch.cat([x, x], dim=-1)"),
    ("keras", "y = x.median(2)", "x.median(2)", "x.median(1)"),
    ("keras", "y = x[:, :2]", "x[:, :2]", "x[:, :, :, :2]"),
    ("keras", "y = x.transpose(2, 3)", "x.transpose(2, 3)", "axes (0, 2, 1, 3)"),
    ("keras", "y = x.permute(0, 2, 3, 1)", "x.permute(0, 2, 3, 1)", ""),
    ("keras", "y = F.interpolate(x, scale_factor=2)", "F.interpolate(x, scale_factor=2)", ""),
    ("keras", "y = x.flatten(1)", "x.flatten(1)", ""),
    ("keras", "y = x.view(x.size(0), -1)", "x.view(x.size(0), -1)", ""),
]


@pytest.mark.parametrize(("to", "text", "before", "after"), BOUND)
def test_a_line_and_what_it_becomes(to: str, text: str, before: str, after: str) -> None:
    source = f"{KERAS if to == 'torch' else TORCH}def f(x, a):\n    {POOL[to]}\n    {text}\n"
    lines = port_source(source, to).lines
    (line,) = (one for one in lines if one.before == before)
    assert (line.where, line.after) == (f"line {source.count(chr(10))}", after)
    assert after or line.note
    assert "axes" not in line.note or not after  # the pool before says how many there are


@pytest.mark.parametrize(
    ("to", "text"),
    [
        ("torch", "n = x.shape[0]"),
        ("torch", "y = tf.tile(x, [2, 1, 1, 1])"),
        ("torch", "y = x[1:]"),
        ("torch", "y = tf.concat([x, x], axis=0)"),
        ("torch", "v = layers.Flatten()(layers.GlobalAveragePooling2D()(x)); y = layers.Softmax(axis=-1)(v)"),
        ("torch", "y = layers.MaxPooling2D(2)(x)"),
        ("torch", "y = layers.AveragePooling2D((x.shape[1], x.shape[2]))(x)"),  # the pool is written anew
        ("torch", "a, b = 'x y'.split(' ', 1)"),
        ("torch", "y: dict[str, int] = {}"),
        ("keras", "y = torch.stack([x, x])"),
        ("torch", "v = layers.Flatten()(layers.GlobalAveragePooling2D()(x)); y = tf.nn.softmax(v)"),
        ("torch", "y = tf.argmax(x)"),
        ("torch", "y = keras.ops.concatenate([x, x])"),
        ("keras", "y = x + x[0]"),
    ],
)
def test_what_goes_by_no_order(to: str, text: str) -> None:
    source = f"{KERAS if to == 'torch' else TORCH}def f(x, a):\n    {POOL[to]}\n    {text}\n"
    assert [one for one in port_source(source, to).lines if "Flatten" not in one.before] == []


def test_of_a_tensor_of_which_nothing_is_known_it_is_said() -> None:
    source = f"{KERAS}def f(x, z):\n    x = layers.MaxPooling2D(2)(x)\n    return z.shape[2]\n"
    (line,) = port_source(source, "torch").lines
    assert (line.after, line.note) == ("z.shape[3]", "where it has 4 axes")


def test_a_sequence_has_three_axes() -> None:
    source = f"{KERAS}def f(x):\n    x = layers.MaxPooling1D(2)(x)\n    return x.shape[1], x.shape[2]\n"
    assert [one.after for one in port_source(source, "torch").lines] == ["x.shape[2]", "x.shape[1]"]


@pytest.mark.parametrize("options", [{"to": "tensorflow"}, {"to": "torch", "layout": "NHWC"}])
def test_where_the_order_stays_there_are_none(options: dict[str, str]) -> None:
    source = f"{KERAS}def f(x):\n    return layers.MaxPooling2D(2)(x).shape[1], x.shape[2]\n"
    assert port_source(source, **options).lines == ()


def test_pools_that_are_those_of_the_target_already_move_nothing() -> None:
    source = "import keras\ny = keras.layers.MaxPooling2D(2, data_format='channels_first')(x)\nc = x.shape[1]\n"
    assert port_source(source, "keras").lines == ()


def test_written_as_they_say_the_lines_give_the_same_numbers() -> None:
    source = f"""{KERAS}def f(x):
    h, w = x.shape[1], x.shape[2]
    y = tf.nn.max_pool2d(x, 2, 2, "VALID")
    z = y[:, 1:, :-1, :]
    z = np.concatenate([z, z * h, z + w], axis=-1)
    return np.flip(z, axis=2)
"""
    found = port_source(source, "torch")
    text = found.text
    for line in reversed(found.lines):  # so that nothing is written twice
        assert line.after, line
        text = text.replace(line.before, line.after)
    got = function(text)(torch.from_numpy(MAP).permute(0, 3, 1, 2))
    np.testing.assert_array_equal(np.asarray(got).transpose(0, 2, 3, 1), function(source)(tf.constant(MAP)))


def test_values_that_many_branches_may_have_are_not_followed_for_ever() -> None:
    branches = "    if a:\n        s = s[1:]\n" * 60
    found = port_source(f"{KERAS}def f(x, a):\n    x = layers.MaxPooling2D(2)(x)\n    s = x.shape\n{branches}", "torch")
    assert len(found.rows) == 1


def test_the_report_and_json_have_them(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        f"{KERAS}def f(x):\n    x = layers.MaxPooling2D(2)(x)\n    return x.shape[1],\\\n        x.shape[1]\n"
    )
    result = CliRunner().invoke(poolkit, ["port", str(path), "--to", "torch", "--output", str(tmp_path / "out.py")])
    assert "2 by the order of the axes" in result.stderr
    assert "line 7, 8: x.shape[1] -> x.shape[2]" in result.stderr
    result = CliRunner().invoke(poolkit, ["port", str(path), "--to", "torch", "--json"])
    line = {"where": "line 7", "before": "x.shape[1]", "after": "x.shape[2]", "note": ""}
    assert json.loads(result.stdout)["lines"][0] == line


def test_a_sum_over_axis_1_of_who_knows_what_may_be_one_of_tokens() -> None:
    mean = "def tokens(x, mask):\n    return torch.sum(x * mask, 1) / mask.sum(1)\n"
    source = f"{TORCH}{mean}y = F.max_pool2d(z, 2)\nw = y.sum(1)\n"
    lines = {line.before: (line.after, line.note) for line in port_source(source, "keras").lines}
    tokens = "of tokens, (N, L, C), it stays"
    assert lines["torch.sum(x * mask, 1)"] == ("torch.sum(x * mask, -1)", tokens)
    assert lines["mask.sum(1)"] == ("mask.sum(-1)", tokens)
    assert lines["y.sum(1)"] == ("y.sum(-1)", "")
