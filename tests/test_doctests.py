"""Every example in a docstring is run, and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import poolkit
from poolkit.lowering import kinds
from poolkit.spec.kinds import BUILT_IN, KINDS
from tests.helpers.support import ADAPTERS, modules_of

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def name_of(path: Path) -> str:
    """The import name of a file: backends/poolkit_jax/ops.py is poolkit_jax.ops."""
    parts = path.with_suffix("").parts[1 if path.parts[0] in ("backends", "conformance") else 0 :]
    return ".".join(part for part in parts if part != "__init__")


MODULES = [
    name_of(path)
    for path in modules_of("poolkit", "backends", "conformance", "benchmarks")
    if path.name != "__main__.py"
]


@pytest.fixture(autouse=True)
def _kinds_do_not_stay() -> Iterator[None]:
    """An example may register a kind, which tests that run later in this process are not to meet."""
    yield
    for table in (KINDS, kinds.FOLDS):
        for kind in set(table) - set(BUILT_IN):
            del table[kind]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run_as_shown(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=FLAGS, report=True)

    assert results.failed == 0, "see the captured output"


def public_functions() -> Iterator[tuple[str, object]]:
    """Functions that a user calls: those of poolkit and of each adapter's __all__, and the methods of a spec."""
    for package in ("poolkit", *ADAPTERS):
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            if inspect.isfunction(getattr(module, name)):
                yield f"{package}.{name}", getattr(module, name)
    for name, method in vars(poolkit.PoolSpec).items():
        if not name.startswith("_") and inspect.isroutine(method):
            yield f"PoolSpec.{name}", method


def test_every_public_function_shows_an_example() -> None:
    functions = list(public_functions())

    assert len(functions) > 10
    assert [name for name, function in functions if ">>>" not in (inspect.getdoc(function) or "")] == []
