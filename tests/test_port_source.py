"""Python source, ported: which calls are found, what they become, and that the numbers are the same."""

from __future__ import annotations

import textwrap
from typing import Any

import keras
import numpy as np
import pytest
import torch

from poolkit.errors import InputError
from poolkit.port.python.source import port_source
from poolkit.port.report import Ported, Row

MAP = np.random.default_rng(0).normal(size=(2, 8, 6, 3)).astype(np.float32)


def ported(source: str, to: str | None = "torch", **options: Any) -> Ported:
    return port_source(textwrap.dedent(source), to, **options)


def line(source: str, to: str = "torch", **options: Any) -> str:
    """The last line of a ported source."""
    return ported(source, to, **options).text.splitlines()[-1].strip()


def row(source: str, to: str = "torch") -> Row:
    rows = ported(source, to).rows
    assert len(rows) == 1, rows
    return rows[0]


def function(source: str, name: str = "f") -> Any:
    """The function that a source of these tests defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "source", "exec"), names)
    return names[name]


def same_numbers(source: str, *rest: Any) -> np.ndarray:
    """Run f(x) of a Keras source, and of its port to PyTorch; the result, channels last where it is a map."""
    source = textwrap.dedent(source)
    after = port_source(source, "torch")
    assert after.complete, after.rows
    expected = np.asarray(keras.ops.convert_to_numpy(function(source)(MAP, *rest)))
    got = function(after.text)(torch.from_numpy(MAP).permute(0, 3, 1, 2), *rest).numpy()
    got = got.transpose(0, 2, 3, 1) if got.ndim == 4 else got
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    return got


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
