"""Model files: those of Keras (``.keras``, ``.h5``, ``.json``) and of ONNX; read as data, ported layer by layer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from poolkit.errors import InputError
from poolkit.port.models import archive, hdf5
from poolkit.port.models.keras import count_of, layers_of
from poolkit.port.models.layers import Layer, checked, row_of
from poolkit.port.models.modules import module_of
from poolkit.port.report import Ported
from poolkit.port.target import target_of


def port_model(path: Path, to: str | None, layout: str | None = None) -> Ported:
    """A model file's pooling layers as a module of Python for the target; without `to`, the rows alone."""
    layers, count = READERS[path.suffix.lower()](path)
    found = checked(layers, str(path))
    if to is None:
        return Ported("", tuple(row_of(layer, None) for layer in found), count)
    # A network has many equal pools: each is written once.
    target_for = functools.cache(functools.partial(target_of, backend=to, layout=layout))
    rows = tuple(row_of(layer, target_for) for layer in found)
    chosen = f" --layout {layout}" if layout else ""
    command = f"poolkit port {path.name} --to {to}{chosen}"
    pairs = [(row.spec.layout, target_for(row.spec).spec.layout) for row in rows if row.after and row.spec is not None]
    orders = dict.fromkeys(f"{before} -> {after}" for before, after in pairs if before != after)
    return Ported(module_of(rows, to, target_for, path.name, command), rows, count, orders=(*orders,))


Found = tuple[Iterable[Layer], int]  # pooling layers, and how many layers there are


def config_of(path: Path) -> dict[str, Any]:
    """What the file of a Keras model says of its layers, as JSON does; `InputError` for other files."""
    archive.check_regular(path)
    if path.suffix.lower() == ".json":
        return archive.parse(archive.read_bytes(path, archive.LARGEST), str(path))
    if path.suffix.lower() in ENDINGS or archive.begins(path, HDF5):
        return hdf5.config_of(path)
    return archive.config_of(path)


def _keras(path: Path) -> Found:
    model = config_of(path)
    return layers_of(model, str(path)), count_of(model)


def _onnx(path: Path) -> Found:
    from poolkit.port.models import onnx as models_onnx

    return models_onnx.layers_of(path)


HDF5, ENDINGS = b"\x89HDF\r\n", (".h5", ".hdf5")


def _pickle(path: Path) -> Found:
    raise InputError(
        f"received {path}, and what PyTorch saves is a pickle, which runs code when it is read; "
        "give the model's Python source, or an .onnx file"
    )


READERS: dict[str, Callable[[Path], Found]] = {
    **dict.fromkeys((".keras", ".json", *ENDINGS), _keras),
    ".onnx": _onnx,
    **dict.fromkeys((".pt", ".pth", ".pkl", ".bin"), _pickle),
}
