import poolkit as pk

unpool = pk.Unpool(pk.PoolSpec("max", window=2, layout="NHWC"), "smallest").layer("keras")


def f(x):
    values, places = pk.PoolSpec("max", window=2, layout="NHWC", indices=True)(x)
    return unpool(values, indices=places) + pk.Unpool(pk.PoolSpec("max", window=2, layout="NHWC"), "smallest")(values * 2, indices=places)
