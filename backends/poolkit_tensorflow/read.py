"""TensorFlow's words for pooling. Imports no TensorFlow."""

from __future__ import annotations

from poolkit.dialect import Dialect, words
from poolkit_tensorflow.caveats import CAVEATS
from poolkit_tensorflow.native import LAYOUTS, native

WORDS = words()

DIALECT = Dialect(name="tensorflow", roots=("tensorflow",), words=WORDS, layouts=LAYOUTS, native=native, caveats=CAVEATS)
