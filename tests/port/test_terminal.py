"""What a file holds reaches a terminal as text that moves nothing there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poolkit.cli.commands import poolkit

MOVES = ["\x1b]0;title\x07", "\x1b[2J", "\u202e", "\r", "\x08", "\x9b1A"]


def run(*words: object) -> Result:
    return CliRunner().invoke(poolkit, [str(word) for word in words])


def shows_none(result: Result) -> None:
    for text in (result.stdout, result.stderr):
        assert not [c for c in text if not c.isprintable() and c != "\n"], repr(text)


@pytest.mark.parametrize("to", [(), ("--to", "keras", "--output", "out.py")])
@pytest.mark.parametrize("moves", [m for m in MOVES if m != "\r"])
def test_source(moves: str, to: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(f"from torch import nn\n\npool = nn.MaxPool2d(f('{moves}'), 2)\ny = nn.MaxPool2d(2)\n")

    shows_none(run("port", "net.py", *to))


@pytest.mark.parametrize("moves", MOVES)
def test_names_of_layers(moves: str, tmp_path: Path) -> None:
    config = {"name": moves, "pool_size": moves}
    layer = {"module": "keras.layers", "class_name": "MaxPooling2D", "config": config}
    file = tmp_path / "model.json"
    file.write_text(json.dumps({"class_name": "Sequential", "config": {"name": moves, "layers": [layer]}}))

    shows_none(run("port", file))
    shows_none(run("port", file, "--to", "torch", "--output", tmp_path / "out.py"))


@pytest.mark.parametrize("moves", MOVES)
def test_paths(moves: str, tmp_path: Path) -> None:
    (tmp_path / f"net{moves.replace('/', '')}.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / f"net{moves.replace('/', '')}.txt").write_text("")

    for file in tmp_path.iterdir():
        result = run("port", file)
        assert result.exit_code == 2
        shows_none(result)


@pytest.mark.parametrize("moves", MOVES)
def test_specs_and_sources_on_the_command_line(moves: str) -> None:
    for words in (("lower", f"max window={moves}", "--backend", "numpy"), ("diff", f"nn.MaxPool2d('{moves}')", "x")):
        result = run(*words)
        assert result.exit_code == 2
        shows_none(result)
