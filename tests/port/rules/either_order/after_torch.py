import torch


def f(x):
    return torch.nn.MaxPool2d((2, 3))(x)
