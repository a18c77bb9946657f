"""The pools of a segmentation network, as people write them in Keras: docs/porting.md ports this file to PyTorch."""

from keras import layers


def stem(x):
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    return layers.MaxPooling2D(pool_size=3, strides=2, padding="same")(x)


def squeeze_excite(x, ratio=4):
    channels = x.shape[-1]
    s = layers.GlobalAveragePooling2D()(x)
    s = layers.Reshape((1, 1, channels))(s)
    s = layers.Conv2D(channels // ratio, 1, activation="relu")(s)
    s = layers.Conv2D(channels, 1, activation="sigmoid")(s)
    return layers.Multiply()([x, s])


def image_branch(x):
    height, width = x.shape[1:3]
    y = layers.AveragePooling2D(pool_size=(height, width))(x)  # one number a channel, whatever the size
    y = layers.Conv2D(48, 1, activation="relu")(y)
    return layers.UpSampling2D((height, width), interpolation="bilinear")(y)


def pyramid(x, bins=(1, 2, 3, 6)):
    branches = [x]
    for size in bins:
        y = layers.AdaptiveAveragePooling2D(size)(x)
        branches.append(layers.Conv2D(12, 1)(y))
    return branches


def head(x, classes=19):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes)(x)
