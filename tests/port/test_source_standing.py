"""Classes and functions that a file hands on, and calls whose arguments only the program knows: stand-ins read them."""

from __future__ import annotations

import keras
import pytest
import torch

import poolkit as pk
from poolkit.errors import InputError, NotExactError
from tests.helpers.ports import ported, row, same_numbers

KERAS = "import functools\nimport keras\nfrom keras import layers\nimport tensorflow as tf\n"
TORCH = "import functools\nfrom torch import nn\nimport torch.nn.functional as F\n"

OF_TORCH = [
    "def f(x, pool=nn.MaxPool2d, **k):\n    return pool(kernel_size=3, stride=2, padding=1)(x)",
    "def block(x, pool_layer):\n    return pool_layer(2)(x)\ndef f(x):\n    return block(x, pool_layer=nn.AvgPool2d)",
    "POOLS = {'max': nn.MaxPool2d, 'avg': nn.AvgPool2d}\ndef f(x, kind='avg'):\n    return POOLS[kind](3, 1, 1)(x)",
    "def f(x):\n    pool = functools.partial(nn.AvgPool2d, kernel_size=2)\n    return pool(stride=1)(x)",
    "class Net:\n    pool = nn.MaxPool2d\ndef f(x):\n    return Net().pool(2, ceil_mode=True)(x)",
    "def kind(name):\n    return nn.AdaptiveAvgPool2d if name else None\ndef f(x):\n    return kind('gap')(1)(x)",
    "def f(x, pool=F.max_pool2d):\n    return pool(x, 2) + pool(kernel_size=2, input=x)",
    "def f(x, *k, **o):\n    return F.avg_pool2d(x, 3, 2, **o or {'count_include_pad': False, 'padding': 1})",
    "def f(x, k=(3, 2)):\n    return nn.MaxPool2d(*k)(x)",
    "def f(x, with_indices=False):\n    return F.max_pool2d(x, 2, return_indices=with_indices)",
]


@pytest.mark.parametrize("body", OF_TORCH)
def test_stand_ins_for_torch_in_keras(body: str) -> None:
    assert "pk.stand_in(" in ported(f"{TORCH}{body}\n", "keras").text
    same_numbers(f"{TORCH}{body}\n", of="torch", to="keras")


OF_KERAS = [
    "def f(x, pool=layers.MaxPooling2D):\n    return pool(3, 2, padding='same', name='p')(x)",
    "def f(x, o=None):\n    return layers.AveragePooling2D(**(o or {'pool_size': 3, 'padding': 'same'}))(x)",
    "def f(x, k=[1, 3, 2, 1]):\n    return tf.nn.max_pool(x, k, k, 'SAME')",
    "def f(x):\n    return dict(p=layers.GlobalAveragePooling2D)['p'](keepdims=True)(x)",
    "def f(x, p=True):\n    P = layers.MaxPooling2D if p else layers.Dense\n    p = 0\n    return P(2)(x)",
]


@pytest.mark.parametrize("body", OF_KERAS)
def test_stand_ins_for_keras_in_torch(body: str) -> None:
    same_numbers(f"{KERAS}{body}\n")
    assert "pk.stand_in(" in ported(f"{KERAS}{body}\n").text


def test_the_order_that_is_asked_for() -> None:
    before = f"{KERAS}y = block(x, pool=layers.MaxPooling2D)\n"
    after = 'pk.stand_in("keras.layers.MaxPooling2D", "torch", layout="channels_last")'
    assert ported(before, layout="NHWC").rows[0].after == after
    assert "layout" not in ported(before, layout="NCHW").rows[0].after


STAY = [
    "F.max_pool2d(x.permute(0, 3, 1, 2), **o)",  # an order that nobody takes back
    "F.avg_pool2d(x, sizes(x), **o)",  # by the shape of what moves
    "F.avg_pool2d(x, *(n // 2 for n in x.shape[2:]))",
]


@pytest.mark.parametrize("call", STAY)
def test_what_goes_by_the_order_is_refused(call: str) -> None:
    found = row(f"{TORCH}y = {call}\n", "keras")
    assert (found.status, found.after) == ("failed", "")


def test_what_is_no_value_is_refused() -> None:
    asked = (
        "class Same(nn.MaxPool2d): pass",
        "hooks = {nn.MaxPool2d: count}",
        "t = m in (nn.MaxPool2d, None)",
        "{nn.MaxPool2d}",
    )
    for use in (*asked, "f.register(nn.MaxPool2d)"):
        assert row(f"{TORCH}{use}\n", "keras").status == "failed"


def test_a_wrapper_and_a_scope_that_say_more_are_refused() -> None:
    assert row(f"{KERAS}y = layers.TimeDistributed(layers.MaxPooling2D(**o))(x)\n").status == "failed"
    scope = "with slim.arg_scope([slim.max_pool2d], padding='SAME'):"
    slim = f"import tf_slim as slim\n{scope}\n    y = slim.max_pool2d(x, **o)\n"
    assert "failed" in [one.status for one in ported(slim).rows]


def test_a_stand_in_is_the_same_class_each_time() -> None:
    made = pk.stand_in("torch.nn.AvgPool2d", "keras")
    assert isinstance(made, type)
    assert made is pk.stand_in("torch.nn.AvgPool2d", "keras")
    assert type(made(2)) is keras.layers.AveragePooling2D
    assert pk.stand_in("keras.layers.MaxPooling2D", "torch", layout="channels_last")(2)(
        torch.ones(1, 4, 4, 3)
    ).shape == ((1, 2, 2, 3))


@pytest.mark.parametrize(
    ("word", "backend", "layout", "why"),
    [
        ("torch.nn.Conv2d", "keras", None, "no pooling class or function of that name"),
        (3, "keras", None, "no pooling class or function of that name"),
        ("nothing.MaxPool2d", "keras", None, "no framework that poolkit reads"),
        ("torch.nn.MaxPool2d", "keras", "NHWC", "channels_first or channels_last"),
        ("torch.nn.MaxPool2d", "teras", None, "received the backend"),
    ],
)
def test_a_stand_in_for_nothing(word: str, backend: str, layout: str | None, why: str) -> None:
    with pytest.raises(pk.PoolkitError, match=why):
        pk.stand_in(word, backend, layout=layout)


def test_a_stand_in_that_is_called_wrongly() -> None:
    with pytest.raises(NotExactError, match="kernel_size"):
        pk.stand_in("torch.nn.AvgPool2d", "keras")(channels=3)
    with pytest.raises(InputError, match="received two values for input, and "):
        pk.stand_in("torch.nn.functional.avg_pool2d", "keras")(2, input=torch.ones(1, 1, 4, 4))
    with pytest.raises(InputError, match="received no tensor"):
        pk.stand_in("torch.nn.functional.avg_pool2d", "keras")(kernel_size=2)


@pytest.mark.parametrize(("layout", "order"), [("NCHW", "NCHW"), ("NHWC", "NHWC"), (None, "NHWC")])
def test_the_order_that_is_asked_for_where_a_flag_is_a_variable(layout: str | None, order: str) -> None:
    source = f"{TORCH}def f(x, c):\n    return F.avg_pool2d(x, 3, padding=1, count_include_pad=c)\n"
    assert f'count_include_pad=c, layout="{order}")(x)' in ported(source, "keras", layout=layout).text
