import torch


def f(x):
    k = [2, 3]
    return torch.nn.functional.max_pool2d(x, (2, 3))
