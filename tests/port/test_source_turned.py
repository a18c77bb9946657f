"""A pool between a turn to its order of the axes and one back: both go where the order changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from poolkit.port.python.source import port_source
from tests.helpers.ports import function, same_numbers

TORCH = "import numpy as np\nimport torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
OTHERS = "import keras\nfrom keras import layers\nimport jax.numpy as jnp\nimport tensorflow as tf\n"

# Of a map with its channels last, which PyTorch's pools are turned to.
OF_TORCH = [
    "return F.avg_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)",
    "return torch.permute(F.max_pool2d(torch.permute(x, (0, 3, 1, 2)), 3, 2), (0, 2, 3, 1))",
    "return F.max_pool2d(x.movedim(-1, 1), 2).movedim(1, -1)",
    "return F.adaptive_avg_pool2d(x.permute(0, 3, 1, 2), 1).flatten(1)",
    "x = x.permute(0, 3, 1, 2)\n    x = F.adaptive_avg_pool2d(x, 1)\n    return np.reshape(np.asarray(x), (2, 3))",
    "x = x.permute(0, 3, 1, 2)\n    x = F.max_pool2d(x, 2)\n    x = x.permute(0, 2, 3, 1)\n    return x",
    "turned = x.permute(0, 3, 1, 2)\n    y = F.max_pool2d(turned, 2)\n    return y.permute(0, 2, 3, 1)",
    "pool = nn.MaxPool2d(2)\n    return pool(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)",
]


@pytest.mark.parametrize("body", OF_TORCH)
def test_turns_of_torch_go(body: str) -> None:
    source = f"{TORCH}def f(x):\n    {body}\n"
    found = port_source(source, "keras")
    assert not any(word in found.text for word in ("permute", "movedim"))
    same_numbers(source, of="torch", to="keras", moved=False)
    assert {row.note.partition(" takes")[0] for row in found.rows if row.after in ("x", "")} <= {
        f"the pool of line {n}" for n in range(1, 9)
    }


STEPS = np.random.default_rng(0).normal(size=(2, 9, 4)).astype(np.float32)
OF_SEQUENCES = [
    "return F.avg_pool1d(x.transpose(1, 2), 3).transpose(1, 2)",
    "y = F.max_pool1d(x.permute(0, 2, 1), 2)\n    return y.permute(0, 2, 1)",
    "pool = nn.AvgPool1d(kernel_size=3, stride=3)\n    return pool(x.transpose(1, 2)).transpose(1, 2)",
    "return F.max_pool1d(x.permute(0, 2, 1), 2)",
    "y = x.transpose(1, 2)\n    return torch.flatten(F.adaptive_avg_pool1d(y, 1), 1)",
]


@pytest.mark.parametrize("body", OF_SEQUENCES)
def test_turns_of_steps_stay(body: str) -> None:
    source = f"{TORCH}def f(x):\n    {body}\n"
    found = port_source(source, "keras")
    assert [row.status for row in found.rows] == ["caveat"]
    assert "the turn stays and it pools NCL" in found.rows[0].note
    assert source.count("1, 2)") + source.count("permute") == found.text.count("1, 2)") + found.text.count("permute")
    turns = {
        "transpose(1, 2)": "swapaxes(1, 2)",
        "permute(": "transpose(",
        "x.": "np.asarray(x).",
        "y.": "np.asarray(y).",
    }
    text = found.text.replace(").transpose", ").numpy().transpose")
    for before, after in turns.items():
        text = text.replace(before, after)
    theirs = function(source)(torch.from_numpy(STEPS)).numpy()
    np.testing.assert_allclose(function(text)(STEPS), theirs, rtol=1e-5, atol=1e-6)


def test_a_layer_that_turns_goes() -> None:
    source = f"""{TORCH}class Permute(nn.Module):  # as torchvision has it
    def __init__(self, dims):
        super().__init__()
        self.dims = dims
    def forward(self, x):
        return x.permute(self.dims)
def f(x):
    turn = Permute([0, 3, 1, 2])
    x = turn(x)
    return F.adaptive_max_pool2d(x, 1).flatten(1)
"""
    assert "turn(x)" not in port_source(source, "keras").text
    same_numbers(source, of="torch", to="keras", moved=False)


# Of a map as Keras has it, turned to the pool and back: it is PyTorch's own order then.
OF_OTHERS = [
    "y = tf.transpose(x, [0, 3, 1, 2])\n    return tf.reduce_mean(y, axis=(2, 3))",
    "return jnp.mean(jnp.transpose(x, (0, 3, 1, 2)), axis=(2, 3))",
    "return layers.GlobalAveragePooling2D(data_format='channels_first')(layers.Permute((3, 1, 2))(x))",
]


@pytest.mark.parametrize("body", OF_OTHERS)
def test_turns_of_the_others_go(body: str) -> None:
    source = f"{OTHERS}def f(x):\n    {body}\n"
    assert not any(word in port_source(source, "torch").text for word in ("transpose", "Permute"))
    same_numbers(source, of="jax" if "jnp.mean" in body else "tensorflow")


STAY = [
    "F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 3, 1, 2)",  # no way back
    "F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 1, 3)",
    "F.max_pool2d(x.permute(0, 3, 2, 1), 2).permute(0, 3, 2, 1)",  # height and width, too
    "F.max_pool2d(nn.ReLU()(x.permute(0, 3, 1, 2)), 2).permute(0, 2, 3, 1)",
    "F.max_pool2d(x.permute(*order), 2).permute(0, 2, 3, 1)",
]


@pytest.mark.parametrize("call", STAY)
def test_other_turns_stay_and_the_pool_is_refused(call: str) -> None:
    source = f"{TORCH}y = {call}\n"
    found = port_source(source, "keras")
    assert found.text == source
    assert [row.status for row in found.rows] == ["failed"]


def test_a_turned_map_that_is_used_twice_stays() -> None:
    source = f"{TORCH}def f(x):\n    y = x.permute(0, 3, 1, 2)\n    return F.max_pool2d(y, 2).permute(0, 2, 3, 1), y\n"
    assert port_source(source, "keras").text == source


def test_a_layer_that_is_called_with_a_turn_and_without() -> None:
    source = f"""{TORCH}class Net(nn.Module):
    def __init__(self):
        self.pool = nn.MaxPool2d(2)
    def forward(self, x):
        return self.pool(self.pool(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
"""
    found = port_source(source, "keras")
    assert (found.text, [row.status for row in found.rows]) == (source, ["failed"])


def test_where_the_order_stays_the_turns_do() -> None:
    source = f"{TORCH}y = F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)\n"
    after = port_source(source, "keras", layout="NCHW").text
    assert after.count("permute") == 2
    assert 'data_format="channels_first"' in after
