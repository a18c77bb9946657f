"""Which kind of pooling a computation with its initial value is, such as ``jax.lax.max`` from minus infinity."""

from __future__ import annotations

import re
from typing import Any

from poolkit.dialects.calls import Call, Expression, Name, text
from poolkit.dialects.dialect import NotKnown, need_value
from poolkit.errors import NotExactError

KINDS = {"max": "max", "maximum": "max", "min": "min", "minimum": "min", "add": "sum"}

# What does not change the result of a kind, and how people write it. The least number of a type is below every finite
# one, and so does the same as minus infinity.
NEUTRAL = {"max": "-inf", "min": "inf", "sum": "0"}
LEAST = 3.4028234e38  # of float32, rounded towards 0
PATTERNS = {
    "-inf": r"""-\s*[\w.]*inf|[\w.]*NINF|float\(["']-inf["']\)|[\w.]+info\(.*\)\.min|-\s*[\w.]+finfo\(.*\)\.max""",
    "inf": r"""[\w.]*\binf|float\(["']\+?inf["']\)|[\w.]+info\(.*\)\.max""",
    "0": r"0|0?\.0*|0\.",
}
MAKERS = ("array", "asarray", "float16", "float32", "float64", "bfloat16", "int32")


def kind_of(computation: Any, init: Any) -> str:
    """The kind; `NotExactError` where there is none, or where the initial value takes part in the result."""
    if not text(computation).startswith("lambda"):  # which no kind is known of
        need_value("computation", computation)
    kind = KINDS.get(_function(computation))
    if kind is None:
        name = getattr(computation, "__qualname__", None) or getattr(computation, "__name__", None)
        raise NotExactError(
            f"{name or text(computation)} is none of the computations that pool, which are max, min and add of "
            "jax.lax; use one of these"
        )
    value = _value(init)
    if value is None:
        raise NotKnown(f"the initial value {text(init)} is not known here, and it takes part in every window")
    if value != NEUTRAL[kind]:
        raise NotExactError(
            f"the initial value {text(init)} takes part in every window, and {NEUTRAL[kind]} would not; a spec has none"
        )
    return kind


def _function(computation: Any) -> str:
    """The last name of a function of JAX or NumPy; empty for any other."""
    if isinstance(computation, Name):
        module, _, last = computation.dotted.rpartition(".")
    else:
        module, last = str(getattr(computation, "__module__", "")), str(getattr(computation, "__name__", ""))
    return last if module.split(".")[0] in ("jax", "numpy") else ""


def _value(init: Any) -> str | None:
    """One of the neutral values, "other" for a number that is none of them, None for what is not known."""
    if isinstance(init, Call):
        return _value(init.args[0]) if init.args and init.name.rsplit(".", 1)[-1] in MAKERS else None
    if isinstance(init, Name | Expression):
        written = init.dotted if isinstance(init, Name) else init.text
        return next((value for value, pattern in PATTERNS.items() if re.fullmatch(pattern, written)), None)
    try:
        number = float(init)
    except (TypeError, ValueError):
        return None
    if number == 0:
        return "0"
    if abs(number) < LEAST:
        return "other"
    return "inf" if number > 0 else "-inf"
