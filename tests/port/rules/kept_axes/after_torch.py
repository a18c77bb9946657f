import torch


def f(x):
    y = torch.nn.AdaptiveAvgPool2d(1)(x)
    return y + x
