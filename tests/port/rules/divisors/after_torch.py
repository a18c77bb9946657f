import torch


def f(x):
    return torch.sum(x, dim=(2, 3)) / (x.shape[1] * x.shape[2])
