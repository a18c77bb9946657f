"""Pools of JAX's libraries whose sizes only the program knows, or which are a spec's at some sizes alone."""

from __future__ import annotations

import equinox
import jax
import numpy as np
import pytest
import torch

from tests.helpers.ports import function, ported, same_numbers

HEAD = "from jax import lax\nimport jax.numpy as jnp\n"
WINDOWS = [
    "dims = (1,) + tuple(size) + (1,)\n    return lax.reduce_window(x, -jnp.inf, lax.max, dims, (1, 2, 1, 1), 'SAME')",
    "dims = (1, *map(int, size), 1)\n    return lax.reduce_window(x, 0.0, lax.add, dims, (1, 2, 2, 1), 'VALID')",
    "more = (jnp.inf, lax.min, (1, *size, 1))\n    return lax.reduce_window(x, *more, (1, 1, 1, 1), 'VALID')",
    "def pool(x, r, start):\n        return lax.reduce_window(x, start, r, (1, *size, 1), (1, 2, 2, 1), 'SAME')\n"
    "    return pool(x, lax.max, -jnp.inf)",
]


@pytest.mark.parametrize("lines", WINDOWS)
def test_windows_that_only_the_program_knows_are_read_then(lines: str) -> None:
    source = f"{HEAD}def f(x, size=None):\n    size = size or (3, 2)\n    {lines}\n"
    assert [row.status for row in ported(source).rows] == ["exact"]
    assert 'pk.stand_in("jax.lax.reduce_window", "torch")' in ported(source).text
    same_numbers(source, of="jax")


def test_what_gives_its_items_once_is_made_a_tuple() -> None:
    call = "lax.reduce_window(x, -jnp.inf, lax.max, (1, *map(int, size), 1), (1,) * 4, 'SAME')"
    source = f"{HEAD}def f(x, size=(3, 2)):\n    return {call}\n"
    assert "stand_in" not in ported(source).text
    same_numbers(source, of="jax")


@pytest.mark.parametrize("call", ["(x, -jnp.inf, lax.max, sizes(x), *a)", "(x.transpose(0, 3, 1, 2), *a)"])
def test_windows_by_a_shape_and_of_turned_maps_are_refused(call: str) -> None:
    (found,) = ported(f"{HEAD}y = lax.reduce_window{call}\n").rows
    assert (found.status, found.after) == ("failed", "")


@pytest.mark.parametrize("size", [(8, 6), (12, 4), (7, 5)])
@pytest.mark.parametrize("word", ["AdaptiveAvgPool2d", "AdaptiveMaxPool2d"])
def test_bins_of_equinox_are_the_ports_where_each_divides_its_axis(word: str, size: tuple[int, int]) -> None:
    source = f"import equinox as eqx\nbins = (4, 2)\ndef f(x):\n    return eqx.nn.{word}(bins)(x)\n"
    (found,) = ported(source).rows
    assert (found.status, "divides its axis evenly" in found.note) == ("caveat", True)
    x = np.random.default_rng(0).normal(size=(3, *size)).astype(np.float32)
    theirs = np.asarray(getattr(equinox.nn, word)((4, 2))(jax.numpy.asarray(x)))
    ours = function(ported(source).text)(torch.from_numpy(x)).numpy()
    assert np.allclose(theirs, ours, 1e-5, 1e-6) == (size != (7, 5))
