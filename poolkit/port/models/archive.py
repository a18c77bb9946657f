"""Model files as bounded data: nothing in them is run or unpickled, and what is too large is not read."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeGuard

from poolkit.errors import InputError

LARGEST = (
    16 * 2**20
)  # bytes of a config once it is unpacked; those of Keras's largest applications have about two million

ENCRYPTED = 1  # the bit of a member's flags
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what Keras writes; the others unpack without a bound


def check_regular(path: Path) -> None:
    """`InputError` for what is no file on a disk: opening a pipe waits for somebody who writes to it."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"received {path}, and it cannot be read ({why}); give a file that is there") from None
    if not regular:
        raise InputError(f"received {path}, and it cannot be read (it is no regular file); give a file that is there")


def read_bytes(path: Path, most: int) -> bytes:
    """The bytes of a file, `InputError` where it cannot be read or has more than `most`."""
    check_regular(path)
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise InputError(
            f"received {path}, and it cannot be read ({error.strerror}); give a file that is there"
        ) from None
    if len(data) > most:
        raise InputError(f"received {path}, and it has more than {most} bytes; files of this kind are smaller")
    return data


def begins(path: Path, magic: bytes) -> bool:
    """Whether a file begins with these bytes; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False


def config_of(path: Path) -> dict[str, Any]:
    """The config of a ``.keras`` archive; its weights are not looked at."""
    try:
        with zipfile.ZipFile(path) as archive:
            data = _member(archive, "config.json", path)
    except OSError as error:
        raise InputError(
            f"received {path}, and it cannot be read ({error.strerror}); give a file that is there"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise InputError(
            f"received {path}, and a .keras file is a whole zip archive ({error}); copy or save it anew"
        ) from None
    return parse(data, f"config.json of {path}")


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise InputError(f"received {path}, and it has no {name}; give what Keras's model.save wrote") from None
    if info.flag_bits & ENCRYPTED:
        raise InputError(f"received {path}, and its {name} is encrypted; save the model without a password")
    if info.compress_type not in PLAIN:
        raise InputError(f"received {path}, and its {name} is packed as Keras packs none; save the model with Keras")
    if info.file_size > LARGEST:
        raise _too_large(f"{name} of {path}")
    # The header may understate: no more than this is unpacked, and what does not end there fails its checksum.
    with archive.open(info) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _too_large(f"{name} of {path}")
    return data


def _too_large(what: str) -> InputError:
    return InputError(
        f"received {what}, and it unpacks to more than {LARGEST} bytes; no model needs that much, so it is not read"
    )


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value from JSON has keys."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value from JSON is a list."""
    return isinstance(value, list)


DEEPEST = 500  # lists and objects inside each other; a model in a model is three more


def _bounded(found: Any, what: str) -> None:
    """`InputError` where lists and objects are nested so deeply that reading them may end Python's recursion."""
    level = [found]
    for _ in range(DEEPEST):
        inside = [one.values() if is_object(one) else one for one in level if is_object(one) or is_list(one)]
        level = [one for several in inside for one in several]
    if level:
        raise _too_deep(what)


def _too_deep(what: str) -> InputError:
    return InputError(
        f"received {what}, and it is nested deeper than {DEEPEST} lists and objects, which no model is; "
        "save the model anew"
    )


def parse(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object that some bytes are.

    >>> len(parse(b'{"class_name": "Sequential", "config": {}}', "a file"))
    2
    """
    if len(data) > LARGEST:
        raise _too_large(what)
    try:
        found = json.loads(data)
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:
        raise InputError(f"received {what}, and it is no JSON ({error}); save the model anew") from None
    _bounded(found, what)
    if not is_object(found):
        raise InputError(
            f"received {what}, and it is a JSON {type(found).__name__}; a model's config is an object with a class_name"
        )
    return found
