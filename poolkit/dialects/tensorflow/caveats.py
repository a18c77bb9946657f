"""Where TensorFlow's own functions, equal on finite input, still give other numbers."""

from __future__ import annotations

from poolkit.dialects.concerns import any_of, whole, windows
from poolkit.dialects.dialect import Caveat, Measured
from poolkit.spec.pool_spec import PoolSpec

LOWEST = -3.4028234663852886e38

CAVEATS: tuple[Caveat, ...] = (
    Caveat(
        "nan",
        "tf.nn.max_pool leaves out NaN",
        windows("max"),
        Measured(PoolSpec("max", window=3, layout="NLC"), [[[float("nan")], [1], [2]]], "float32", 2, float("nan")),
    ),
    Caveat(
        "nan",
        "tf.nn.max_pool gives the lowest finite number for a window of -inf",
        windows("max"),
        Measured(PoolSpec("max", window=3, layout="NLC"), "full((1, 3, 1), -inf)", "float32", LOWEST, float("-inf")),
    ),
    Caveat(
        "half",
        "TensorFlow adds float16 in float16, which overflows at 65504",
        any_of(windows("avg"), whole("avg")),
        Measured(PoolSpec("avg", window=64, layout="NHWC"), "full((1, 64, 64, 1), 100)", "float16", float("inf"), 100),
    ),
    Caveat(
        "half",
        "TensorFlow has no average of float16 over three axes on CPU",
        windows("avg", axes=3),
        Measured(PoolSpec("avg", window=2, layout="NDHWC"), "ones((1, 2, 2, 2, 1))", "float16", "NotFoundError", 1),
    ),
    Caveat(
        "sums",
        "tf.nn.avg_pool adds the cells of a window one by one in float32, which loses digits from a thousand cells on",
        windows("avg", cells=1024),
        Measured(
            PoolSpec("avg", window=512, layout="NHWC"), "full((1, 512, 512, 1), 100.1)", "float32", 100.0094, 100.1
        ),
    ),
    Caveat(
        "sums",
        "tf.reduce_mean adds in float32, which loses digits from some ten thousand cells on",
        whole("avg", "sum"),
        Measured(
            PoolSpec("avg", output_size=1, layout="NHWC"), "full((1, 256, 256, 8), 100.1)", "float32", 100.1156, 100.1
        ),
    ),
    Caveat(
        "integers",
        "tf.nn.avg_pool takes no integers",
        windows("avg"),
        Measured(PoolSpec("avg", window=2, layout="NLC"), [[[1], [2]]], "int32", "InvalidArgumentError", 1.5),
    ),
    Caveat(
        "integers",
        "tf.reduce_mean truncates averages of integers",
        whole("avg"),
        Measured(PoolSpec("avg", output_size=1, layout="NHWC"), [[[[1], [2]]]], "int32", 1, 1.5),
    ),
    Caveat(
        "integers",
        "tf.reduce_sum keeps the integer type, in which sums overflow",
        whole("sum"),
        Measured(PoolSpec("sum", output_size=1, layout="NHWC"), "full((1, 1, 4, 1), 200)", "uint8", 32, 800),
    ),
)
