"""Small sources at random, ported and run: the numbers are those of the original, or the row says that they are not."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import tensorflow as tf
import torch

from poolkit.port.python.source import port_source
from tests.conftest import Fuzz

Array = np.ndarray[Any, Any]
Rng = random.Random
HEAD = """\
import numpy as np
W = ({k}, {k})
"""
IMPORTS = {
    "torch": "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n",
    "keras": "import keras\nfrom keras import layers\n",
    "tensorflow": "import tensorflow as tf\n",
    "jax": "import jax.numpy as jnp\nfrom jax import lax\nfrom flax import linen\n",
    "numpy": "",
}
TENSORS: dict[str, Callable[[Array], Any]] = {
    "torch": torch.from_numpy,
    "keras": np.asarray,
    "tensorflow": tf.constant,
    "jax": jnp.asarray,
    "numpy": np.asarray,
}
STEPS = ("swapaxes", "moveaxis", "transpose")
SPATIAL = {1: "L", 2: "HW", 3: "DHW"}
# Written alike in every framework, so that what stays in the file still runs after the port.
ARGUMENTS = ("x", "x", "x", "-x", "x * 2", "x[1:]", "x[:, 1:]", "x[..., 1:]", "x[:, :, 1:]")


class Drawn(NamedTuple):
    """A source, the framework that it is written for, and the letters of its tensor; none where no axis can move."""

    framework: str
    call: str
    letters: str
    rank: int


def _last(n: int) -> str:
    return f"N{SPATIAL[n]}C"


def _torch(r: Rng, n: int, x: str) -> str:
    k = r.choice([1, 2, 3, "(3, 2)" if n == 2 else 3, "(*W,)" if n == 2 else 2])
    options = r.choice(["", ", 2", ", stride=1", ", 2, 1", ", 2, ceil_mode=True", ", 3, padding=1"])
    dims = tuple(range(2, n + 2)) if r.random() < 0.5 else tuple(range(-n, 0))
    lines = [
        f"F.{r.choice(['max', 'avg'])}_pool{n}d({x}, {k}{options})",
        f"nn.{r.choice(['Max', 'Avg'])}Pool{n}d({k}{options})({x})",
        f"F.adaptive_{r.choice(['max', 'avg'])}_pool{n}d({x}, {r.choice([1, 2, 3])})",
        f"F.{r.choice(['max', 'avg'])}_pool{n}d({x}, x.shape[2:])",
        f"F.adaptive_avg_pool{n}d({x}, 1).flatten(1)",
        f"torch.{r.choice(['mean', 'amax', 'amin', 'sum'])}({x}, {dims}{r.choice(['', ', True'])})",
        f"F.avg_pool{n}d(x.swapaxes(1, -1), 2)",
    ]
    if n == 2:
        lines += [f"F.avg_pool2d({x}, (1, x.shape[3]))", f"F.max_pool2d({x}, *W)"]
    return r.choice(lines)


def _keras(r: Rng, n: int, x: str) -> str:
    kind, pad = r.choice(["Max", "Average"]), r.choice(["valid", "same"])
    lines = [
        f"layers.{kind}Pooling{n}D({r.choice([2, 3])}, {r.choice([None, 1, 2])}, padding='{pad}')({x})",
        f"layers.Global{kind}Pooling{n}D(keepdims={r.choice([True, False])})({x})",
        f"keras.ops.{r.choice(['mean', 'max'])}({x}, axis={tuple(range(1, n + 1))})",
        f"layers.{kind}Pooling{n}D(2)(keras.ops.transpose(x, {(0, *reversed(range(1, n + 2)))}))",
    ]
    return r.choice(lines)


def _reduced(r: Rng, call: str, axis: str) -> str:
    at = r.choice(["(1, 2)", "(1, 2)", "[-1, -2]", "(-3, -2)", "(2, 3)", "-1", "(-2, -1)"])
    return f"{call}({{x}}, {axis}={at}{r.choice(['', ', keepdims=True'])})"


def _tensorflow(r: Rng, n: int, x: str) -> str:
    k, s, pad = r.choice(["2", "3", "[1, *W, 1]" if n == 2 else "2"]), r.choice([1, 2]), r.choice(["VALID", "SAME"])
    window = f"tf.nn.{r.choice(['max', 'avg'])}_pool{n}d({{x}}, {k}, {s}, '{pad}')"
    name = r.choice(["mean", "max", "min", "sum"])
    line = r.choice([window, _reduced(r, f"tf.reduce_{name}", "axis"), f"tf.reduce_{name}({{x}}, [1, 2])"])
    return line.format(x=x)


def _jax(r: Rng, n: int, x: str) -> str:
    k, s, pad = (r.choice([2, 3]),) * n, (r.choice([1, 2]),) * n, r.choice(["VALID", "SAME"])
    window = f"linen.{r.choice(['max', 'avg'])}_pool({{x}}, {k}, {s}, '{pad}')"
    fold = f"lax.reduce_window({{x}}, -jnp.inf, lax.max, (1, *{k}, 1), (1, *{s}, 1), '{pad}')"
    reduced = _reduced(r, f"jnp.{r.choice(['mean', 'max', 'min', 'sum'])}", "axis")
    moved = "jnp.mean(jnp.moveaxis(x, 1, -1), axis=(1, 2))"
    return r.choice([window, fold, reduced, moved]).format(x=x)


def _numpy(r: Rng, n: int, x: str) -> str:
    return _reduced(r, f"np.{r.choice(['mean', 'max', 'sum'])}", "axis").format(x=x)


LINES = {"torch": _torch, "keras": _keras, "tensorflow": _tensorflow, "jax": _jax, "numpy": _numpy}


def drawn(r: Rng) -> Drawn:
    framework, n = r.choice(list(LINES)), r.choice([1, 2, 2, 2, 3])
    call = LINES[framework](r, n, r.choice(ARGUMENTS))
    if "window" in call or not any(word in call for word in ("reduce_m", "reduce_s", "jnp.m", "jnp.s", "np.")):
        return Drawn(framework, call, f"NC{SPATIAL[n]}" if framework == "torch" else _last(n), n + 2)
    if r.random() < 0.5:
        return Drawn(framework, call, "HWC" if "-3" in call else "", 3)  # of a matrix an item, nothing can move
    first = any(at in call for at in ("(2, 3)", "[-1, -2]", "(-2, -1)"))
    return Drawn(framework, call, "NCHW" if first else "NHWC", 4)


def function(source: str) -> Callable[[Any], Any]:
    names: dict[str, Any] = {}
    exec(compile(source, "source", "exec"), names)
    made: Callable[[Any], Any] = names["f"]
    return made


def moved(x: Array, have: str, want: str) -> Array:
    same = x.ndim != len(have) or have == want
    return x if same else np.ascontiguousarray(x.transpose([have.index(letter) for letter in want]))


def outcome(r: Rng) -> str:
    """What came of one case; an `AssertionError` where a port gives other numbers and its row is silent about it."""
    case = drawn(r)
    source = f"{IMPORTS[case.framework]}{HEAD.format(k=r.choice([1, 2]))}\n\ndef f(x):\n    return {case.call}\n"
    to = r.choice([name for name in TENSORS if name not in (case.framework, "numpy")])
    keep = bool(case.letters) and to != "keras" and r.random() < 0.2  # the source's own order of the axes
    layout = "channels_last" if case.letters.endswith("C") else "channels_first"
    x = np.random.default_rng(r.randrange(2**32)).standard_normal([3, *r.sample([5, 7, 9, 11, 6], case.rank - 1)])
    x = x.astype("float32")
    try:
        expected = np.asarray(function(source)(TENSORS[case.framework](x)))
    except Exception:  # whatever a framework raises for what no size makes right
        return "fail in the original"
    after = port_source(source, to, layout=layout if keep else None)
    statuses = {row.status for row in after.rows}
    if not statuses <= {"exact", "caveat"} or not after.rows:
        assert after.text == source
        return "left or refused"
    have, want = case.letters, case.letters
    # The input is in the target's order already, or is of tokens, which keep theirs.
    turned = any("the turns around it go" in row.note or "the turn stays" in row.note for row in after.rows)
    if case.letters and not keep and not turned:
        batch, spatial = "N" * ("N" in case.letters), case.letters.strip("NC")
        want = f"{batch}C{spatial}" if to == "torch" else f"{batch}{spatial}C"
    told = f"{source}\n{to} {layout if keep else ''} {x.shape}\n{after.text}\n{after.rows}"
    try:
        got = np.asarray(function(after.text)(TENSORS[to](moved(x, have, want))))
    except Exception as error:  # the same; it is not for this rank, or a step that stays is the other framework's
        if "N" in case.letters and not any(step in after.text for step in STEPS):
            raise AssertionError(told) from error
        return "fail where they are run"
    got = moved(got, want, have)
    alike = got.shape == expected.shape and np.allclose(got, expected, 1e-5, 1e-5)
    assert alike or any("counts the axes" in row.note for row in after.rows), f"{told}\n{got.shape} {expected.shape}"
    return "equal" if alike else "told of"


def test_a_port_gives_the_numbers_of_the_original(fuzz: Fuzz) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for r in fuzz:
            fuzz.count(outcome(r))
    assert fuzz.cases < 50 or fuzz.outcomes["equal"] > fuzz.cases / 5
