"""Dtypes and policies of Keras's layers, which cast what a layer is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from poolkit.dialects.calls import text


def policy_of(dtype: Any) -> str:
    """The name of a dtype or policy that casts the float32 that a layer is given, "" for one that does not.

    >>> policy_of("float32"), policy_of({"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}})
    ('', 'mixed_float16')
    """
    config = _entry(dtype, "config")
    name = _entry(config, "name") if config is not None else getattr(dtype, "name", dtype)
    return "" if name in (None, "float32") else text(name).strip('"')


def _entry(of: Any, key: str) -> Any:
    return cast("Mapping[str, Any]", of).get(key) if isinstance(of, Mapping) else None
