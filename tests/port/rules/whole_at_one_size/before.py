from torch import nn


def f(x):
    return nn.AvgPool2d(6, stride=1)(x)
