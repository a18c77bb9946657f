import keras

pool = keras.layers.MaxPooling2D(2)


def f(x):
    return pool(x) / pool.kernel_size
