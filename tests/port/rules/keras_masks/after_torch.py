import poolkit as pk

SHAPE = (2, 8, 3)


def f(x, mask):
    return pk.PoolSpec("avg", output_size=1, layout="NCL", keepdims=False)(x, mask=mask)
