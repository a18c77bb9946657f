"""poolkit: one pooling spec, the same numbers in PyTorch, Keras, TensorFlow, JAX and NumPy.

>>> import numpy as np
>>> import poolkit as pk
>>> gap = pk.GlobalAvgPool(layout="NHWC", keepdims=True)
>>> pk.pool(np.ones((2, 32, 32, 256), "float32"), gap).shape
(2, 1, 1, 256)
"""

import typing

from poolkit.errors import BackendError, DtypeError, InputError, NotExactError, PoolkitError, ShapeError, SpecError
from poolkit.running import lazy
from poolkit.spec.chain import Chain
from poolkit.spec.constructors import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AdaptiveMinPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    GlobalMinPool,
    GlobalSumPool,
    MaxPool,
    MinPool,
    SumPool,
)
from poolkit.spec.constructors_learned import (
    AdaPool,
    AttentionPool,
    GatedMix,
    LatentAttentionPool,
    LearnedMix,
    LearnedOption,
    LIPPool,
)
from poolkit.spec.constructors_options import (
    BlurPool,
    FractionalMaxPool,
    GeM,
    LPPool,
    MedianPool,
    S3Pool,
    SoftPool,
    StochasticPool,
)
from poolkit.spec.key import Key
from poolkit.spec.kinds import Option
from poolkit.spec.learned import Learned
from poolkit.spec.mix import Mix
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.pyramid import Pyramid
from poolkit.spec.roi import RoiSpec
from poolkit.spec.segment import Segment
from poolkit.spec.struct_pool import StructPool
from poolkit.spec.unpool import Unpool

if typing.TYPE_CHECKING:
    from poolkit.dialects.reading import read
    from poolkit.dialects.writing import caveats, native
    from poolkit.diffs.diff import diff
    from poolkit.diffs.difference import Difference
    from poolkit.port.stand_in import stand_in
    from poolkit.programs.program import Program
    from poolkit.running.dispatch import pool, pool_direct
    from poolkit.running.extending import register_kind
    from poolkit.running.layers import layer
    from poolkit.running.lowered import lower
    from poolkit.running.registry import backends
    from poolkit.running.roi import roi, roi_levels
    from poolkit.running.routes import routes
    from poolkit.running.segment import segment
    from poolkit.running.struct_pool import struct_pool
    from poolkit.running.unpool import indices_from, unpool
    from poolkit.tools.tune import tune

__version__ = "0.1.0"

__all__ = [
    "AdaPool",
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AdaptiveMinPool",
    "AttentionPool",
    "AvgPool",
    "BackendError",
    "BlurPool",
    "Chain",
    "Difference",
    "DtypeError",
    "FractionalMaxPool",
    "GatedMix",
    "GeM",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GlobalMinPool",
    "GlobalSumPool",
    "InputError",
    "Key",
    "LIPPool",
    "LPPool",
    "LatentAttentionPool",
    "Learned",
    "LearnedMix",
    "LearnedOption",
    "MaxPool",
    "MedianPool",
    "MinPool",
    "Mix",
    "NotExactError",
    "Option",
    "PoolSpec",
    "PoolkitError",
    "Program",
    "Pyramid",
    "RoiSpec",
    "S3Pool",
    "Segment",
    "ShapeError",
    "SoftPool",
    "SpecError",
    "StochasticPool",
    "StructPool",
    "SumPool",
    "Unpool",
    "backends",
    "caveats",
    "diff",
    "indices_from",
    "layer",
    "lower",
    "native",
    "pool",
    "pool_direct",
    "read",
    "register_kind",
    "roi",
    "roi_levels",
    "routes",
    "segment",
    "stand_in",
    "struct_pool",
    "tune",
    "unpool",
]

# Loaded when they are asked for: a spec, which is all that much of a program needs, takes a third of the time.
__getattr__ = lazy.lazily(
    __name__,
    {
        "Difference": "diffs.difference",
        "Program": "programs.program",
        "backends": "running.registry",
        "caveats": "dialects.writing",
        "diff": "diffs.diff",
        "indices_from": "running.unpool",
        "layer": "running.layers",
        "lower": "running.lowered",
        "native": "dialects.writing",
        "pool": "running.dispatch",
        "pool_direct": "running.dispatch",
        "read": "dialects.reading",
        "register_kind": "running.extending",
        "roi": "running.roi",
        "roi_levels": "running.roi",
        "routes": "running.routes",
        "segment": "running.segment",
        "stand_in": "port.stand_in",
        "struct_pool": "running.struct_pool",
        "tune": "tools.tune",
        "unpool": "running.unpool",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
