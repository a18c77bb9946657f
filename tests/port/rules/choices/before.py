from torch import nn


def f(x, kind="max"):
    pool = nn.MaxPool2d if kind == "max" else nn.AvgPool2d
    return pool(2)(x)
