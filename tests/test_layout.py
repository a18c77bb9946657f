"""The shape of the repository: what stands where, and how long a module may be."""

from __future__ import annotations

import fnmatch

import pytest

from tests.helpers.support import ADAPTERS, OUTSIDE, ROOT, modules_of

FILES = {"pyproject.toml", "constraints.txt", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"}
FOLDERS = {"poolkit", "backends", "conformance", "tests", "examples", "benchmarks", "docs"}
REQUIRED = FILES | {"poolkit", "backends", "conformance", "tests"}

MOST_LINES = 300
# Modules that are longer, each with the reason why it isn't two.
LONGER = {
    "examples/keras_to_torch.py": "one file that its reader copies whole: a table of layers, and what calls them",
}

PACKAGES = ["poolkit", "conformance/poolkit_conformance", *(f"backends/{name}" for name in (*ADAPTERS, *OUTSIDE))]

# What every adapter consists of, so that any two can be read side by side.
ADAPTER_FILES = {
    "__init__.py",
    "adapter.py",
    "conformance.py",
    "layers.py",
    "ops.py",
    "py.typed",
}


def top_level() -> set[str]:
    """What stands at the top of the checkout, without what .gitignore names and hidden files."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line]
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    return {name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)}


def test_top_level_holds_what_was_agreed_and_nothing_else() -> None:
    assert top_level() <= FILES | FOLDERS
    assert top_level() >= REQUIRED


def test_only_adapters_live_in_backends() -> None:
    # backends/ is on sys.path in development: a file backends/torch.py would be imported in PyTorch's place.
    names = {path.name for path in (ROOT / "backends").iterdir() if path.name != "__pycache__"}
    assert names == {*ADAPTERS, *OUTSIDE}


def test_only_the_suite_and_its_tests_live_in_conformance() -> None:
    names = {path.name for path in (ROOT / "conformance").iterdir() if path.name != "__pycache__"}
    strangers = names - {"poolkit_conformance", "conftest.py"}
    assert all(fnmatch.fnmatch(name, "test_*.py") for name in strangers)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_adapter_has_the_same_files(adapter: str) -> None:
    files = {path.name for path in (ROOT / "backends" / adapter).iterdir() if path.is_file()}
    routes = {name for name in files if fnmatch.fnmatch(name, "routes*.py")}  # Keras has none, PyTorch several files
    learned = {"learned.py"} if adapter in ("poolkit_torch", "poolkit_keras", "poolkit_jax") else set[str]()
    ways_out = {"exports.py"} if adapter in ("poolkit_torch", "poolkit_tensorflow") else set[str]()
    compiler = {"followed.py"} if adapter == "poolkit_torch" else set[str]()  # the one that reads Python

    assert files == ADAPTER_FILES | routes | learned | ways_out | compiler


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_tells_type_checkers_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_no_module_is_long_without_a_reason() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in modules_of(*FOLDERS)}
    assert {path: n for path, n in lengths.items() if n > MOST_LINES and path not in LONGER} == {}
    # A module that has become short again loses its entry.
    assert [path for path in LONGER if lengths.get(path, 0) <= MOST_LINES] == []
