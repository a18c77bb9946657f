"""Python source, ported: which calls are found, what they become, and that the numbers are the same."""

from __future__ import annotations

import textwrap

import pytest

from poolkit.errors import InputError
from poolkit.port.python.source import port_source
from tests.helpers.ports import ported, row, same_numbers

KERAS = "from keras import layers\n"


def test_layers_stay_layers_and_comments_stay() -> None:
    source = """\
    import os
    from keras import layers, models

    def block():  # é
        pool = layers.MaxPooling2D(  2 , name="p" )   # half
        return [pool, models.Sequential()]
    """
    assert ported(source).text == textwrap.dedent(
        """\
        import os
        from keras import models
        import torch

        def block():  # é
            pool = torch.nn.MaxPool2d(2)   # half
            return [pool, models.Sequential()]
        """
    )


def test_layers_that_are_called_at_once_give_the_same_numbers() -> None:
    got = same_numbers(
        KERAS + "def f(x):\n    return layers.AveragePooling2D(2)(layers.MaxPooling2D(3, 1, padding='same')(x))\n"
    )
    assert got.shape == (2, 4, 3, 3)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("layers.MaxPooling2D(2)(x)", "torch.nn.MaxPool2d(2)(x)"),
        ("layers.GlobalAveragePooling2D(keepdims=True)(x)", "torch.nn.AdaptiveAvgPool2d(1)(x)"),
        (
            "layers.GlobalAveragePooling2D()(x)",
            "torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())(x)",
        ),
        (
            'layers.MaxPooling2D(3, 2, "same")(x)',
            'pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW")(x)',
        ),
        (
            'layers.MaxPooling2D(3, 2, "same")',
            'pk.PoolSpec("max", window=3, stride=2, padding="same", layout="NCHW").layer("torch")',
        ),
        ("keras.ops.mean(x, axis=(1, 2))", "torch.mean(x, dim=(2, 3))"),
    ],
)
def test_keras_to_torch(before: str, after: str) -> None:
    found = row(f"import keras\nfrom keras import layers\ny = {before}\n")
    assert (found.before, found.after, found.status, found.where) == (before, after, "exact", "line 3")


def test_deep_expressions_are_no_traceback() -> None:
    with pytest.raises(InputError, match="deep"):
        port_source(f"x = {' + '.join(['1'] * 5000)}\n", "torch")
    assert port_source(f"x = {' + '.join(['1'] * 50)}\n", "torch").rows == ()


def test_no_python_says_where() -> None:
    with pytest.raises(InputError, match=r"broken\.py.*line 2, column 4: invalid syntax"):
        port_source("x = 1\ny =\n", "torch", name="broken.py")
