import keras
import poolkit as pk


def f(x):
    return keras.layers.GlobalAveragePooling2D(keepdims=True)(x) + pk.PoolSpec("max", output_size=1, layout="NHWC")(x)
