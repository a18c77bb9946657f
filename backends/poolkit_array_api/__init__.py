"""poolkit's adapter for arrays with `__array_namespace__`: CuPy's, Dask's and all others of the standard."""
