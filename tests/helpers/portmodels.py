"""What the tests of `poolkit port` with model files share: configs by hand, archives of them, ported modules."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from poolkit.cli.commands import poolkit
from poolkit.port.report import Ported, Row


def layer(kind: str, name: str = "it", module: str | None = "keras.layers", **fields: Any) -> dict[str, Any]:
    """A layer as Keras 3 writes it."""
    return {"module": module, "class_name": kind, "config": {"name": name, **fields}, "registered_name": None}


def config(*layers: dict[str, Any]) -> dict[str, Any]:
    """A Sequential of them."""
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


def archive(path: Path, *layers: dict[str, Any]) -> Path:
    """A .keras file without weights."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(config(*layers)))
    return path


POOL = layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2], padding="valid", data_format="channels_last")
SAME = layer("AveragePooling2D", "same", pool_size=[3, 3], strides=[2, 2], padding="same", data_format="channels_last")
LAMBDA = layer("Lambda", "code", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}})


def made(ported: Ported) -> dict[str, Any]:
    """The layers of a ported module, which is run as it stands."""
    names: dict[str, Any] = {"__name__": "ported"}
    exec(compile(ported.text, "ported.py", "exec"), names)
    found: dict[str, Any] = names["layers"]()
    return found


def rows_of(ported: Ported) -> dict[str, Row]:
    return {row.where: row for row in ported.rows}


SOURCE = """from keras import layers


def head(x):
    x = layers.MaxPooling2D(2)(x)  # halves the map
    return layers.GlobalAveragePooling2D(keepdims=True)(x)
"""


def source(path: Path, text: str = SOURCE) -> Path:
    path.write_text(text)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(poolkit, ["port", *map(str, arguments)], catch_exceptions=False, env={"COLUMNS": "400"})
