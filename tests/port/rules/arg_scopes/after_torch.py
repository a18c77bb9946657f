import tf_slim as slim
import poolkit as pk
import torch


def f(x):
    with slim.arg_scope([slim.max_pool2d, slim.avg_pool2d], stride=1, padding="SAME"):
        return pk.PoolSpec("avg", window=2, padding="same", layout="NCHW")(torch.nn.functional.max_pool2d(x, 3, 1, padding=1))


def scopes():
    with slim.arg_scope([slim.max_pool2d], stride=1), slim.arg_scope([slim.max_pool2d], padding="VALID") as made:
        return made


def around(x):
    with slim.arg_scope(scopes()):
        return torch.nn.functional.max_pool2d(x, 3, 1)
