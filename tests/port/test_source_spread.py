"""Windows with an entry for each axis that are put together of several, and windows that go by the number of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from poolkit.port.python.source import port_source
from tests.helpers.ports import row, same_numbers

JAX = "import haiku as hk\nimport jax.numpy as jnp\nfrom flax import linen as nn\nfrom jax import lax\n"
MAP = np.random.default_rng(0).normal(size=(2, 9, 7, 3)).astype(np.float32)
MOST = "lax.reduce_window(x, -jnp.inf, lax.max, {}, {}, {})"

PUT_TOGETHER: list[tuple[str, str, str]] = [  # window, strides, padding
    ("(1,) + k + (1,)", "(1,) + s + (1,)", "'VALID'"),
    ("(1, *k, 1)", "(1, *s, 1)", "'SAME'"),
    ("[1, *k, 1]", "(1,) * 4", "'VALID'"),
    ("(1,) + tuple(k) + (1,)", "(1,) * 4", "'SAME'"),
    ("(1, *k, 1)", "(1, 2, 2, 1)", "((0, 0), (1, 1), (1, 0), (0, 0))"),
    ("(1,) + k + (1,)", "(1, *s, 1)", "((0, 0),) + p + ((0, 0),)"),
    ("(1,) + (k[0],) * 2 + (1,)", "(1, 1, 1, 1)", "'VALID'"),
    ("(1,) + (3, 2) + (1,)", "[1] + [2] * 2 + [1]", "'VALID'"),
    ("(1, 3) + k[1:] + (1,)", "(1, *s, 1)", "'VALID'"),
]


@pytest.mark.parametrize("to", ["torch", "keras", "tensorflow"])
@pytest.mark.parametrize(("window", "strides", "padding"), PUT_TOGETHER)
def test_what_is_put_together_gives_the_same(window: str, strides: str, padding: str, to: str) -> None:
    call = MOST.format(window, strides, padding)
    source = f"{JAX}def f(x, k, s, p):\n    return {call}\n"
    rest: list[Any] = [(3, 2), (2, 1), ((1, 1), (0, 1))]
    if to == "torch":
        same_numbers(source, *rest, of="jax", to=to, x=MAP)
    assert port_source(source, to).complete


def test_a_window_that_has_a_name() -> None:
    body = "dims = (1,) + k + (1,)\n    s = (1,) * 4\n    return " + MOST.format("dims", "s", "'VALID'")
    source = f"{JAX}def f(x, k):\n    {body}\n"
    assert "window=k" in row(source).after or "(x, k, 1)" in row(source).after
    same_numbers(source, (3, 2), of="jax", x=MAP)


def test_channels_first() -> None:
    source = f"{JAX}def f(x, k):\n    return {MOST.format('(1, 1) + k', '(1, 1, 2, 2)', 'None or chr(86)')}\n"
    source = source.replace("None or chr(86)", "'VALID'")
    same_numbers(source, (3, 2), of="jax", x=np.moveaxis(MAP, -1, 1), moved=False)


@pytest.mark.parametrize(
    "body",
    [
        MOST.format("k + (1,)", "None", "'VALID'"),
        MOST.format("(1,) + k", "None", "'VALID'"),
        MOST.format("(2,) + k + (1,)", "None", "'VALID'"),
        MOST.format("(1,) + k + (1,)", "s", "'VALID'"),
        MOST.format("(1, *k, 1)", "(1, 1, *k)", "'VALID'"),
        MOST.format("(1, *k, 1)", "(1, 1, 1)", "((0, 0),) * 4"),
        MOST.format("(1,) * n", "None", "'VALID'"),
        MOST.format("(1,) * 10 ** 9", "None", "'VALID'"),
        "lax.reduce_window(x, init, op, (1,) + k + (1,), None, 'VALID')",
    ],
)
def test_what_nobody_knows_is_read_when_it_runs_or_refused(body: str) -> None:
    found = row(f"{JAX}def f(x, k, s, n, init, op):\n    return {body}\n")
    assert found.status == "failed" or found.after.startswith('pk.stand_in("jax.lax.reduce_window", "torch")(x, ')
    assert ("where no spec says it" in found.note) == (found.status != "failed")


def test_a_name_that_is_changed_in_between() -> None:
    body = "dims = (1,) + k + (1,)\n    k = k[::-1]\n    return " + MOST.format("dims", "None", "'VALID'")
    found = row(f"{JAX}def f(x, k):\n    {body}\n")
    assert found.status == "failed" or "window=k" not in found.after


def test_doubled_windows_take_no_long_time() -> None:
    lines = "".join(f"    a{n} = a{n - 1} + a{n - 1}\n" for n in range(1, 60))
    source = (
        f"{JAX}def f(x):\n    a0 = (1, 2)\n{lines}    return {MOST.format('a59', 'a59', chr(39) + 'VALID' + chr(39))}\n"
    )
    assert row(source).status == "failed"


# ---------------------------------------------------------------------------------------------- how many axes there are


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("nn.max_pool(x.reshape(1, 2, 9, 7, 3), (3, 2), (2, 2))", "...HWC"),
        ("nn.avg_pool(x.reshape((1, 2, 9, 7, 3)), (3, 3), padding='SAME')", "...HWC"),
    ],
)
def test_flax_takes_any_number_of_batches(call: str, after: str) -> None:
    source = f"{JAX}def f(x):\n    return {call}\n"
    assert f'layout="{after}"' in row(source).after
    same_numbers(source, of="jax", x=MAP, moved=False)


@pytest.mark.parametrize("shape", ["(1,) + shape", "shape", "2, *shape", "2, 9, order='F'"])
def test_a_reshape_to_what_nobody_knows_says_no_number_of_axes(shape: str) -> None:
    found = row(f"{JAX}def f(x, shape):\n    return nn.max_pool(x.reshape({shape}), (3, 2), (2, 2))\n")
    assert found.status == "failed"


def test_flax_without_a_batch() -> None:
    source = f"{JAX}def f(x):\n    x = x.reshape(18, 7, 3)\n    return nn.max_pool(x, (3, 2), (2, 2))\n"
    same_numbers(source, of="jax", x=MAP, moved=False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "call", ["hk.max_pool(x, 3, 2, 'SAME', None)", "hk.avg_pool(x, 2, 1, 'VALID', channel_axis=None)"]
)
@pytest.mark.parametrize("sizes", ["(6, 63)", "(18, 7, 3)", "(2, 9, 7, 3)"])
def test_haiku_without_channels_pools_all_axes_but_the_first(call: str, sizes: str) -> None:
    source = f"{JAX}def f(x):\n    x = x.reshape{sizes}\n    return {call}\n"
    same_numbers(source, of="jax", x=MAP, moved=False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_axes_of_what_is_made_are_counted() -> None:
    source = f"{JAX}def f(x):\n    return hk.avg_pool(jnp.ones((2, 9, 5)), 3, 2, 'SAME', channel_axis=None)\n"
    assert 'layout="CHW"' in row(source).after or "avg_pool2d" in row(source).after


def test_haiku_without_channels_of_an_unknown_tensor_is_refused() -> None:
    found = row(f"{JAX}def f(x):\n    return hk.max_pool(x, 3, 2, 'SAME', channel_axis=None)\n")
    assert (found.status, "leaves open which are pooled" in found.note) == ("failed", True)
