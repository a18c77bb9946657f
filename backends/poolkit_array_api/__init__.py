"""poolkit's adapter for arrays with `__array_namespace__`: CuPy's, Dask's and all others of the standard."""

from typing import TYPE_CHECKING

from poolkit.running.lazy import lazily

if TYPE_CHECKING:
    from poolkit_array_api.adapter import ADAPTER

__all__ = ["ADAPTER"]

__getattr__ = lazily(__name__, {"ADAPTER": "adapter"})
