"""Reading what is ported, by the kind of file, and writing what it became, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import stat
import tempfile
import tokenize
from pathlib import Path

from poolkit.errors import InputError
from poolkit.port.models.archive import read_bytes
from poolkit.port.models.model_files import READERS, port_model
from poolkit.port.python.source import port_source
from poolkit.port.report import Ported

SOURCES = (".py", ".pyi")
LARGEST_SOURCE = 2 * 2**20  # bytes; the tokens are counted besides


def is_source(path: Path) -> bool:
    return path.suffix.lower() in SOURCES


def port_file(path: Path, to: str | None, layout: str | None = None, source_layout: str | None = None) -> Ported:
    """A file's pooling calls or layers, written for `to`; without it, the rows alone. `InputError` for other files."""
    if is_source(path):
        return port_source(read_source(path)[0], to, layout=layout, name=path.name, source_layout=source_layout)
    if path.suffix.lower() in READERS:
        return port_model(path, to, layout)
    raise InputError(
        f"received {path}, and poolkit ports Python source (.py) and models (.keras, .h5, .json, .onnx); "
        "give the file an ending that tells what it is"
    )


def read_source(path: Path) -> tuple[str, str]:
    """The text of Python source with its line ends as they are, and its encoding, which gives back the same bytes."""
    data = read_bytes(path, LARGEST_SOURCE)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        text.encode()  # fails for halves of surrogate pairs, which some codecs let pass
        same = text.encode(encoding) == data
    except (SyntaxError, UnicodeError, LookupError) as error:
        why = str(error).partition("\n")[0][:200]  # it may quote the file, or name an encoding as long as a line
        raise InputError(f"received {path}, and it is no text of Python ({why}); give its source") from None
    if not same:
        raise InputError(
            f"received {path}, and written in {encoding} again it would be other bytes, so that lines that nobody "
            "ported would change; save it as UTF-8"
        )
    if "\0" in text:
        raise InputError(f"received {path}, and it is no text of Python (it has null bytes); give its source")
    return text, encoding


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Put a text in place of a file in one step: what is there is the old file or the new one, at any moment."""
    data = text.encode(encoding)
    try:
        target = Path(os.path.realpath(path))  # through a link, to the file itself
        mode = _mode(path, target)
        name = _whole(data, target.parent, mode)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    try:
        os.replace(name, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def _mode(path: Path, target: Path) -> int:
    """The mode of the file that is replaced, or that of a new one; `InputError` where nothing may be replaced."""
    try:
        found = os.lstat(target).st_mode
    except FileNotFoundError:
        return 0o666 & ~_umask()
    if stat.S_ISLNK(found):  # what is left of a path whose links lead to each other
        raise InputError(f"received {path} to write to, and its links lead to each other; give another place")
    if not stat.S_ISREG(found):
        raise InputError(f"received {path} to write to, and it is no regular file; give the name of a file")
    # The superuser may write to any file, and means those that are read-only as little as others do.
    if not found & 0o222 or not os.access(target, os.W_OK):
        raise InputError(
            f"received {path} to write to, and it is read-only (mode {stat.S_IMODE(found):o}); give another place, or "
            "make it writable"
        )
    return stat.S_IMODE(found)


def _whole(data: bytes, folder: Path, mode: int) -> Path:
    """A file with these bytes in a folder. It has no name until it is whole, so that a kill leaves nothing behind."""
    name = folder / f".poolkit-{secrets.token_hex(8)}"
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        _put(file.fileno(), data, mode)
        try:
            # Only with a folder's descriptor does Python follow the link, and a path from the root needs none.
            os.link(f"/proc/self/fd/{file.fileno()}", name, src_dir_fd=file.fileno(), follow_symlinks=True)
            return name
        except (OSError, NotImplementedError):
            pass  # a system that can't name it
    with open(name, "xb", buffering=0) as file:
        try:
            _put(file.fileno(), data, mode)
        except BaseException:
            name.unlink()
            raise
    return name


def _put(file: int, data: bytes, mode: int) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
    os.fchmod(file, mode)


def _unwritable(path: Path, error: OSError | ValueError) -> InputError:
    why = error.strerror if isinstance(error, OSError) else error
    return InputError(f"received {path} to write to, and it cannot be written ({why}); give another place")


def _umask() -> int:
    """The process's umask, which can be asked for by setting it alone."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
