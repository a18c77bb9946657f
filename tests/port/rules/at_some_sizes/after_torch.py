import torch


def f(x):
    return torch.nn.AdaptiveAvgPool2d((4, 2))(x)
