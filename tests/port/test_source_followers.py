"""What the report says of the step right behind a pool."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row

KERAS = "import keras\nimport tensorflow as tf\nfrom keras import layers\n"
TORCH = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"

FLATTENED = [
    ("torch", "y = layers.Flatten()(layers.MaxPooling2D(2)(x))"),
    ("torch", "m = keras.Sequential([layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(3)])"),
    ("torch", "m = keras.Sequential()\nm.add(layers.MaxPooling2D(2))\nm.add(layers.Flatten())"),
    ("torch", "x = layers.MaxPooling2D(2)(x)\nx = layers.Flatten()(x)"),
    ("keras", "y = torch.flatten(F.max_pool2d(x, 2), 1)"),
    ("keras", "y = F.adaptive_max_pool2d(x, s).flatten(1)"),
    ("keras", "y = nn.AdaptiveAvgPool2d(7)(x).view(x.size(0), -1)"),
    ("keras", "pool = nn.AvgPool2d(2)\ny = pool(x).flatten(1)"),
]


@pytest.mark.parametrize(("to", "lines"), FLATTENED)
def test_a_flatten_reads_in_another_order(to: str, lines: str) -> None:
    found = row((KERAS if to == "torch" else TORCH) + lines + "\n", to)
    assert found.status == "caveat"
    assert "another order" in found.note


QUIET = [
    ("torch", "y = layers.Flatten()(layers.GlobalAveragePooling2D()(x))"),
    ("torch", "m = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(3)])"),
    ("torch", "y = layers.Flatten()(layers.GlobalMaxPooling2D(keepdims=True)(x))"),
    ("tensorflow", "y = layers.Flatten()(layers.MaxPooling2D(2)(x))"),
    ("keras", "m = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())"),
    ("keras", "y = F.adaptive_avg_pool2d(x, 1).flatten(1)"),
    ("keras", "y = F.max_pool2d(x, 2)[0]"),
]


@pytest.mark.parametrize(("to", "lines"), QUIET)
def test_nothing_is_said_where_the_order_stays(to: str, lines: str) -> None:
    found = row((KERAS if to != "keras" else TORCH) + lines + "\n", to)
    assert "after it" not in found.note


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        ("y = F.adaptive_avg_pool2d(x, 1).view(b, -1)", "not surely the batch"),
        ("y = F.max_pool2d(x, 2).view(b, c, -1)", "order of the original"),
        ("y = F.max_pool2d(x, 2)[:, :, 0]", "index after it"),
        ("y = F.adaptive_avg_pool2d(x, 1)[:, :, 0]", "index after it"),
        ("pool = nn.AdaptiveAvgPool2d(1)\ny = pool(x).squeeze()", "batch of 1"),
    ],
)
def test_other_steps(lines: str, note: str) -> None:
    assert note in row(f"{TORCH}{lines}\n", "keras").note


def test_a_squeeze_of_a_stored_layer() -> None:
    source = """\
import torch.nn as nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gap = nn.AdaptiveAvgPool2d(1)
    def forward(self, x):
        x = self.gap(x)
        return x.squeeze()
"""
    assert "batch of 1" in row(source, "keras").note
    assert "axes of the squeeze" in row(source.replace("squeeze()", "squeeze(-1)"), "keras").note
    assert "batch of 1" in ported(source, None).rows[0].note


def test_a_view_with_the_batch_of_a_stored_layer_is_quiet() -> None:
    source = """\
import torch.nn as nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gap = nn.AdaptiveAvgPool2d(1)
    def forward(self, x):
        b, c, _, _ = x.size()
        return self.gap(x).view(b, c)
"""
    assert "after it" not in row(source, "keras").note
    assert "not surely the batch" in row(source.replace("b, c, _, _ = x.size()", "b, c = 1, 2"), "keras").note


@pytest.mark.parametrize("step", ["tf.reshape(y, [1, 1, 1, -1])", "layers.Reshape((1, 3))(y)", "tf.expand_dims(y, 1)"])
def test_axes_that_come_back_in_part(step: str) -> None:
    assert "order of the original" in row(f"{KERAS}y = tf.reduce_mean(x, [1, 2])\ny = {step}\n").note


def test_nothing_is_said_of_a_step_that_became_part_of_the_pool() -> None:
    assert (
        "after it"
        not in ported(f"{KERAS}y = tf.reduce_mean(x, [1, 2])\ny = tf.reshape(y, [-1, 1, 1, 3])\n").rows[0].note
    )
