"""The dialects that poolkit knows: one of each backend of the table, and those of ONNX and einops."""

from __future__ import annotations

import functools
import importlib

from poolkit.dialects.dialect import Dialect
from poolkit.errors import BackendError
from poolkit.running.registry import FIRST_PARTY
from poolkit.spec.messages import shown

# The modules that hold a framework's words, as DIALECT; none of them imports its framework.
FORMATS = ("poolkit.dialects.onnx", "poolkit.dialects.einops")
MODULES = (*(f"poolkit.dialects.{backend.name}.read" for backend in FIRST_PARTY), *FORMATS)


@functools.cache
def dialects() -> tuple[Dialect, ...]:
    """The words of every framework that poolkit reads."""
    return tuple([importlib.import_module(name).DIALECT for name in MODULES])


def dialect(name: object) -> Dialect:
    """The words of a backend; `BackendError` for a name that is none."""
    for known in dialects() if isinstance(name, str) else ():
        if known.name == name:
            return known
    raise BackendError(
        f"received the backend {shown(name)}, and those whose words poolkit knows are "
        f"{', '.join(d.name for d in dialects())}; use one of them"
    )
