"""timm's words for pooling, recognised by the names of its modules; timm is not imported."""

from __future__ import annotations

from typing import Any

from poolkit.calls import Call
from poolkit.dialect import Word

TIMM: tuple[Word, ...] = ()


def timm_call(obj: Any) -> Call | None:
    """A layer of timm as the call that makes it."""
    return None
