"""poolkit's pools inside Flax modules, of both interfaces (nnx and linen), trained for one step.

A pool has no parameters, so it is simply called: a spec is a function of a jax.Array, also under jit and grad.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import numpy as np
from flax import nnx

import poolkit as pk
from poolkit.tools.demo import photograph

STEM = pk.MaxPool(3, 2, "same", layout="NHWC")
BINS = pk.AdaptiveAvgPool(6, layout="NHWC")
GAP = pk.GlobalAvgPool(layout="NHWC", keepdims=False)
# The same random weights in every example of this folder, so that their numbers can be compared.
random = np.random.default_rng(0)
FIRST, LAST = (random.normal(size=shape).astype("float32") for shape in ((3, 8), (8, 2)))


class Linen(nn.Module):
    """Written in place, as linen's users do: Dense on the last axis is a 1x1 convolution."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Dense(8, use_bias=False)(x))
        return nn.Dense(2, use_bias=False)(GAP(BINS(STEM(x))))


def nnx_model() -> nnx.Sequential:
    first = nnx.Linear(3, 8, use_bias=False, kernel_init=lambda *_: FIRST, rngs=nnx.Rngs(0))
    last = nnx.Linear(8, 2, use_bias=False, kernel_init=lambda *_: LAST, rngs=nnx.Rngs(0))
    return nnx.Sequential(first, nnx.relu, *(spec.layer("jax") for spec in (STEM, BINS, GAP)), last)


def train(name: str, forward: Callable[..., jax.Array], weights: object) -> None:
    """Print the loss before and after one step of gradient descent."""

    def loss(weights: object) -> tuple[jax.Array, jax.Array]:
        output = forward(weights, photograph())
        return ((output - 1) ** 2).mean(), output

    step = jax.jit(jax.value_and_grad(loss, has_aux=True))
    (before, output), gradient = step(weights)
    (after, _), _ = step(jax.tree.map(lambda w, g: w - 0.1 * g, weights, gradient))
    print(f"{name}: output {output.shape}, loss {before:.6f}, after one step {after:.6f}")


def main() -> None:
    graph, state = nnx.split(nnx_model())
    train("nnx", lambda w, x: nnx.merge(graph, w)(x), state)
    train("linen", Linen().apply, {"params": {"Dense_0": {"kernel": FIRST}, "Dense_1": {"kernel": LAST}}})


if __name__ == "__main__":
    main()
