"""What frameworks call their pools: reading somebody's layer as a spec, and writing a spec as a framework's own layer.

Everything goes through a `calls.Call`: `sources` finds one in a line of text, `reading` turns it into a spec by the
words of a `dialect`, `writing` turns a spec in its `normal` form into one. The words themselves are in a folder for
each framework, and here for einops and ONNX; `table` lists them. `reductions`, `places` and `concerns` are what
several need.
"""
