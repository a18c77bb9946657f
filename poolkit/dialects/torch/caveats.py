"""Where the own layers of PyTorch, equal on finite input, still give other numbers."""

from __future__ import annotations

from poolkit.dialects.concerns import any_of, bins, whole, windows
from poolkit.dialects.dialect import Caveat, Measured
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.unpool import Unpool

BACK = Unpool(PoolSpec("max", window=2, layout="NCL"), "smallest")

CAVEATS: tuple[Caveat, ...] = (
    Caveat(
        "sums",
        "torch adds the cells of a window one by one in float32, which loses digits from a thousand cells on",
        windows("avg", "sum", cells=1024),
        Measured(
            PoolSpec("avg", window=512, layout="NCHW"), "full((1, 1, 512, 512), 100.1)", "float32", 100.0094, 100.1
        ),
    ),
    Caveat(
        "sums",
        "torch adds the cells of a bin one by one in float32, which loses digits from a thousand cells on",
        bins("avg"),
        Measured(
            PoolSpec("avg", output_size=2, layout="NCHW"), "full((1, 1, 512, 512), 100.1)", "float32", 100.0376, 100.1
        ),
    ),
    Caveat(
        "range",
        "torch adds up powers as they are: large ones are infinite, small ones 0",
        windows("lp"),
        Measured(
            PoolSpec("lp", p=4, window=2, layout="NCL"),
            [[[1e10, 1e10, 1e-12, 1e-12]]],
            "float32",
            [float("inf"), 0.0],
            [2**0.25 * 1e10, 2**0.25 * 1e-12],
        ),
    ),
    Caveat(
        "half",
        "torch adds up powers in half precision, which hardly holds them",
        windows("lp"),
        Measured(PoolSpec("lp", window=2, layout="NCL"), [[[300.0, 400.0]]], "float16", float("inf"), 500.0),
    ),
    Caveat(
        "sizes",
        "AvgPool3d refuses maps that are smaller than its window, whatever is padded",
        lambda spec: windows("avg", "sum", axes=3)(spec) and (spec.padding != "valid" or spec.ceil_mode),
        Measured(
            PoolSpec("avg", window=3, stride=1, padding=1, layout="NCDHW"),
            "ones((1, 1, 2, 8, 8))",
            "float32",
            "RuntimeError",
            1.0,
        ),
    ),
    Caveat(
        "half",
        "torch has no average of half precision over three axes on CPU",
        windows("avg", "sum", "lp", axes=3),
        Measured(
            PoolSpec("avg", window=2, layout="NCDHW"), "ones((1, 1, 2, 2, 2))", "float16", "NotImplementedError", 1.0
        ),
    ),
    Caveat(
        "integers",
        "torch truncates averages of int64",
        windows("avg"),
        Measured(PoolSpec("avg", window=2, layout="NCL"), [[[1, 2]]], "int64", 1, 1.5),
    ),
    Caveat(
        "integers",
        "torch has no averages of integers other than int64",
        windows("avg", "sum"),
        Measured(PoolSpec("avg", window=2, layout="NCL"), [[[1, 2]]], "int32", "NotImplementedError", 1.5),
    ),
    Caveat(
        "integers",
        "torch has no averages of integers over bins",
        bins("avg"),
        Measured(
            PoolSpec("avg", output_size=2, layout="NCL"), [[[1, 2, 3, 4]]], "int64", "NotImplementedError", [1.5, 3.5]
        ),
    ),
    Caveat(
        "integers",
        "torch has no global averages of integers",
        whole("avg"),
        Measured(PoolSpec("avg", output_size=1, layout="NCHW"), [[[[1, 2]]]], "int64", "RuntimeError", 1.5),
    ),
    Caveat(
        "integers",
        "torch has no adaptive maxima of integers",
        any_of(bins("max"), whole("max")),
        Measured(PoolSpec("max", output_size=1, layout="NCHW"), [[[[1, 2]]]], "int32", "NotImplementedError", 2),
    ),
    Caveat(
        "integers",
        "torch has no maxima of integers over one axis",
        windows("max", axes=1),
        Measured(PoolSpec("max", window=2, layout="NCL"), [[[1, 2]]], "int32", "NotImplementedError", 2),
    ),
    Caveat(
        "indices",
        "MaxUnpool refuses an index of -1, which is that of a window without a real cell",
        lambda unpool: True,
        Measured(BACK, [[[5.0, 7.0]]], "float32", "RuntimeError", [0.0, 0.0, 7.0, 0.0], indices=[[[-1, 2]]]),
    ),
    Caveat(
        "indices",
        "of several values at one place MaxUnpool gives each a gradient, also those that are not seen",
        lambda unpool: True,
        Measured(BACK, [[[5.0, 7.0]]], "float32", [1.0, 1.0], [0.0, 1.0], indices=[[[2, 2]]], slopes=True),
    ),
    Caveat(
        "indices",
        "MaxUnpool takes indices of int64 alone",
        lambda unpool: True,
        Measured(BACK, [[[5.0, 7.0]]], "float32", "RuntimeError", [0.0, 5.0, 7.0, 0.0], indices="int32([[[1, 2]]])"),
    ),
    Caveat(
        "integers",
        "torch has no unpooling of integers",
        lambda unpool: True,
        Measured(BACK, [[[5, 7]]], "int32", "NotImplementedError", [0, 5, 7, 0], indices=[[[1, 2]]]),
    ),
)
