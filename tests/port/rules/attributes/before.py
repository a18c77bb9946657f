from torch import nn

pool = nn.MaxPool2d(2)


def f(x):
    return pool(x) / pool.kernel_size
