"""Who may import what: the core no framework at all, an adapter its own alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.support import ADAPTERS, OUTSIDE, ROOT, modules_of, python

FRAMEWORKS = {"numpy", "torch", "tensorflow", "keras", "jax", "jaxlib", "flax", "equinox", "onnx"}

# The roots that each adapter may import besides poolkit. Every framework hands out NumPy arrays and takes them.
OWN = {name: {framework, "numpy"} for name, framework in ADAPTERS.items()} | {name: {"numpy"} for name in OUTSIDE}

# What the [cli] extra brings, and these files alone may import; `import poolkit` loads none of them.
CLI_ONLY = {"click", "rich", "PIL", "numpy"}
COMMAND_LINE_FILES = ["cli/__init__.py", "cli/__main__.py", "cli/commands.py", "cli/bench.py", "cli/diff.py"]
COMMAND_LINE_FILES += ["cli/port.py", "cli/options.py", "tools/conformance_report.py", "tools/demo.py"]
COMMAND_LINE_FILES += ["tools/bench.py", "port/check.py"]
COMMAND_LINE = {Path("poolkit") / name for name in COMMAND_LINE_FILES}

# The only doors from the core to an adapter: imports inside functions of this file.
DOORS = Path("poolkit/running/registry.py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The root of every module that a file imports, with whether the import stands inside a function."""
    tree = ast.parse((ROOT / path).read_text())
    inner = {id(node) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], id(node) in inner) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0], id(node) in inner


def test_importing_poolkit_imports_no_framework() -> None:
    loaded = python("import poolkit, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))").split()

    assert "poolkit" in loaded
    assert FRAMEWORKS & set(loaded) == set()
    assert [name for name in loaded if name.startswith("poolkit_")] == []


def test_importing_poolkit_loads_specs_alone() -> None:
    # What pools, reads and ports them is loaded when it is asked for, once: it takes twice as long as all before it.
    code = "import poolkit, sys; print(*sorted(n for n in sys.modules if n.startswith('poolkit.'))); poolkit.pool"
    loaded = python(f"{code}; print('pool' in vars(poolkit))").split()

    assert {name for name in loaded[:-1] if not name.startswith("poolkit.spec")} == {
        "poolkit.errors",
        "poolkit.running",
        "poolkit.running.lazy",
    }
    assert loaded[-1] == "True"


def test_poolkit_needs_nothing_but_the_standard_library() -> None:
    # -S leaves out site-packages, so that no third-party module can be found at all.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import poolkit; print('imported')"

    assert python(code, "-I", "-S") == "imported\n"


@pytest.mark.parametrize("path", modules_of("poolkit"), ids=str)
def test_the_core_imports_no_framework(path: Path) -> None:
    found = list(imports(path))
    banned = FRAMEWORKS - CLI_ONLY if path in COMMAND_LINE else FRAMEWORKS | CLI_ONLY
    adapters = [(root, inside) for root, inside in found if root in ADAPTERS]
    # `poolkit conformance` runs the suite.
    suite = {root for root, _ in found} & {"poolkit_conformance"}

    assert [root for root, _ in found if root in banned] == []
    assert adapters == [] or path == DOORS
    assert all(inside for _, inside in adapters)
    assert not suite or path in COMMAND_LINE


@pytest.mark.parametrize("path", modules_of("backends"), ids=str)
def test_an_adapter_imports_its_own_framework_alone(path: Path) -> None:
    adapter = path.parts[1]
    others = {name for name in ADAPTERS if name != adapter}
    # Flax is one of JAX's libraries, and is imported where a module of it is asked for.
    flax = {("poolkit_jax", "flax", True)}

    assert {root for root, inside in imports(path) if (adapter, root, inside) not in flax} & (
        (FRAMEWORKS - OWN[adapter]) | others
    ) == set()


@pytest.mark.parametrize(("adapter", "framework"), ADAPTERS.items(), ids=ADAPTERS)
def test_an_adapter_can_be_imported_alone(adapter: str, framework: str) -> None:
    # A module set to None in sys.modules raises ImportError, as if it weren't installed. Keras is given one engine.
    engine = {"keras": {"jax", "jaxlib"}}.get(framework, set())
    absent = FRAMEWORKS - {framework, "numpy", "onnx"} - engine - ({"jaxlib"} if framework == "jax" else set())

    python(f"import sys; sys.modules.update(dict.fromkeys({sorted(absent)!r})); import {adapter}", KERAS_BACKEND="jax")
