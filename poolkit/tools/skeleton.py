"""`poolkit new-backend`: the files of a package that serves one more framework, to be filled in.

Its primitives are those of the array API standard, as `poolkit_array_api` has them: a framework that has these words
is served at once, and for another each is written over.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from poolkit.errors import InputError
from poolkit.running.registry import FIRST_PARTY
from poolkit.spec.messages import quoted, shown

ADAPTER = '''"""What poolkit has to know about the tensors of FRAMEWORK."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import FRAMEWORK
import numpy as np
from poolkit.lowering.backend import Adapter, Situation, ThirdParty
from poolkit.running.layers import Pooling

from PACKAGE.ops import Ops


class NamedAdapter(ThirdParty):
    """FRAMEWORK; `poolkit.lowering.backend.Adapter` has what is not said here."""

    name = "NAME"
    framework = "FRAMEWORK"
    takes = "a tensor of FRAMEWORK here; convert it"
    ops = Ops
    layers = Pooling

    def serves(self, x: Any) -> Adapter | None:
        return self if type(x).__module__.split(".")[0] == "FRAMEWORK" else None

    def dtype(self, x: Any) -> str:
        return str(x.dtype).rpartition(".")[2]

    def situation(self, x: Any) -> Situation:
        return Situation(derivative=False, empty=0 in x.shape)  # leave `derivative` out where gradients can be taken

    def key(self, x: Any, spec: Any) -> Hashable:
        return spec, x.shape, str(x.dtype)  # None for what has no shape, or symbols in it

    def from_numpy(self, array: Any) -> Any:
        return FRAMEWORK.asarray(array, copy=True)

    def to_numpy(self, t: Any) -> Any:
        return np.asarray(t)


ADAPTER = NamedAdapter()
'''

PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "DISTRIBUTION"
version = "0.1.0"
dependencies = ["poolkit"]  # and the package that FRAMEWORK comes in

[project.entry-points."poolkit.backends"]
NAME = "PACKAGE.adapter:ADAPTER"

[tool.hatch.build.targets.wheel]
packages = ["PACKAGE"]
"""

TEST = '''"""Every case of the conformance suite, in each mode of conformance.py."""

from poolkit_conformance import PoolConformance


class TestConformance(PoolConformance):
    backend = "NAME"
'''


def write(folder: Path, name: str, package: str | None = None, framework: str | None = None) -> list[Path]:
    """Write the package of a backend into a folder that holds no other, and return its files.

    `name` is what specs call the backend, `package` the module that holds it (poolkit_NAME), and `framework` the first
    name of the modules that define its tensors (NAME).
    """
    filled = {"NAME": name, "PACKAGE": package or f"poolkit_{name}", "FRAMEWORK": framework or name}
    for what, word in filled.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
            raise InputError(
                f"received {what}={shown(word)}, and it is the name of a module; write it as in {what}=mlx"
            )
    taken = [word for row in FIRST_PARTY for word in (row.name, row.package)]
    if name in taken or filled["PACKAGE"] in taken:
        ours = " and ".join(dict.fromkeys([name, filled["PACKAGE"]]))
        raise InputError(f"received {ours}, and poolkit has {', '.join(taken)} itself; name it otherwise")
    made = folder / filled["PACKAGE"]
    if made.exists() or (folder / "pyproject.toml").exists():
        raise InputError(f"{quoted(str(folder))} holds a package already; give an empty folder, with --folder")
    texts = {
        made / "__init__.py": '"""poolkit\'s adapter for FRAMEWORK."""\n',
        made / "adapter.py": ADAPTER,
        made / "ops.py": _ours("ops").replace("    xp: Any\n", XP).replace("\nfrom poolkit", IMPORT, 1),
        made / "conformance.py": _ours("conformance"),
        made / "py.typed": "",
        folder / "test_conformance.py": TEST,
        folder / "pyproject.toml": PROJECT.replace("DISTRIBUTION", filled["PACKAGE"].replace("_", "-")),
    }
    made.mkdir(parents=True)
    for path, text in texts.items():
        path.write_text(re.sub("|".join(filled), lambda found: filled[found[0]], text), encoding="utf-8")
    return list(texts)


IMPORT = "\nimport FRAMEWORK\n\nfrom poolkit"

XP = """    xp: Any = FRAMEWORK
    imports = {"xp": "import FRAMEWORK as xp"}
"""


def _ours(module: str) -> str:
    """A module of the adapter for the array API, with places for what is another's."""
    text = resources.files("poolkit_array_api").joinpath(f"{module}.py").read_text(encoding="utf-8")
    text = text.replace("arrays of the array API standard, by its strictest implementation", "tensors of FRAMEWORK")
    return text.replace('"array_api"', '"NAME"').replace("ArrayHarness", "NamedHarness")
