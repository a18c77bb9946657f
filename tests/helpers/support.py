"""What several test files share: where the checkout is, and how a second Python is started on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The folders that are on sys.path in development; see pythonpath in pyproject.toml.
SOURCES = (ROOT, ROOT / "backends", ROOT / "conformance")

# Adapter folder -> the framework that it serves.
ADAPTERS = {
    "poolkit_numpy": "numpy",
    "poolkit_torch": "torch",
    "poolkit_tensorflow": "tensorflow",
    "poolkit_keras": "keras",
    "poolkit_jax": "jax",
}

# Beside those of the table: an adapter that is found by its entry point, as one of somebody else is.
OUTSIDE = ("poolkit_array_api",)


def environment(**changes: str) -> dict[str, str]:
    """The environment of a subprocess that imports the checkout and writes plain text, 120 columns wide."""
    path = os.pathsep.join(str(folder) for folder in SOURCES)
    return os.environ | {"PYTHONPATH": path, "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"} | changes


def python(code: str, *options: str, **changes: str) -> str:
    """What a new Python prints when it runs `code`; raises with its error output where it fails."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code], env=environment(**changes), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules_of(*folders: str) -> list[Path]:
    """Every Python file below these folders of the checkout, relative to it."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in files)
