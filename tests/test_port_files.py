"""What `poolkit port` writes: whole files or none, with the encoding, line ends and mode that were there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poolkit.porting import files
from tests.portmodels import POOL, SOURCE, archive, run, source


def test_output_and_in_place(tmp_path: Path) -> None:
    file = source(tmp_path / "head.py")
    file.chmod(0o640)
    shown = run(file, "--to", "torch").stdout
    result = run(file, "--to", "torch", "--output", tmp_path / "ported.py")

    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "ported.py").read_text() == shown
    assert file.read_text() == SOURCE
    assert run(file, "--to", "torch", "--in-place").exit_code == 0
    assert file.read_text() == shown
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.py", "ported.py"]


def test_what_is_in_place_ported_twice_stays(tmp_path: Path) -> None:
    file = source(tmp_path / "head.py")
    run(file, "--to", "torch", "--in-place")
    once = file.read_text()
    run(file, "--to", "torch", "--in-place")

    assert file.read_text() == once


def test_encoding_and_line_ends_stay(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\r\n# Gr\u00f6\u00dfe\r\n" + SOURCE.replace("\n", "\r\n")
    (tmp_path / "old.py").write_bytes(text.encode("latin-1"))
    run(tmp_path / "old.py", "--to", "torch", "--in-place")
    data = (tmp_path / "old.py").read_bytes()

    assert b"# Gr\xf6\xdfe\r\n" in data
    assert data.count(b"\n") == data.count(b"\r\n")
    assert b"torch.nn.MaxPool2d(2)" in data


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    source(tmp_path / "real.py")
    (tmp_path / "link.py").symlink_to("real.py")
    run(tmp_path / "link.py", "--to", "torch", "--in-place")

    assert (tmp_path / "link.py").is_symlink()
    assert "torch.nn.MaxPool2d(2)" in (tmp_path / "real.py").read_text()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.py").write_text("old\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    result = run(archive(tmp_path / "model.keras", POOL), "--to", "torch", "--output", tmp_path / "out.py")

    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert (tmp_path / "out.py").read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "out.py"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "out.py").write_text("old\n")
    with pytest.raises(UnicodeEncodeError):
        files.write(tmp_path / "out.py", "new " * 100_000 + "\u20ac", "latin-1")

    assert (tmp_path / "out.py").read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.py"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    result = run(source(tmp_path / "head.py"), "--to", "torch", "--output", tmp_path / "nowhere" / "out.py")

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
