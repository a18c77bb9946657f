"""ONNX's words for pooling: nodes. Imports no onnx."""

from __future__ import annotations

from poolkit.dialect import Dialect, words

WORDS = words()

DIALECT = Dialect(name="onnx", roots=("onnx",), words=WORDS, layouts={1: "NCL", 2: "NCHW", 3: "NCDHW"})
