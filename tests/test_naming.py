"""A framework is named by the table of backends, by its dialect, and by modules that bear its name, and nowhere else.

So a backend is one row, one folder of words, and its adapter. Text for people, which has spaces, may give an example.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from poolkit.dialects import table
from tests.helpers.support import ROOT, modules_of

ROOTS = {root for dialect in table.dialects() for root in dialect.roots}
NAMED = re.compile(rf"(?<!\w)({'|'.join(sorted(ROOTS))})(?!\w)")

EXCEPTIONS = {
    "poolkit/running/registry.py": "the table",
    "poolkit/running/keras_engine.py": "Keras runs on other frameworks",
    "poolkit/running/unpool.py": "indices are turned by the name of whoever counts them so",
    "poolkit/dialects/table.py": "the modules of the formats that are no backend's",
    "poolkit/dialects/einops.py": "einops has a layer for each framework",
    "poolkit/port/models/keras.py": "models of TensorFlow hold layers of Keras",
    "poolkit/port/models/model_files.py": "the endings of files",
    "poolkit/port/python/evaluated.py": "NumPy's functions of numbers, which programs of every framework call",
}


def named_in(path: Path) -> set[str]:
    """The frameworks that the values of a module name, docstrings and text for people apart."""
    tree = ast.parse((ROOT / path).read_text())
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {root for text in texts if not re.search(r"\s", text) for root in NAMED.findall(text)}


def own(path: Path) -> set[str]:
    """The frameworks whose names a module bears: all roots of a dialect's folder, and words of its own name."""
    parts = set(re.split(r"[/_.]", path.as_posix()))
    dialects = [set(d.roots) for d in table.dialects() if f"dialects/{d.name}/" in path.as_posix()]
    return parts.union(*dialects)


# Dialects speak of others: Keras in TensorFlow, NumPy's words in JAX.
MODULES = [path for path in modules_of("poolkit") if not re.match(r"poolkit/dialects/\w+/", path.as_posix())]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_other_module_names_a_framework(path: Path) -> None:
    if path.as_posix() not in EXCEPTIONS:
        assert named_in(path) - own(path) == set()


@pytest.mark.parametrize("path", EXCEPTIONS)
def test_every_exception_is_one(path: str) -> None:
    assert named_in(Path(path)) - own(Path(path))
