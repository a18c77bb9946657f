"""NumPy's words for pooling. Imports no NumPy."""

from __future__ import annotations

from poolkit.dialect import Dialect, words
from poolkit_numpy.caveats import CAVEATS
from poolkit_numpy.native import LAYOUTS, native

WORDS = words()

DIALECT = Dialect(name="numpy", roots=("numpy",), words=WORDS, layouts=LAYOUTS, native=native, caveats=CAVEATS)
