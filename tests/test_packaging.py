"""What is in the wheel and in the source archive."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.helpers.support import ADAPTERS, OUTSIDE, ROOT, modules_of

PACKAGES = ["poolkit", "poolkit_conformance", *ADAPTERS, *OUTSIDE]


def build(kind: str, source: Path, out: Path) -> Path:
    """Build a "wheel" or an "sdist" of a source tree, with the build tool that pyproject.toml names."""
    out.mkdir()
    code = f"from hatchling.build import build_{kind} as build; print(build({str(out)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist") / "out")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return zipfile.ZipFile(build("wheel", ROOT, tmp_path_factory.mktemp("wheel") / "out")).namelist()


def test_the_wheel_holds_every_module_and_nothing_that_is_not_a_package(wheel: list[str]) -> None:
    expected = {str(Path(*p.parts[1:])) for p in modules_of("backends", "conformance/poolkit_conformance")}
    expected |= {str(p) for p in modules_of("poolkit")}

    assert {name for name in wheel if name.endswith(".py")} == expected
    assert {name.split("/")[0] for name in wheel if ".dist-info" not in name} == set(PACKAGES)


def test_the_wheel_declares_the_backend_that_is_outside_of_the_table(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(build("wheel", ROOT, tmp_path / "out"))
    [name] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]

    assert "[poolkit.backends]\narray_api = poolkit_array_api.adapter:ADAPTER" in archive.read(name).decode()


def test_the_wheel_holds_type_markers_and_the_photograph(wheel: list[str]) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel)
    assert {"poolkit/data/eileen_collins.png", "poolkit/data/README.md"} <= set(wheel)


def test_a_wheel_built_from_the_sdist_is_the_same(sdist: Path, wheel: list[str], tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.iterdir()

    assert zipfile.ZipFile(build("wheel", unpacked, tmp_path / "out")).namelist() == wheel


def test_the_sdist_can_be_tested(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}

    assert {"constraints.txt", "tests/test_packaging.py", ".ci/run", "README.md", "LICENSE"} <= names


def test_poolkit_has_no_dependency_and_its_command_line_no_framework() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cli = {requirement.split(">")[0] for requirement in project["optional-dependencies"]["cli"]}

    assert project["dependencies"] == []
    assert cli == {"click", "ml_dtypes", "numpy", "pillow", "rich"}
