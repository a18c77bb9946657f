from torch.nn import functional


def f(x):
    return functional.adaptive_avg_pool2d(x, 1).squeeze()
