import tf_slim as slim


def f(x):
    with slim.arg_scope([slim.max_pool2d, slim.avg_pool2d], stride=1, padding="SAME"):
        return slim.avg_pool2d(slim.max_pool2d(x, [3, 3]), [2, 2], stride=2)


def scopes():
    with slim.arg_scope([slim.max_pool2d], stride=1), slim.arg_scope([slim.max_pool2d], padding="VALID") as made:
        return made


def around(x):
    with slim.arg_scope(scopes()):
        return slim.max_pool2d(x, 3)
