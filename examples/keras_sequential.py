"""poolkit's pools inside a keras.Sequential, trained for one step, on whichever engine KERAS_BACKEND names.

`spec.layer("keras")` is a keras.layers.Layer like any other; it has no weights.
"""

import keras
import numpy as np
from keras import layers

import poolkit as pk
from poolkit.tools.demo import photograph


def build() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(8, kernel_size=1, activation="relu", use_bias=False, data_format="channels_last"),
            pk.MaxPool(3, 2, "same", layout="NHWC").layer("keras"),
            pk.AdaptiveAvgPool(6, layout="NHWC").layer("keras"),  # bins that need not divide the size, on every engine
            pk.GlobalAvgPool(layout="NHWC", keepdims=False).layer("keras"),
            layers.Dense(2, use_bias=False),
        ]
    )


def set_weights(model: keras.Sequential) -> None:
    """The same random weights in every example of this folder, so that their numbers can be compared."""
    random = np.random.default_rng(0)
    first, last = random.normal(size=(3, 8)), random.normal(size=(8, 2))
    model.set_weights([first[None, None], last])


def main() -> None:
    model = build()
    set_weights(model)
    photo, target = photograph(), np.ones((1, 2))
    model.compile(keras.optimizers.SGD(learning_rate=0.1), "mse")

    shape = model.predict(photo, verbose=0).shape
    loss = model.train_on_batch(photo, target)
    after = model.evaluate(photo, target, verbose=0)
    print(f"output {shape}, loss {float(loss):.6f}, after one step {float(after):.6f}")


if __name__ == "__main__":
    main()
