"""Arguments and elements with a star: those of a literal are spread, and any other leaves open how many there are."""

from __future__ import annotations

import pytest

import poolkit as pk
from poolkit.dialects.reading import read
from poolkit.errors import NotExactError
from tests.helpers.ports import ported, row, same_numbers

HEAD = """\
import jax
import jax.numpy as jnp
import tensorflow as tf
import torch.nn.functional as F
from jax import lax
from keras import layers
W = (2, 3)
def f(x, k, options):
    return """
MOST = 'lax.reduce_window(x, -jnp.inf, lax.max, {0}, {0}, "VALID")'


@pytest.mark.parametrize(
    ("before", "to", "after"),
    [
        (MOST.format("(1, *W)"), "torch", "F.max_pool2d(x, (2, 3))"),
        (MOST.format("(1, *(2, 3), 1)"), "torch", "F.max_pool2d(x, (2, 3))"),
        (MOST.format("[*(1, 1), *W]"), "torch", "F.max_pool2d(x, (2, 3))"),
        ('tf.nn.max_pool2d(x, [1, *W, 1], 2, "VALID")', "torch", "F.max_pool2d(x, (2, 3), 2)"),
        ("F.max_pool2d(x, *W)", "keras", "layers.MaxPooling2D(2, 3)(x)"),
        ('F.max_pool2d(x, **{"kernel_size": 3, "stride": 2})', "keras", "layers.MaxPooling2D(3, 2)(x)"),
        ("F.max_pool2d(x, (*k,))", "keras", "layers.MaxPooling2D((*k,))(x)"),
        ("layers.MaxPooling2D([*k], padding='valid')(x)", "torch", "torch.nn.MaxPool2d([*k])(x)"),
    ],
)
def test_a_star_before_what_is_known(before: str, to: str, after: str) -> None:
    assert row(f"{HEAD}{before}\n", to).after.removeprefix("keras.") == after


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("F.max_pool2d(x, *x.shape[2:])", "come by * or ** are not known here"),
        ("layers.MaxPooling2D(*x.shape[1:3])(x)", "come by * or ** are not known here"),
    ],
)
def test_a_star_before_what_is_not_known(before: str, why: str) -> None:
    found = row(f"{HEAD}{before}\n", "keras" if before.startswith(("F", "lax")) else "torch")
    assert (found.status, found.after) == ("failed", "")
    assert why in found.note


@pytest.mark.parametrize("window", ["(1, *k)", "(1, 2, *k)"])
def test_a_star_before_what_only_the_program_knows(window: str) -> None:
    assert row(f"{HEAD}{MOST.format(window)}\n").after.startswith("pk.stand_in(")


def test_windows_behind_a_star_give_the_same_numbers() -> None:
    same_numbers(f"{HEAD}F.max_pool2d(x, (*k,), (*reversed(k),))\n", (2, 3), {}, of="torch", to="keras")


def test_a_line_of_source() -> None:
    assert read("F.max_pool2d(x, *(3, 2))") == pk.MaxPool(3, 2, layout="NCHW")
    assert read('pk.MaxPool(*[3], **{"layout": "NCHW"})') == pk.MaxPool(3, layout="NCHW")
    for line in ("F.max_pool2d(x, *k)", "nn.MaxPool2d(**options)", "F.max_pool2d(*k)", 'pk.PoolSpec("max", **options)'):
        with pytest.raises(NotExactError, match=r"come by \* or \*\* are not known here"):
            read(line)


@pytest.mark.parametrize("shape", ["b, *c, 1, 1", "(b, *c, 1, 1)", "*c, 1, 1"])
def test_sizes_behind_a_star_are_not_counted(shape: str) -> None:
    source = (
        f"import torch.nn.functional as F\ndef f(x, c):\n    b = x.size(0)\n    return x.mean((2, 3)).view({shape})\n"
    )
    assert f".view({shape})" in ported("import torch\n" + source, "keras").text


def test_a_whole_map_behind_a_star() -> None:
    before = "lax.reduce_window(x, -jnp.inf, lax.max, (1, *x.shape[1:3], 1), (1, 1, 1, 1), 'VALID')"
    assert row(f"{HEAD}{before}\n").after == "F.adaptive_max_pool2d(x, 1)"
    assert "GlobalAveragePooling2D" in row(f"{HEAD}F.avg_pool2d(x, (*x.shape[2:],))\n", "keras").after
    assert row(f"{HEAD}F.avg_pool2d(x, (*k.shape[1:],))\n", "keras").status == "failed"
