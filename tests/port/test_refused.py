"""Files that are refused: broken, hostile, too large, or of another kind."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poolkit import InputError
from poolkit.port.files import port_file
from poolkit.port.models import archive
from tests.helpers.portmodels import POOL, config


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("_", "."), data)
    return path


GOOD = json.dumps(config(POOL)).encode()


def bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file,
        file.open("config.json", "w") as member,
    ):
        for _ in range(archive.LARGEST // 2**20 + 1):
            member.write(b" " * 2**20)
    assert path.stat().st_size < 50_000


def lying_bomb(path: Path) -> None:
    """A bomb whose headers say that it unpacks to a hundred bytes."""
    bomb(path)
    data = bytearray(path.read_bytes())
    said = struct.pack("<I", archive.LARGEST + 2**20)
    central = data.rindex(b"PK\x01\x02")
    assert data[central + 24 : central + 28] == said
    data[central + 24 : central + 28] = struct.pack("<I", 100)
    path.write_bytes(data)


def truncated(path: Path) -> None:
    packed(path, config_json=GOOD * 50)
    path.write_bytes(path.read_bytes()[:-40])


def damaged(path: Path) -> None:
    """A byte of the packed config is another one."""
    packed(path, config_json=GOOD)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)


def encrypted(path: Path) -> None:
    packed(path, config_json=GOOD)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


def packed_by_lzma(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("config.json", GOOD)


UNUSABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no zip": (lambda path: path.write_bytes(b"no zip at all"), "whole zip archive"),
    "empty": (lambda path: path.write_bytes(b""), "whole zip archive"),
    "truncated": (truncated, "whole zip archive"),
    "damaged": (damaged, "whole zip archive"),
    "a bomb": (bomb, "unpacks to more than"),
    "a bomb that lies": (lying_bomb, "whole zip archive"),
    "encrypted": (encrypted, "encrypted"),
    "packed otherwise": (packed_by_lzma, "packed as Keras packs none"),
    "without a config": (lambda path: packed(path, metadata_json=b"{}"), "no config.json"),
    "no JSON": (lambda path: packed(path, config_json=b"{'a': 1}"), "is no JSON"),
    "no text": (lambda path: packed(path, config_json=b"\xff\xfe\xfa"), "is no JSON"),
    "a list": (lambda path: packed(path, config_json=b"[1, 2]"), "a JSON list"),
    "no model": (lambda path: packed(path, config_json=b'{"a": 1}'), "class_name and config"),
    "nested lists": (lambda path: packed(path, config_json=b"[" * 200_000), "nested deeper than 500"),
    "a huge number": (lambda path: packed(path, config_json=b'{"a": 1' + b"0" * 9000 + b"}"), "is no JSON"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_archives_are_refused(tmp_path: Path, name: str) -> None:
    make, message = UNUSABLE[name]
    make(tmp_path / "model.keras")

    with pytest.raises(InputError, match=message):
        port_file(tmp_path / "model.keras", "torch")


@pytest.mark.parametrize("layers", ['"x"', "{}", "[3]", "null"])
def test_a_model_without_a_list_of_layers_is_refused(tmp_path: Path, layers: str) -> None:
    model = f'{{"class_name": "Sequential", "config": {{"name": "net", "layers": {layers}}}}}'
    for text in (model, json.dumps({"class_name": "Functional", "config": {"layers": [json.loads(model)]}})):
        (tmp_path / "model.json").write_text(text)
        with pytest.raises(InputError, match="Sequential net has no list of layers"):
            port_file(tmp_path / "model.json", "torch")


def test_models_nested_without_end_are_refused(tmp_path: Path) -> None:
    nested: dict[str, Any] = POOL
    for _ in range(150):
        nested = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [nested]}}
    (tmp_path / "deep.json").write_text(json.dumps(nested))
    assert port_file(tmp_path / "deep.json", "torch").rows[0].after == "nn.MaxPool2d(2)"

    head, tail = '{"class_name": "Sequential", "config": {"layers": [', "]}}"
    (tmp_path / "deeper.json").write_text(head * 600 + json.dumps(POOL) + tail * 600)
    with pytest.raises(InputError, match="nested deeper than 500"):
        port_file(tmp_path / "deeper.json", "torch")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.h5", "cannot be read"),
        ("model.pth", "pickle"),
        ("model.txt", "ending"),
        ("model.keras", "cannot be read"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        port_file(tmp_path / name, "torch")


def test_hdf5_under_the_name_of_an_archive_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match="no whole HDF5 file"):
        port_file(tmp_path / "model.keras", "torch")


def test_two_layers_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(config(POOL, POOL)))
    with pytest.raises(InputError, match="two of its layers are called pool"):
        port_file(tmp_path / "model.json", "torch")


@pytest.mark.parametrize("kind", ["TimeDistributed", "Bidirectional"])
def test_wrappers_nested_without_end_are_refused(tmp_path: Path, kind: str) -> None:
    def nested(count: int) -> Path:
        head = f'{{"class_name": "{kind}", "config": {{"name": "it", "layer": '
        config = (
            f'{{"class_name": "Sequential", "config": {{"layers": [{head * count}{json.dumps(POOL)}{"}}" * count}]}}}}'
        )
        (tmp_path / "deep.json").write_text(config)
        return tmp_path / "deep.json"

    (found,) = port_file(nested(240), "torch").rows  # a pool of every step of every step is one, whatever calls it
    assert found.status == {"TimeDistributed": "exact", "Bidirectional": "failed"}[kind]
    for count in (330, 900, 100_000):
        with pytest.raises(InputError, match="nested deeper than 500 lists and objects"):
            port_file(nested(count), "torch")
