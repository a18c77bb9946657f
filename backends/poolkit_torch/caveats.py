"""Where the own layers of PyTorch, equal on finite input, still give other numbers; measured with PyTorch 2.13."""

from __future__ import annotations

from poolkit.dialect import Caveat

CAVEATS: tuple[Caveat, ...] = ()
