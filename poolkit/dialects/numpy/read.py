"""NumPy's words for pooling: reductions, as functions and as methods of arrays. Imports no NumPy."""

from __future__ import annotations

from poolkit.dialects.dialect import MIDDLE, WITHOUT_NAN, Dialect, Word, no_spec, words
from poolkit.dialects.numpy.caveats import CAVEATS
from poolkit.dialects.numpy.native import LAYOUTS, native
from poolkit.dialects.numpy.usage import USAGE
from poolkit.dialects.reductions import NUMPY_WORDS


def canonical(name: str) -> str:
    """NumPy's other names, such as ``numpy.core.fromnumeric.mean``."""
    *modules, last = name.split(".")
    return name if "ndarray" in modules or last not in NUMPY_WORDS else f"numpy.{last}"


WORDS = words(
    *(Word(f"numpy.{name}", fields, "a") for name, fields in NUMPY_WORDS.items()),
    no_spec("numpy.median", MIDDLE),
    no_spec("numpy.nanmedian", WITHOUT_NAN),
    *(Word(f"numpy.ndarray.{name}", fields, "self") for name, fields in NUMPY_WORDS.items()),
)

DIALECT = Dialect("numpy", ("numpy",), WORDS, LAYOUTS, canonical, native=native, caveats=CAVEATS, usage=USAGE)
