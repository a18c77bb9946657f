import tf_slim as slim
import keras


def f(x):
    with slim.arg_scope([slim.max_pool2d, slim.avg_pool2d], stride=1, padding="SAME"):
        return keras.layers.AveragePooling2D(2, padding="same")(keras.layers.MaxPooling2D(3, 1, padding="same")(x))


def scopes():
    with slim.arg_scope([slim.max_pool2d], stride=1), slim.arg_scope([slim.max_pool2d], padding="VALID") as made:
        return made


def around(x):
    with slim.arg_scope(scopes()):
        return keras.layers.MaxPooling2D(3, 1)(x)
