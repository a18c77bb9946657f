"""One model, written once, the same output on NumPy, PyTorch, TensorFlow, Keras and JAX.

    python examples/portable.py                   # every framework that is installed
    python examples/portable.py torch keras jax   # these; KERAS_BACKEND chooses the engine that Keras runs on

The model has the four places where people meet pooling: a PSPNet pyramid, the image branch of DeepLabv3+, a
squeeze-and-excitation block and a ResNet head. Every pool is `pk.pool(x, spec)`, the same line on every framework. What
else the model needs is five operations, in the table at the end of this file. PyTorch runs it channels first and the
others channels last: the layout is an argument, and it changes no number.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import poolkit as pk
from poolkit.tools.demo import photograph

Tensor = Any
Outputs = dict[str, Any]
Weights = dict[str, np.ndarray[Any, Any]]

BINS = (1, 2, 3, 6)
SIZES = (224, 448)

# How far two frameworks may be apart, relative to the largest output. Each average is within 4 eps of the exact one and
# a maximum is exact; but every framework sums a product over c channels in an order of its own, which costs about
# sqrt(c) eps. If all products on the way to an output added up, with c up to 96, that would be 60 eps; about 5 are
# measured. 1e-5 is 84 eps of float32. A pool with one wrong divisor or bin is off by 1e-3 and more.
TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Framework:
    """The few operations besides pooling that the model needs, and how a framework runs it on an NHWC photograph."""

    layout: str
    einsum: Callable[[str, Tensor, Any], Tensor]
    relu: Callable[[Tensor], Tensor]
    sigmoid: Callable[[Tensor], Tensor]
    concat: Callable[[list[Tensor], int], Tensor]
    constant: Callable[[Any], Tensor]
    run: Callable[[Callable[[Tensor], Outputs], Any], Outputs]


# ------------------------------------------------------------------------------------------------------ the model


def model(f: Framework, weights: Weights, x: Tensor) -> Outputs:
    """Class scores of the image, and of every position of its feature map."""
    x = squeeze_excite(f, weights, backbone(f, weights, x))
    scene = conv1x1(f, pyramid(f, weights, x), weights["scene"])
    return {"logits": head(f, weights, x), "segments": conv1x1(f, image_branch(f, weights, scene), weights["segments"])}


def backbone(f: Framework, weights: Weights, x: Tensor) -> Tensor:
    """Three times: mix the channels, halve the map. A stand-in for a ResNet, with its max pool."""
    halve = pk.MaxPool(3, 2, "same", layout=f.layout)
    for name in ("stem1", "stem2", "stem3"):
        x = pk.pool(f.relu(conv1x1(f, x, weights[name])), halve)
    return x


def squeeze_excite(f: Framework, weights: Weights, x: Tensor) -> Tensor:
    """Scales every channel by a gate computed from the averages of all channels."""
    squeezed = pk.pool(x, pk.GlobalAvgPool(layout=f.layout, keepdims=True))
    hidden = f.relu(conv1x1(f, squeezed, weights["squeeze"]))
    return x * f.sigmoid(conv1x1(f, hidden, weights["excite"]))


def pyramid(f: Framework, weights: Weights, x: Tensor) -> Tensor:
    """PSPNet: the input beside its averages over 1, 2x2, 3x3 and 6x6 bins, each at the input's size again."""
    parts = [x]
    for bins in BINS:
        pooled = pk.pool(x, pk.AdaptiveAvgPool(bins, layout=f.layout))
        parts.append(resize(f, f.relu(conv1x1(f, pooled, weights[f"bins{bins}"])), sizes(f, x)))
    return f.concat(parts, f.layout.index("C"))


def image_branch(f: Framework, weights: Weights, x: Tensor) -> Tensor:
    """DeepLabv3+: the map beside what the whole image says, which is the same at every position."""
    image = pk.pool(x, pk.GlobalAvgPool(layout=f.layout, keepdims=True))
    image = resize(f, f.relu(conv1x1(f, image, weights["image"])), sizes(f, x))
    return f.concat([x, image], f.layout.index("C"))


def head(f: Framework, weights: Weights, x: Tensor) -> Tensor:
    """ResNet: global average, then a linear layer. Without a size in it, it takes an image of any size."""
    pooled = pk.pool(x, pk.GlobalAvgPool(layout=f.layout, keepdims=False))
    return f.einsum("nc,cd->nd", pooled, f.constant(weights["head"])) + f.constant(weights["bias"])


def conv1x1(f: Framework, x: Tensor, weight: Any) -> Tensor:
    """A 1x1 convolution, which is a product over the channels, wherever the layout has them."""
    axes = f.layout.lower()
    return f.einsum(f"{axes},cd->{axes.replace('c', 'd')}", x, f.constant(weight))


# ------------------------------------------------------------------------------------------------------ resizing
# Two products with small constant matrices, because the frameworks' own calls do not agree. PSPNet and DeepLab were
# trained with aligned corners: torch.nn.functional.interpolate does that on request, while tf.image.resize (version 2),
# keras.ops.image.resize and jax.image.resize cannot; they align the outer edges of the corner cells. And where an image
# shrinks, jax.image.resize smooths it unless told not to, the others only when told to. Here a map of one cell is
# broadcast by the same rule as any other is resized.


