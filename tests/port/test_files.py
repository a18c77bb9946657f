"""What `poolkit port` writes: whole files or none, with the encoding, line ends and mode that were there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from poolkit import InputError
from poolkit.port import files
from tests.helpers.portmodels import POOL, SOURCE, archive, run, source
from tests.helpers.support import environment


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


# ------------------------------------------------------------------------------------------- what a file system can be


def refused(result: Result, text: str) -> None:
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_is_read_only_stays(tmp_path: Path) -> None:
    """Also for the superuser, whom the mode does not stop."""
    file = source(tmp_path / "head.py")
    file.chmod(0o444)
    refused(run(file, "--to", "torch", "--in-place"), "it is read-only (mode 444); give another place")
    refused(run(archive(tmp_path / "m.keras", POOL), "--to", "torch", "--output", file), "read-only")

    assert (file.read_text(), file.stat().st_mode & 0o777) == (SOURCE, 0o444)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.py", "m.keras"]


def test_links_that_lead_to_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    file = source(tmp_path / "head.py")
    refused(run(tmp_path / "a.py", "--to", "torch"), "cannot be read (Too many levels of symbolic links)")
    refused(run(tmp_path / "a.py", "--to", "torch", "--in-place"), "cannot be read")
    refused(run(file, "--to", "torch", "--output", tmp_path / "a.py"), "its links lead to each other")
    refused(run(file, "--to", "torch", "--output", tmp_path / "a.py" / "out.py"), "cannot be written")

    assert [os.readlink(tmp_path / name) for name in ("a.py", "b.py")] == ["b.py", "a.py"]


def test_a_link_to_what_is_not_there_yet_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to("new.py")
    assert run(source(tmp_path / "head.py"), "--to", "torch", "--output", tmp_path / "link.py").exit_code == 0

    assert (tmp_path / "link.py").is_symlink()
    assert "torch.nn.MaxPool2d(2)" in (tmp_path / "new.py").read_text()


def test_names_as_long_as_the_file_system_takes(tmp_path: Path) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    file = source(tmp_path / ("x" * (longest - 3) + ".py"))
    assert run(file, "--to", "torch", "--in-place").exit_code == 0
    assert "torch.nn.MaxPool2d(2)" in file.read_text()

    too_long = tmp_path / ("y" * (longest - 2) + ".py")
    refused(run(file, "--to", "torch", "--output", too_long), "cannot be written (File name too long)")
    refused(run(too_long, "--to", "torch"), "cannot be read (File name too long)")


@pytest.mark.parametrize("suffix", [".py", ".keras", ".json", ".onnx"])
def test_only_regular_files_are_read_and_written(tmp_path: Path, suffix: str) -> None:
    """Opening a pipe would wait for ever."""
    pipe, folder, device = (tmp_path / f"{name}{suffix}" for name in ("pipe", "folder", "device"))
    os.mkfifo(pipe)
    folder.mkdir()
    device.symlink_to("/dev/zero")
    for place in (pipe, folder, device):
        refused(run(place, "--to", "torch"), "it is no regular file")
        refused(run(source(tmp_path / "head.py"), "--to", "torch", "--output", place), "it is no regular file")


def test_the_other_name_of_a_file_keeps_what_was_there(tmp_path: Path) -> None:
    file = source(tmp_path / "head.py")
    os.link(file, tmp_path / "other.py")
    run(file, "--to", "torch", "--in-place")

    assert "torch.nn.MaxPool2d(2)" in file.read_text()
    assert (tmp_path / "other.py").read_text() == SOURCE


def test_a_folder_that_nobody_may_look_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = source(tmp_path / "head.py")
    monkeypatch.setattr(os, "lstat", forbidden)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\)"):
        files.write(tmp_path / "out.py", "text")
    monkeypatch.setattr(os, "stat", forbidden)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        files.port_file(file, "torch")


def test_a_path_with_a_null_byte() -> None:
    with pytest.raises(InputError, match=r"cannot be read \(embedded null byte\)"):
        files.port_file(Path("a\0.py"), "torch")
    with pytest.raises(InputError, match="cannot be written"):
        files.write(Path("a\0.py"), "text")


WRITES = """
import os, resource, signal, sys
from pathlib import Path
from poolkit import InputError
from poolkit.port import files
what, place = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background is started with it ignored
if what == "full":  # no more than 4 KB are to be had
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
else:
    put = files._put
    def killed(*arguments):
        put(*arguments)
        os.kill(os.getpid(), int(what))
    files._put = killed
files.write(Path(place), "new" * 100_000)
"""


@pytest.mark.parametrize("what", ["full", str(int(signal.SIGKILL)), str(int(signal.SIGTERM)), str(int(signal.SIGINT))])
def test_a_full_disk_or_a_kill_leaves_the_old_file_and_nothing_else(tmp_path: Path, what: str) -> None:
    (tmp_path / "out.py").write_text("old\n")
    done = subprocess.run(
        [sys.executable, "-c", WRITES, what, str(tmp_path / "out.py")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert ("InputError" in done.stderr and "cannot be written (File too large)" in done.stderr) == (what == "full")
    assert (tmp_path / "out.py").read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.py"]


def test_where_a_file_without_a_name_cannot_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(os, "link", without)
    files.write(tmp_path / "out.py", "new\n")
    assert (tmp_path / "out.py").read_text() == "new\n"
    monkeypatch.setattr(os, "fchmod", without)
    with pytest.raises(NotImplementedError):
        files.write(tmp_path / "out.py", "newer\n")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.py", "new\n")]
