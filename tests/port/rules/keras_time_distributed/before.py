from keras import layers

SHAPE = (2, 4, 8, 6, 3)


def f(x):
    return layers.TimeDistributed(layers.MaxPooling2D(2))(x)
