from torch import nn
from torch.nn import functional

unpool = nn.MaxUnpool2d(2)


def f(x):
    values, places = functional.max_pool2d(x, 2, return_indices=True)
    return unpool(values, places) + functional.max_unpool2d(values * 2, indices=places, kernel_size=2)
