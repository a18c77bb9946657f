"""The config inside an HDF5 file of Keras, one attribute of it; weights are not looked at, links are not followed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from poolkit.errors import BackendError, InputError
from poolkit.port.models.archive import LARGEST, check_regular, parse
from poolkit.port.models.child import bounded

# HDF5 is a library of C, and nobody promises what it does with a file that somebody made to harm it.
READ = f"""
import h5py
with h5py.File(sys.argv[1], "r") as file:
    found = "model_config" in file.attrs and file.attrs["model_config"]
    found = found.encode() if isinstance(found, str) else found
    sys.stdout.buffer.write(b"+" + found[: {LARGEST} + 1] if isinstance(found, bytes) else b"-")
"""


def config_of(path: Path) -> dict[str, Any]:
    """The config of a model that Keras saved as HDF5; `InputError` for weights alone."""
    check_regular(path)
    if importlib.util.find_spec("h5py") is None:
        raise BackendError("an .h5 file is read with h5py, which is not installed here; run: pip install h5py")
    found = bounded(READ, str(path))
    if found is None:
        raise InputError(f"received {path}, and it is no whole HDF5 file; copy or save it anew")
    if not found.startswith(b"+"):
        raise InputError(
            f"received {path}, and it has no model_config, as a file of weights alone has none; give what model.save "
            "wrote, or the text of model.to_json()"
        )
    return parse(found[1:], f"the model_config of {path}")
