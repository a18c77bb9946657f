"""How programs use NumPy, besides calling its reductions."""

from __future__ import annotations

from poolkit.dialects.reductions import NUMPY_AXES
from poolkit.dialects.usage import Methods, Usage

USAGE = Usage(
    shorts={"np": "numpy"},
    imports={"numpy": ("np", "import numpy as np")},
    axes=NUMPY_AXES,
    methods=Methods("numpy.ndarray", frozenset({"axis", "keepdims"})),
)
