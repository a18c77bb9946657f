import poolkit as pk


def f(x, data_format="NHWC"):
    axes = [2, 3] if data_format == "NCHW" else [1, 2]
    return pk.PoolSpec("max", output_size=1, layout="NHWC", keepdims=False)(x)
