import torch


def f(x):
    x = torch.nn.ConstantPad2d(1, 0.0)(x)
    return torch.nn.MaxPool2d(3, 2)(x)
