"""What frameworks answer to the same question today, and what poolkit answers on each of them: the table of the README.

Run: python examples/differences.py
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import flax.linen
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
import torch

import poolkit as pk

F = torch.nn.functional
Answers = dict[str, object]  # framework -> what it gives
COLUMNS = ("PyTorch", "TensorFlow", "Keras on JAX", "Flax", "poolkit, on each")


def line(numbers: range | list[float]) -> np.ndarray:
    """One sample with one channel, channels last: (1, length, 1)."""
    return np.array(numbers, "float32")[None, :, None]


def same_average() -> Answers:
    x = line(range(1, 6))
    return {
        "PyTorch": F.avg_pool1d(torch.tensor(x).mT, 2, 2, padding=1),
        "TensorFlow": tf.nn.avg_pool1d(x, 2, 2, "SAME"),
        "Keras on JAX": keras.layers.AveragePooling1D(2, 2, "same")(x),
        "Flax": flax.linen.avg_pool(jnp.asarray(x), (2,), (2,), "SAME"),
        "poolkit": everywhere(x, pk.AvgPool(2, padding="same", layout="NLC")),
    }


def strided_max() -> Answers:
    x = line(range(1, 5))
    return {
        "PyTorch": F.max_pool1d(torch.tensor(x).mT, 3, 2, padding=1),
        "TensorFlow": tf.nn.max_pool1d(x, 3, 2, "SAME"),
        "Keras on JAX": keras.layers.MaxPooling1D(3, 2, "same")(x),
        "Flax": flax.linen.max_pool(jnp.asarray(x), (3,), (2,), "SAME"),
        "poolkit": everywhere(x, pk.MaxPool(3, 2, "same", layout="NLC")),
    }


def adaptive_identity() -> Answers:
    x = line(range(7))
    return {
        "PyTorch": F.adaptive_avg_pool1d(torch.tensor(x).mT, 7),
        "Keras on JAX": keras.layers.AdaptiveAveragePooling1D(7)(x),
        "poolkit": everywhere(x, pk.AdaptiveAvgPool(7, layout="NLC")),
    }


def bfloat16_mean() -> Answers:
    x = np.full((1, 64, 64, 1), 100, "float32")
    tf16, jax16 = tf.cast(x, tf.bfloat16), jnp.asarray(x, "bfloat16")
    spec = pk.GlobalAvgPool(layout="NHWC", keepdims=True)
    return {
        "PyTorch": torch.tensor(x, dtype=torch.bfloat16).mean((1, 2)).float(),
        "TensorFlow": tf.cast(tf.nn.avg_pool2d(tf16, 64, 64, "VALID"), "float32"),
        "Keras on JAX": keras.ops.cast(keras.ops.average_pool(jax16, 64, 64), "float32"),
        "Flax": flax.linen.avg_pool(jax16, (64, 64), (64, 64)).astype("float32"),
        "poolkit": agreed(
            [
                pk.pool(torch.tensor(x, dtype=torch.bfloat16), spec).float(),
                tf.cast(pk.pool(tf16, spec), "float32"),
                pk.pool(jax16, spec).astype("float32"),
            ]
        ),
    }


def everywhere(x: np.ndarray, spec: pk.PoolSpec) -> np.ndarray:
    return agreed([pk.pool(t, spec) for t in (x, torch.tensor(x), tf.constant(x), jnp.asarray(x))])


def agreed(results: list[object]) -> np.ndarray:
    """The one answer of all frameworks; poolkit exists so that there is one."""
    first, *others = (np.asarray(result) for result in results)
    for other in others:
        np.testing.assert_array_equal(other, first)
    return first


def shown(answer: object) -> str:
    numbers = [f"{v:g}" for v in np.asarray(answer).ravel()]
    return numbers[0] if len(numbers) == 1 else f"[{', '.join(numbers)}]"


CASES = {
    "average, window 2, stride 2, `same`, of 1..5": same_average,
    "maximum, window 3, stride 2, `same`, of 1..4": strided_max,
    "adaptive average of 0..6 to 7": adaptive_identity,
    "bfloat16 mean of 64x64 times 100": bfloat16_mean,
}


def main() -> None:
    print("| | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, case in CASES.items():
        answers = case()
        cells = [shown(answers[c.split(",")[0]]) if c.split(",")[0] in answers else "has none" for c in COLUMNS]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
