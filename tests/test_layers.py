"""Who stands on whom: each folder of poolkit uses those above it in this list alone, and no two modules each other.

Imports for type checkers count, and imports inside functions. Named exceptions are the fluent methods of a spec, which
hand it to what pools, resolves, explains or counts it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.support import ROOT, modules_of

LAYERS = ("errors", "spec", "lowering", "programs", "running", "dialects", "tools", "diffs", "port", "cli")

OPERATIONS = {
    f"poolkit.spec.{name}"
    for name in (
        "operation",
        "pool_spec",
        "mix",
        "chain",
        "pyramid",
        "segment",
        "struct_pool",
        "unpool",
        "roi",
        "learned",
    )
}
FLUENT = {"__call__", "layer", "explain", "cost", "plan", "look", "output_shape"}
# What those methods are annotated with.
FLUENT_TYPES = {"poolkit.lowering.plan.AnyPlan", "poolkit.spec.pool_spec.PoolSpec"}


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): ROOT / path for path in modules_of("poolkit")}


def imports(module: str) -> Iterator[str]:
    """The modules of poolkit that a module imports, without those of a fluent method."""
    tree = ast.parse(MODULES[module].read_text())
    fluent: set[ast.AST] = set()
    if module in OPERATIONS:
        for f in ast.walk(tree):
            if isinstance(f, ast.FunctionDef) and f.name in FLUENT:
                fluent |= set(ast.walk(f))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node not in fluent and (node.module or "") in MODULES:
            for full in (f"{node.module}.{alias.name}" for alias in node.names):
                if not (module in OPERATIONS and full in FLUENT_TYPES):
                    yield full if full in MODULES else str(node.module)


ARROWS = {module: set(imports(module)) - {module} for module in MODULES}


def layer(module: str) -> int:
    return LAYERS.index(module.split(".")[1])


def test_every_module_has_a_layer() -> None:
    assert {module.split(".")[1] for module in MODULES if module != "poolkit"} == set(LAYERS)


def test_no_module_uses_one_of_a_layer_that_stands_on_it() -> None:
    up = [
        f"{module} imports {other}"
        for module, others in ARROWS.items()
        for other in others - {"poolkit"}
        if module != "poolkit" and layer(other) > layer(module)
    ]
    assert up == []


def test_kinds_stand_below_the_routes_and_operations_that_are_made_of_them() -> None:
    rooms = ("kinds", "routes", "operations")
    inside = {
        m: rooms.index(m.split(".")[2])
        for m in MODULES
        if m.startswith("poolkit.lowering.") and m.split(".")[2] in rooms
    }
    assert {*inside.values()} == {0, 1, 2}
    assert [(m, other) for m in inside for other in ARROWS[m] & {*inside} if inside[other] > inside[m]] == []


def test_the_root_is_imported_where_all_is_ready() -> None:
    assert {module for module, others in ARROWS.items() if "poolkit" in others} <= {
        module for module in MODULES if module.split(".")[1:2] in (["cli"], ["port"])
    }


def test_no_two_modules_need_each_other() -> None:
    left = {module: others - {"poolkit"} for module, others in ARROWS.items() if module != "poolkit"}
    while ready := [module for module, others in left.items() if not others & set(left)]:
        for module in ready:
            del left[module]
    assert sorted(left) == []


def test_exceptions_are_in_use() -> None:
    """A fluent method that is gone, or has become one that imports nothing, loses its exception."""
    methods = {
        f.name
        for module in OPERATIONS
        for f in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(f, ast.FunctionDef) and any(isinstance(node, ast.ImportFrom) for node in ast.walk(f))
    }
    assert methods == FLUENT
