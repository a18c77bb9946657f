import poolkit as pk


def f(x, level=2):
    h, w = x.shape[2:4]
    size = [round(h / level), round(w / level)]
    return pk.PoolSpec("avg", window=size, padding="same", layout="NCHW")(x)
