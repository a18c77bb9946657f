from keras import layers


def f(x):
    y = layers.GlobalAveragePooling2D()(x)
    y = layers.Reshape((1, 1, 3))(y)
    return y + x
