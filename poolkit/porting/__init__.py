"""`poolkit port`: pooling calls of source files and model files, written for another framework.

`source` ports Python source, `models` reads model files as data, `target` says what a spec becomes in a framework,
`report` holds a row for each call, and `check` runs original and port side by side.
"""
