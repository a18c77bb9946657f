"""Model files, read as data: no code in them is run and no layer is made.

`model_files` is the way in. `archive` opens what may be hostile, `keras` and `onnx` find the pooling `layers`, and
`modules` writes the module that they become.
"""
