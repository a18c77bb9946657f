"""Networks of Keras layers that people port: those of keras.applications, and four that people build by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch
from keras import layers as kl

from examples.keras_to_torch import network
from poolkit.tools.demo import photograph

Map = Any

# Sizes that keep the large ones fast; those that are not here take 96x96.
SMALL = {"NASNetLarge": 331, "NASNetMobile": 224, "InceptionV3": 139, "InceptionResNetV2": 139}


def applications() -> list[str]:
    """The names of all networks of keras.applications."""
    return sorted(name for name in dir(keras.applications) if name[0].isupper())


def application(name: str) -> keras.Model:
    size = SMALL.get(name, 96)
    make = getattr(keras.applications, name)
    return make(weights=None, classifier_activation=None, input_shape=(size, size, 3), classes=10)


def unit(x: Map, filters: int, size: int = 3, **options: Any) -> Map:
    """A convolution, a normalization and a rectifier."""
    x = kl.Conv2D(filters, size, padding="same", use_bias=False, **options)(x)
    return kl.Activation("relu")(kl.BatchNormalization()(x))


def pspnet() -> keras.Model:
    """The pyramid of PSPNet, whose windows are computed from the size of the map, 60x60."""
    image = keras.Input((120, 120, 3))
    x = kl.MaxPooling2D(3, 2, "same")(unit(image, 16))
    levels = []
    for bins in (1, 2, 3, 6):
        level = unit(kl.AveragePooling2D(60 // bins, 60 // bins)(x), 8, 1)
        levels.append(kl.Resizing(60, 60, interpolation="bilinear")(level))
    x = kl.Dropout(0.1)(unit(kl.Concatenate()([x, *levels]), 16))
    x = kl.UpSampling2D(2, interpolation="bilinear")(kl.Conv2D(5, 1)(x))
    return keras.Model(image, x)


def deeplab() -> keras.Model:
    """DeepLabV3+: separable convolutions with holes, the image branch, a decoder."""
    image = keras.Input((65, 97, 3))
    low = x = unit(image, 12, strides=2)
    for _ in range(2):
        x = kl.ReLU()(kl.BatchNormalization()(kl.SeparableConv2D(16, 3, strides=2, padding="same")(x)))
    branches = [unit(x, 8, 1)]
    for rate in (2, 3):
        hole = kl.DepthwiseConv2D(3, padding="same", dilation_rate=rate, use_bias=False, depth_multiplier=2)(x)
        branches.append(unit(kl.ReLU(6.0)(hole), 8, 1))
    mean = unit(kl.GlobalAveragePooling2D(keepdims=True)(x), 8, 1)
    branches.append(kl.UpSampling2D(x.shape[1:3], interpolation="bilinear")(mean))
    x = kl.UpSampling2D(4, interpolation="bilinear")(unit(kl.concatenate(branches), 8, 1))
    x = kl.Cropping2D(((1, 2), (0, 3)))(x)
    x = kl.Concatenate()([kl.ZeroPadding2D(((1, 0), (0, 2)))(x), kl.Resizing(x.shape[1] + 1, x.shape[2] + 2)(low)])
    return keras.Model(image, kl.Conv2D(4, 1)(x))


def se_resnet() -> keras.Model:
    """Residual blocks with squeeze and excitation, both as people write it: a Reshape, and keepdims."""
    image = keras.Input((96, 96, 3))
    x = kl.ZeroPadding2D(1)(unit(kl.ZeroPadding2D(3)(image), 16, 7, strides=2))
    x = kl.MaxPooling2D(3, 2)(x)
    for filters, keepdims in ((16, False), (24, True)):
        y = unit(unit(x, filters, strides=2), filters)
        s = kl.GlobalAveragePooling2D(keepdims=keepdims)(y)
        s = s if keepdims else kl.Reshape((1, 1, filters))(s)
        s = kl.Dense(filters, activation="sigmoid")(kl.Dense(filters // 4, activation="relu")(s))
        x = kl.Activation("relu")(kl.Add()([kl.Multiply()([y, s]), kl.Conv2D(filters, 1, strides=2)(x)]))
    x = kl.Flatten()(kl.Permute((2, 1, 3))(kl.AveragePooling2D(2, 1, "same")(x)))
    return keras.Model(image, kl.Dense(7)(kl.LeakyReLU(0.1)(kl.Dense(11, activation="swish")(x))))


def unet() -> keras.Model:
    """A U-Net with transposed convolutions, a model inside it that is called twice, and an arithmetic of tensors."""
    image = keras.Input((64, 96, 3))
    x = image * 2.0 - 1
    shared = keras.Sequential(
        [keras.Input((None, None, 8)), kl.Conv2D(8, 3, padding="same"), kl.PReLU(shared_axes=[1, 2])]
    )
    levels = []
    for filters in (8, 12, 16):
        x = unit(x, filters)
        levels.append(x)
        x = kl.MaxPooling2D()(x)
    for level in reversed(levels):
        x = kl.Conv2DTranspose(level.shape[-1], 3, strides=2, padding="same", activation="elu")(x)
        x = unit(kl.Concatenate()([x, kl.SpatialDropout2D(0.2)(level)]), level.shape[-1])
    x = shared(shared(x)) + x
    return keras.Model(image, [kl.Conv2D(3, 1)(x), kl.GroupNormalization(4)(x)])


BY_HAND: dict[str, Callable[[], keras.Model]] = {
    "PSPNet": pspnet,
    "DeepLabV3+": deeplab,
    "SE-ResNet": se_resnet,
    "U-Net": unet,
}


def trained(make: Callable[[], keras.Model]) -> keras.Model:
    """A network with weights that are random but fixed, and the statistics that the photograph has in it.

    With others a deep network of random weights is chaotic: EfficientNetV2S makes 1e-7 at its input 0.3 at its logits.
    """
    keras.utils.set_random_seed(0)
    model = make()
    rng = np.random.default_rng(0)
    learned = [one for one in model._flatten_layers() if isinstance(one, LEARNED)]
    for layer in learned:
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    batch = [layer for layer in learned if isinstance(layer, kl.BatchNormalization)]
    for layer in batch:
        layer.momentum = 0.0
    model(image_for(model), training=True)
    for layer in batch:
        layer.momentum = 0.99
        *others, variance = layer.get_weights()
        # On one photograph a channel may hardly vary, and would be amplified without end.
        layer.set_weights([*others, np.maximum(variance, variance.mean())])
    return model


LEARNED = (kl.BatchNormalization, kl.GroupNormalization, kl.PReLU)


def several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def image_for(model: keras.Model) -> Any:
    """The photograph, as large as the network takes it."""
    _, height, width, _ = model.input_shape
    return np.array(keras.ops.image.resize(photograph() * 255, (height, width)))


def difference(model: keras.Model, file: Path) -> float:
    """The largest difference between what Keras and PyTorch say of the photograph, relative to the largest logit."""
    model.save(file)
    image = image_for(model)
    expected = [np.asarray(keras.ops.convert_to_numpy(one)) for one in several(model(image, training=False))]
    with torch.no_grad():
        found = [one.numpy() for one in several(network(file)(torch.from_numpy(image).permute(0, 3, 1, 2)))]
    found = [np.moveaxis(one, 1, -1) if one.ndim > 2 else one for one in found]
    assert [one.shape for one in found] == [one.shape for one in expected]
    return max(float(np.abs(f - e).max() / np.abs(e).max()) for f, e in zip(found, expected, strict=True))
