"""Reading what is ported, by the kind of file, and writing what it became, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tempfile
import tokenize
from pathlib import Path

from poolkit.errors import BackendError, InputError
from poolkit.porting.models.archive import read_bytes
from poolkit.porting.models.model_files import READERS, port_model
from poolkit.porting.report import Ported

SOURCES = (".py", ".pyi")
LARGEST_SOURCE = 16 * 2**20


def is_source(path: Path) -> bool:
    return path.suffix.lower() in SOURCES


def port_file(path: Path, to: str | None, layout: str | None = None) -> Ported:
    """A file's pooling calls or layers, written for `to`; without it, the rows alone. `InputError` for other files."""
    if is_source(path):
        return _port_source(read_source(path)[0], to, layout, path.name)
    if path.suffix.lower() in READERS:
        return port_model(path, to, layout)
    raise InputError(
        f"received {path}, and poolkit ports Python source (.py) and models (.keras, .json, .onnx); "
        "give the file an ending that tells what it is"
    )


def _port_source(text: str, to: str | None, layout: str | None, name: str) -> Ported:
    try:
        from poolkit.porting.python.source import port_source
    except ImportError as error:
        if (error.name or "").split(".")[0] != "libcst":
            raise
        raise BackendError(
            f"Python source is read with LibCST, which is not installed here ({error}); "
            "run: pip install 'poolkit[port]'"
        ) from None
    return port_source(text, to, layout=layout, name=name)


def read_source(path: Path) -> tuple[str, str]:
    """The text of Python source with its line ends as they are, and its encoding."""
    data = read_bytes(path, LARGEST_SOURCE)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError(f"received {path}, and it is no text of Python ({error}); give its source") from None
    if "\0" in text:
        raise InputError(f"received {path}, and it is no text of Python (it has null bytes); give its source")
    return text, encoding


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Put a text in place of a file in one step: what is there is the old file or the new one, at any moment."""
    target = path.resolve()  # through a link, to the file itself
    if target.exists() and not target.is_file():
        raise InputError(f"received {path} to write to, and it is no regular file; give the name of a file")
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with open(handle, "w", encoding=encoding, newline="") as file:
            file.write(text)
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"received {path} to write to, and it cannot be written ({error.strerror}); give another place")


def _umask() -> int:
    """The process's umask, which can be asked for by setting it alone."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
