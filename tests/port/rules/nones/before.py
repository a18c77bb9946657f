from torch.nn import functional


def f(x, stride=None):
    return functional.avg_pool2d(x, 2, stride)
