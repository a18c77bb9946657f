"""A pool that a file names in a text alone has a row; texts that only say its name have none."""

from __future__ import annotations

import pytest

from tests.helpers.ports import ported, row

MADE = {
    "a default": 'from keras import layers\ndef f(x, kind="MaxPooling2D"):\n    return getattr(layers, kind)(2)(x)',
    "a loop": 'from keras import layers\nfor kind in ("MaxPooling2D",):\n    getattr(layers, kind)(2)',
    "a config": 'import keras\ny = keras.layers.deserialize({"class_name": "MaxPooling2D", "config": {}})',
    "a class's config": 'import tensorflow as tf\ny = tf.keras.layers.MaxPool2D.from_config({"pool_size": 2})',
    "a module's names": 'import keras.layers as ns\ny = vars(ns)["AvgPool2D"](2)',
    "names of a module": 'from keras import layers\nkind = layers.__dict__["MaxPool2D"]',
    "a program": 'from keras import layers\ny = eval("layers.MaxPooling2D(2)")',
    "a printed program": 'from keras import layers\nprint(eval("layers.MaxPooling2D(2)")(x) == 0)',
    "attributes": 'import keras, operator\ny = operator.attrgetter("layers.MaxPooling2D")(keras)(2)',
    "a function": 'import tensorflow as tf\ndef f(x, kind="max_pool2d"):\n    return getattr(tf.nn, kind)(x, 2, 2)',
    "the name of a class": 'import keras\nif type(layer).__name__ == "MaxPooling2D":\n    halve()',
}


@pytest.mark.parametrize("name", MADE)
def test_a_text_that_becomes_a_pool_has_a_row(name: str) -> None:
    found = row(f"{MADE[name]}\n")

    assert found.status == "failed"
    assert "ool" in found.before


def test_the_row_of_a_text_says_that_it_is_one() -> None:
    found = row('from keras import layers\nfor kind in ("MaxPooling2D",):\n    getattr(layers, kind)(2)\n')

    assert (found.where, found.before) == ("line 2", '"MaxPooling2D"')
    assert "MaxPooling2D is only a text here" in found.note


def test_names_of_pytorch_are_told_of_though_another_framework_has_them_too() -> None:
    source = 'from torch import nn\ny = nn.__dict__["MaxPool2d"](2)\nfor kind in ("MaxPool2d",): getattr(nn, kind)(2)\n'
    for to in ("keras", "jax"):
        assert [one.where for one in ported(source, to).rows] == ["line 2", "line 3"]


SAID = [
    'def f():\n    "MaxPooling2D"',
    '"""MaxPooling2D"""',
    'block(name="MaxPooling2D", func_name="MaxPool2D")',
    'log.info("MaxPooling2D")',
    'raise ValueError("MaxPooling2D")',
    'y = f"{kind}MaxPooling2D"',
    'text = "MaxPooling2D halves the map"',
    '__all__ = ["MaxPooling2D"]',
    '@export("keras.layers.MaxPooling2D")\nclass Halved: pass',
    'def f(x: "MaxPooling2D") -> "MaxPooling2D": pass',
    'TABLE = {"MaxPooling2D": Halved}',
    'TABLE["MaxPooling2D"] = Halved',
    'if kind == "MaxPooling2D": pass',
    'kind = "max_pool2d"',
    'path = getattr(self, "path", "max_pool")',
    'class Halved:\n    def __repr__(self): return "MaxPooling2D"',
    "# MaxPooling2D",
]


@pytest.mark.parametrize("said", SAID)
def test_a_text_that_only_says_a_name_has_no_row(said: str) -> None:
    assert ported(f"import keras\n{said}\n").rows == ()


def test_a_text_of_the_targets_own_has_no_row() -> None:
    source = 'import keras, torch\nfor kind in ("MaxPool2d",): getattr(torch.nn, kind)(2)\n'
    assert ported(source).rows == ()
