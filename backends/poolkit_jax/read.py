"""JAX's words for pooling. Imports no JAX."""

from __future__ import annotations

from poolkit.dialect import Dialect, words
from poolkit_jax.caveats import CAVEATS
from poolkit_jax.native import LAYOUTS, native

WORDS = words()

DIALECT = Dialect(name="jax", roots=("jax",), words=WORDS, layouts=LAYOUTS, native=native, caveats=CAVEATS)
