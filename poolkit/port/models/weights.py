"""The numbers in a Keras model's file (``.keras``, ``.h5``), layer by layer, as NumPy arrays.

A file that somebody made to harm may link to other files of the disk, claim arrays that no memory holds, or name one
array in every layer: links are not followed, and no more bytes are read than the file has.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import zipfile
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poolkit.errors import InputError
from poolkit.port.models.archive import begins, check_regular
from poolkit.port.models.keras_graph import Config, is_operation, layers_in, name_of
from poolkit.port.models.naming import shown

ZIP, MEMBER = b"PK\x03\x04", "model.weights.h5"


def places(model: Config) -> dict[str, str]:
    """Where Keras 3 keeps the weights of each layer of a model: by its class, and how many of these stand before it.

    >>> layers = [{"class_name": kind, "name": kind + name} for kind, name in (("Conv2D", "a"), ("Conv2D", "b"))]
    >>> places({"config": {"layers": layers}})
    {'Conv2Da': 'conv2d', 'Conv2Db': 'conv2d_1'}
    """
    used: Counter[str] = Counter()
    found: dict[str, str] = {}
    for layer in layers_in(model) or []:
        if not is_operation(layer):
            kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", str(layer["class_name"])))
            kind = re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()
            found[name_of(layer)] = f"{kind}_{used[kind]}" if used[kind] else kind
            used[kind] += 1
    return found


LARGEST = 2**33  # bytes, four times those of Keras's largest application; what a sparse file says costs nothing


@dataclass
class Weights:
    """The open file of a model's weights; `bytes` is how many of it may still be read."""

    file: Any
    bytes: int
    lists: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, "dict[str, list[str]]"])

    def of(self, names: Sequence[str], places: Sequence[str]) -> list[Any]:
        """The arrays of a layer: its name behind those of the models around it, and likewise its place in Keras 3."""
        if "layers" in self.file:
            group = self._at(self.file, *(part for place in places for part in ("layers", place)), "vars")
            keys = sorted((key for key in group if key.isdecimal()), key=int) if group is not None else []
            return [self._array(group, key) for key in keys]
        group = self._at(self.file, *(["model_weights"] if "model_weights" in self.file else []), names[0])
        if names[0] not in self.lists:
            self.lists[names[0]] = _by_layer(_texts(group, "weight_names") if group is not None else [])
        # A model in a model has the arrays of its layers in one list.
        paths = self.lists[names[0]].get(names[-1] if len(names) > 1 else "", [])
        return [self._array(group, path) for path in paths]

    def _at(self, group: Any, *path: str) -> Any:
        """What stands at the end of a path of groups; None where a part of it is missing."""
        for part in path:
            if not hasattr(group, "get") or part not in group:
                return None
            if type(group.get(part, getlink=True)).__name__ != "HardLink":
                raise InputError(f"received a file whose {shown(part)} is a link, which may lead to any other file")
            group = group[part]
        return group

    def _array(self, group: Any, path: str) -> Any:
        found = self._at(group, *path.split("/"))
        if found is None or not hasattr(found, "nbytes"):
            raise InputError(f"received a file that lacks the weights {shown(path)} that it names; save the model anew")
        if found.nbytes > self.bytes or found.external or found.is_virtual:
            raise InputError(
                f"received a file whose {shown(path)} has {found.nbytes} bytes, and with those of the layers before it "
                "they are not in it; save it anew"
            )
        self.bytes -= found.nbytes
        try:
            return found[()]
        except OSError as error:
            raise InputError(f"received a file whose {shown(path)} cannot be read ({error}); copy it anew") from None


def _by_layer(paths: Sequence[str]) -> dict[str, list[str]]:
    """The paths of arrays by the layer that they belong to, and all of them under no name."""
    found = {"": [*paths]}
    for path in paths:
        for layer in path.split("/")[-2:-1]:
            found.setdefault(layer or "/", []).append(path)
    return found


def _texts(group: Any, name: str) -> list[str]:
    """A list of texts among the attributes of a group, in parts where it is long."""
    keys = sorted((key for key in group.attrs if re.fullmatch(rf"{name}\d*", key)), key=lambda key: (len(key), key))
    found = [one for key in keys for one in group.attrs[key]]
    return [one.decode() if isinstance(one, bytes) else str(one) for one in found]


@contextlib.contextmanager
def weights_of(path: Path) -> Generator[Weights]:
    """The weights of a model's file, while it is open; `InputError` where they cannot be read."""
    check_regular(path)
    with contextlib.ExitStack() as stack:
        try:
            file = _opened(path, stack)
        except (OSError, KeyError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise InputError(f"received {path}, and it has no weights to be read ({error}); save it anew") from None
        yield Weights(file, min(path.stat().st_size, LARGEST))


def _opened(path: Path, stack: contextlib.ExitStack) -> Any:
    file: Any = path
    if begins(path, ZIP):
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MEMBER).compress_type != zipfile.ZIP_STORED:
                raise ValueError("they are packed, as Keras packs none")
            if archive.getinfo(MEMBER).file_size > LARGEST:
                raise ValueError(f"they have more than {LARGEST} bytes")
            file = io.BytesIO(archive.read(MEMBER))  # a member that is read here and there is read anew each time
    return stack.enter_context(importlib.import_module("h5py").File(file, "r"))
