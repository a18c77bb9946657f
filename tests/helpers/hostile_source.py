"""Source as nobody should write it, for fuzzers: pools in odd places, odd values in pools, text cut and spliced."""

from __future__ import annotations

import ast
import copy
import random

from tests.helpers import mutated

Rng = random.Random

HEAD = """\
import functools, numpy as np, torch, keras, tensorflow as tf, jax, jax.numpy as jnp, einops, timm, haiku as hk
from torch import nn
from torch.nn import functional as F
from keras import layers, ops
from jax import lax
from flax import linen
"""
BODY = """\
def f(x, k=2, axis=(1, 2), *rest, **more):
    x = F.max_pool2d(x, k, 2, padding=1)  # half
    n, c, h, w = x.shape
    x = F.avg_pool2d(x, (h, w)).view(n, c)
    y = x.mean((2, 3), keepdim=True).squeeze(-1).squeeze(-1)
    return torch.cat([F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)], 1).flatten(1)

class Net(nn.Module):
    def __init__(self, size=3):
        self.size = size
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.model = keras.Sequential([layers.MaxPooling2D(2, padding="same"), layers.Reshape((1, 1, -1))])
    def call(self, x):
        for n in range(3):
            x = tf.reduce_mean(tf.nn.max_pool2d(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), axis=axes, keepdims=True)
        z = lax.reduce_window(x, -jnp.inf, lax.max, (1, *W, 1), (1, 2, 2, 1), "VALID")
        return self.pool(jnp.mean(x, axis=(1, 2))) + layers.Lambda(lambda t: tf.reduce_max(t, [1, 2]))(z)

g = functools.partial(hk.max_pool, window_shape=(2, 2), strides=W, padding="VALID")
W = (2, 2) if torch else [k for k in (3, 4)]
h = einops.reduce(x, "b (h 2) (w 2) c -> b h w c", "max") + ops.max_pool(x, 2) + keras.layers.TimeDistributed(
    keras.layers.GlobalAveragePooling1D())(x, mask=m) + jax.vmap(linen.avg_pool)(x, (2, 2))
"""
ODD = """\
x; 0; -1; None; ...; (); []; {}; *x; lambda: x; lambda *a, k=F.max_pool2d(x, 2): a; (yield); (yield from x)
x if x else k; b"2"; "é"; 1j; (x := 2); [*x, *k]; {**x}; {1: 2}; [y for y in x if y]; {y: y for y in x}
(y async for y in x); f"{x!r:>{k}}"; f"{F.max_pool2d(x, 2)}"; x[1:2, ..., None]; x.shape; x.size(0)
x.shape[1:3]; x[:, 1]; x.mean; torch; nn.MaxPool2d; nn.MaxPool2d(2); layers.MaxPooling2D
getattr(F, "max_pool2d"); not x; -x; x.permute(0, 3, 1, 2); tf.transpose(x, [0, 2, 1])
F.pad(x, (1, 1), value=-float("inf")); 10**9; 1e400; x @ x; x < k < 3; k and x; await x
functools.partial(F.max_pool2d, 2); self.pool; self.size; super().__init__(); axes; W; 99999999999999999999999
-jnp.inf; lax.max; "same"; (2, 2); [1, 2]"""
EXPRESSIONS = [one for line in ODD.split("\n") for one in line.split("; ")]
STATEMENTS = """\
from torch.nn import *
|import torch.nn as F
|x: int = F.avg_pool2d(x, 2)
|del F
|global x
|x += F.max_pool2d(x, 2)
|async def g(): return await F.max_pool2d(x, 2)
|@F.max_pool2d(x, 2)
class A(F.max_pool2d(x, 2), metaclass=B): pass
|with F.max_pool2d(x, 2) as (a, *b), y: pass
|try: F.max_pool2d(x, 2)
except* E as e: raise F.max_pool2d(x, 2) from e
|match F.max_pool2d(x, 2):
    case nn.MaxPool2d(2) | {"a": [*_], **r}: pass
|type = F.max_pool2d; type(x, 2)
|F = x = nn.MaxPool2d(2); F(x)
|(a, *b), c[0], d.e = F.max_pool2d(x, 2), 1, 2
|return F.max_pool2d(x, 2)
|if x: from torch import nn as F
|while F.max_pool2d(x, 2): break
else: continue
|assert F.max_pool2d(x, 2), F.max_pool2d(x, 2)
|def F(x=F.max_pool2d(x, 2), /, *, y: F.max_pool2d(x, 2) = 3) -> F.max_pool2d(x, 2): nonlocal x
|from __future__ import annotations; nn.MaxPool2d(2)(x); pass
|keras.config.set_image_data_format("channels_first")
|keras.mixed_precision.set_global_policy(x)
|__all__ = ["nn", *F.max_pool2d(x, 2)]"""


class _Replaced(ast.NodeTransformer):
    """One expression of a tree in the place of another, as an `ast.unparse` of both would have it."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)


def _grown(rng: Rng, text: str) -> str:
    """Source whose expressions stand in each other's places."""
    try:
        tree = ast.parse(text)
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
        old = rng.choice(nodes)
        odd = next(node for node in ast.walk(ast.parse(f"f({rng.choice(EXPRESSIONS)})")) if isinstance(node, ast.Call))
        new = copy.deepcopy(rng.choice(nodes)) if rng.random() < 0.3 else odd.args[0]
        return ast.unparse(_Replaced(old, new).visit(tree))
    except (SyntaxError, ValueError, IndexError, RecursionError):
        return text  # which is no Python any more, or has no expression


def _stated(rng: Rng, text: str) -> str:
    """Source with a statement more, at any line and its indentation."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines[at:at] = [f"{indent}{line}" for line in rng.choice(STATEMENTS.split("\n|")).split("\n")]
    return "\n".join(lines)


def _worded(rng: Rng, text: str) -> str:
    """Source with a call of any framework's word, its arguments perhaps odd."""
    return f"{text}\nz = {mutated.call(rng, *rng.choice(mutated.words()))}\n"


PIECES = (
    "\f",
    "\t",
    "\\\n",
    "\r\n",
    "\n",
    " ",
    "    ",
    "\x0c\n",
    "#",
    '"""',
    "'",
    *"()[]:;,*=@",
    "**",
    ":=",
    "é",
    "async ",
    "0x",
)
PIECES += ("\u202e", "\x1b]0;t\x07", "\ufeff")


def _spliced(rng: Rng, text: str) -> str:
    """Text with a piece put in, or some of it cut out or said twice."""
    at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    to = min(to, at + rng.choice((0, 1, 1, 3, 30)))
    return text[:at] + rng.choice((rng.choice(PIECES), "", text[at:to] * 2)) + text[to:]


def source(rng: Rng) -> bytes:
    """A file of source after a few changes, most of which leave it Python."""
    kept = [line for line in BODY.split("\n\n") if rng.random() < 0.7]
    text = HEAD + "\n\n".join(kept)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        text = rng.choice((_grown, _grown, _grown, _stated, _worded))(rng, text)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        text = _spliced(rng, text)
    return text.encode("utf-8", "surrogatepass")
