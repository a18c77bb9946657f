"""The skeleton of a backend from outside, under three names that differ, passes the conformance suite as it is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import poolkit as pk
from poolkit.tools import skeleton
from tests.helpers.support import SOURCES, environment


def installed(folder: Path) -> dict[str, str]:
    """The environment of a Python that has the package, with the entry point of its pyproject.toml."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    rows = [f"{name} = {there}" for name, there in project["entry-points"]["poolkit.backends"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[poolkit.backends]", *rows, ""]))
    return environment(PYTHONPATH=":".join(map(str, (folder, *SOURCES))))


def test_the_skeleton_passes_the_suite(tmp_path: Path) -> None:
    skeleton.write(tmp_path, "strict", "pools_of_strict", "array_api_strict")
    env = installed(tmp_path)
    served = "import array_api_strict as xp; from poolkit.running.registry import find; print(find(xp.ones(2)).name)"
    done = subprocess.run([sys.executable, "-c", served], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "strict\n"
    options = ["-q", "-p", "no:cacheprovider", "-k", "k3_s2_same and eager"]
    command = [sys.executable, "-m", "pytest", str(tmp_path / "test_conformance.py"), *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


def test_names_that_are_none_and_folders_that_are_full(tmp_path: Path) -> None:
    with pytest.raises(pk.InputError, match="it is the name of a module"):
        skeleton.write(tmp_path, "a-b")
    for taken in (("torch",), ("mlx", "poolkit_jax")):
        with pytest.raises(pk.InputError, match=f"received .*{taken[-1]}, and poolkit has numpy, poolkit_numpy, "):
            skeleton.write(tmp_path, *taken)
    assert list(tmp_path.iterdir()) == []
    skeleton.write(tmp_path, "mlx")
    with pytest.raises(pk.InputError, match="holds a package already"):
        skeleton.write(tmp_path, "mlx")
