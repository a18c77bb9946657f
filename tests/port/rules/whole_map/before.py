from torch.nn import functional


def f(x):
    return functional.avg_pool2d(x, (*x.shape[2:],)) + functional.max_pool2d(x, x.size()[2:])
