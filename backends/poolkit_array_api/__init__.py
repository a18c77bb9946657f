"""poolkit's adapter for arrays with `__array_namespace__`: CuPy's, Dask's and all others of the standard."""

from poolkit_array_api.adapter import ADAPTER

__all__ = ["ADAPTER"]
