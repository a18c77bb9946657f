"""The engine that Keras runs on, without importing Keras."""

from __future__ import annotations

import importlib.util
import os
import sys

from poolkit.spec.messages import shown

ENGINES = ("tensorflow", "torch", "jax")  # the order in which they are named; tensorflow is Keras's own choice
KNOWN = (*ENGINES, "numpy", "openvino")


def engine() -> str:
    """The engine that Keras has chosen if it is loaded, otherwise the one that it would choose.

    That is what the variable KERAS_BACKEND names, else what Keras's file of settings does, else TensorFlow.
    """
    config = getattr(sys.modules.get("keras"), "config", None)
    if config is not None:
        return str(config.backend())
    return os.environ.get("KERAS_BACKEND") or _configured() or ENGINES[0]


def _configured() -> str | None:
    """The engine of ``keras.json`` in KERAS_HOME or the home folder; None where there is no such file."""
    import json  # 2 ms, where importing poolkit takes 40
    from pathlib import Path

    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    try:
        found = json.loads(Path(home, "keras.json").read_bytes())["backend"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def not_installed(root: str, error: Exception) -> str:
    """Why a framework cannot be imported, where it is Keras and what is absent its engine; "" otherwise."""
    chosen = engine()
    if root in ("keras", "tensorflow") and isinstance(error, ValueError) and chosen not in KNOWN:  # which imports it
        return f"Keras is to run on {shown(chosen)}, and its engines are {', '.join(KNOWN)}; set KERAS_BACKEND to one"
    absent = error.name or "" if isinstance(error, ImportError) else ""
    if root != "keras" or absent.partition(".")[0] not in (chosen, *ENGINES):
        return ""
    there = [name for name in ENGINES if name != chosen and importlib.util.find_spec(name) is not None]
    other = f"set the variable KERAS_BACKEND to an engine that is: {' or '.join(there)}" if there else "install it"
    return f"Keras runs on {chosen} here, which is not installed ({error}); {other}"
