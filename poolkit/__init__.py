"""poolkit: one pooling spec, the same numbers in PyTorch, Keras, TensorFlow, JAX and NumPy.

>>> import numpy as np
>>> import poolkit as pk
>>> gap = pk.GlobalAvgPool(layout="NHWC", keepdims=True)
>>> pk.pool(np.ones((2, 32, 32, 256), "float32"), gap).shape
(2, 1, 1, 256)
"""

from poolkit.constructors import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    MinPool,
    SumPool,
)
from poolkit.diffs.diff import Difference, diff
from poolkit.dispatch import lower, pool, pool_direct
from poolkit.errors import BackendError, DtypeError, InputError, NotExactError, PoolkitError, ShapeError, SpecError
from poolkit.extending import register_kind
from poolkit.facts import Option
from poolkit.layers import layer
from poolkit.listing import routes
from poolkit.mix import Mix
from poolkit.program import Program
from poolkit.registry import backends
from poolkit.spec import PoolSpec
from poolkit.words.reading import read
from poolkit.words.writing import caveats, native

__version__ = "0.1.0"

__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AvgPool",
    "BackendError",
    "Difference",
    "DtypeError",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "InputError",
    "MaxPool",
    "MinPool",
    "Mix",
    "NotExactError",
    "Option",
    "PoolSpec",
    "PoolkitError",
    "Program",
    "ShapeError",
    "SpecError",
    "SumPool",
    "backends",
    "caveats",
    "diff",
    "layer",
    "lower",
    "native",
    "pool",
    "pool_direct",
    "read",
    "register_kind",
    "routes",
]