def resize(f: Framework, x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, with the corners of the two maps on top of each other (`align_corners=True`)."""
    axes = f.layout.lower()
    for axis, before, after in zip("hw", sizes(f, x), size, strict=True):
        matrix = f.constant(interpolation(before, after))
        x = f.einsum(f"{axes},p{axis}->{axes.replace(axis, 'p')}", x, matrix)
    return x


def interpolation(before: int, after: int) -> Any:
    """The matrix whose row p holds the weights of the old cells in the new cell p; every row sums to 1."""
    at = np.arange(after) * (before - 1) / max(after - 1, 1)
    distance = np.abs(at[:, None] - np.arange(before)[None, :])
    return np.maximum(1 - distance, 0).astype("float32")


def sizes(f: Framework, x: Tensor) -> tuple[int, int]:
    return x.shape[f.layout.index("H")], x.shape[f.layout.index("W")]


# ------------------------------------------------------------------------------------------------- input and weights


def make_weights(seed: int = 0) -> Weights:
    """Random weights that keep the size of what passes through them; every framework gets the same arrays."""
    c = 32
    shapes = {"stem1": (3, 16), "stem2": (16, c), "stem3": (c, c), "squeeze": (c, c // 4), "excite": (c // 4, c)}
    shapes |= {f"bins{bins}": (c, 16) for bins in BINS}
    shapes |= {"scene": (c + 16 * len(BINS), c), "image": (c, 16), "segments": (c + 16, 6)}
    shapes |= {"head": (c, 10), "bias": (1, 10)}
    random = np.random.default_rng(seed)
    return {k: (random.normal(size=s) * np.sqrt(2 / s[0])).astype("float32") for k, s in shapes.items()}


def photo_of(size: int) -> Any:
    """The photograph that poolkit ships, as an NHWC array with this height and width."""
    return resize(numpy_table(), photograph(), (size, size))


# ------------------------------------------------------------------------- the table: five operations of each framework
# Each table imports its own framework, so that those that are not installed are not missed. `run` is how one uses the
# framework: eager PyTorch, a tf.function, a functional Keras model, jax.jit.


def numpy_table() -> Framework:
    return Framework(
        layout="NHWC",
        einsum=lambda equation, x, w: np.einsum(equation, x, w, optimize=True),
        relu=lambda x: np.maximum(x, 0),
        sigmoid=lambda x: 1 / (1 + np.exp(-x)),
        concat=np.concatenate,
        constant=np.asarray,
        run=lambda model, photo: model(photo),
    )


def torch_table() -> Framework:
    import torch

    def run(model: Callable[[Tensor], Outputs], photo: Any) -> Outputs:
        channels_first = np.ascontiguousarray(np.moveaxis(photo, 3, 1))
        outputs = model(torch.from_numpy(channels_first))
        return outputs | {"segments": outputs["segments"].movedim(1, 3)}

    return Framework("NCHW", torch.einsum, torch.relu, torch.sigmoid, torch.cat, torch.from_numpy, run)


def tensorflow_table() -> Framework:
    import tensorflow as tf

    def run(model: Callable[[Tensor], Outputs], photo: Any) -> Outputs:
        return tf.function(model)(tf.constant(photo))

    return Framework("NHWC", tf.einsum, tf.nn.relu, tf.sigmoid, tf.concat, tf.constant, run)


def keras_table() -> Framework:
    import keras
    from keras import ops

    def run(model: Callable[[Tensor], Outputs], photo: Any) -> Outputs:
        inputs = keras.Input(photo.shape[1:])
        return keras.Model(inputs, model(inputs)).predict(photo, verbose=0)

    return Framework("NHWC", ops.einsum, ops.relu, ops.sigmoid, ops.concatenate, ops.convert_to_tensor, run)


def jax_table() -> Framework:
    import jax
    from jax import numpy as jnp

    def run(model: Callable[[Tensor], Outputs], photo: Any) -> Outputs:
        return jax.jit(model)(photo)

    return Framework("NHWC", jnp.einsum, jax.nn.relu, jax.nn.sigmoid, jnp.concatenate, jnp.asarray, run)


TABLES: dict[str, Callable[[], Framework]] = {
    "numpy": numpy_table,
    "torch": torch_table,
    "tensorflow": tensorflow_table,
    "keras": keras_table,
    "jax": jax_table,
}

# ------------------------------------------------------------------------------------------------------ the program


def outputs_of(name: str, size: int) -> Outputs:
    """The model's outputs on one framework, as NumPy arrays in NHWC."""
    f, weights = TABLES[name](), make_weights()
    outputs = f.run(lambda x: model(f, weights, x), photo_of(size))
    return {key: np.asarray(value) for key, value in outputs.items()}


def difference(a: Outputs, b: Outputs) -> float:
    """The largest difference between two frameworks, relative to the largest magnitude of each output."""
    return max(float(np.abs(a[key] - b[key]).max() / np.abs(a[key]).max()) for key in a)


def main(names: Sequence[str] = (), save: str | None = None) -> None:
    names = list(names) or [name for name in TABLES if importlib.util.find_spec(name)]
    results = {(name, size): outputs_of(name, size) for size in SIZES for name in names}

    print(f"{'':12}{'size':>6}  {'logits':10}{'segments':18}difference from {names[0]}")
    for (name, size), outputs in results.items():
        logits, segments = (str(outputs[key].shape) for key in ("logits", "segments"))
        print(f"{name:12}{size:6}  {logits:10}{segments:18}{difference(results[names[0], size], outputs):.1e}")

    pairs = [(results[a, size], results[b, size]) for size in SIZES for a in names for b in names]
    largest = max(difference(a, b) for a, b in pairs)
    print(f"largest difference between two frameworks: {largest:.1e} of the largest output (at most {TOLERANCE:.0e})")
    if save:
        np.savez(save, **{f"{n} {s} {key}": v for (n, s), outputs in results.items() for key, v in outputs.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One model, the same output on every framework.")
    parser.add_argument("frameworks", nargs="*", help=f"which ones to run: {', '.join(TABLES)}")
    parser.add_argument("--save", metavar="FILE.npz", help="also write the outputs to a file")
    given = parser.parse_args()
    main(given.frameworks, given.save)
