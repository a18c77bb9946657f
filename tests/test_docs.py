"""The documents tell the truth: their Python runs, and their commands print what is shown.

A fenced block is run according to its language:

- ```python: the blocks of a document run in order, in one namespace; what stands below a line that starts with >>> is
  what that line must print;
- ```console: each line that starts with "$ " is run by bash, and the lines below it are what it must print. Inside them
  "..." stands for any text, and a line of "..." alone for any number of lines;
- the languages of INERT are not programs, and there are no others.

A block that can't be run here stands just below a comment that says why, <!-- not run: REASON -->, and is counted in
NOT_RUN.
"""

from __future__ import annotations

import doctest
import linecache
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.support import ROOT, environment

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# Document -> how many of its blocks are marked as not run. A number here only ever goes up for a good reason.
NOT_RUN: dict[str, int] = {"README.md": 2, "CONTRIBUTING.md": 3}

# What is shown but does not run. A program in another language (sh, bash) is to be written as console.
INERT = {"diff", "json", "text", "toml"}

# A block may be indented, as in a numbered list, and so may the comment on the line above it.
BLOCK = re.compile(
    r"^(?: *<!-- not run: (?P<reason>\S[^\n]*?) -->\n)?"
    r"(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One fenced block: where it starts, what it is, and why it isn't run, if it isn't."""

    document: Path
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"


def blocks(document: Path, *languages: str) -> Iterator[Block]:
    """The fenced blocks of a document in these languages, or all of them."""
    text = document.read_text()
    for match in BLOCK.finditer(text):
        if match["language"] in languages or not languages:
            line = text.count("\n", 0, match.start("text")) + 1
            yield Block(document, line, match["language"], textwrap.dedent(match["text"]), match["reason"])


def runnable(document: Path, *languages: str) -> list[Block]:
    return [block for block in blocks(document, *languages) if block.reason is None]


# ------------------------------------------------------------------------------------------------------ Python blocks


def run_python(block: Block, namespace: dict[str, object]) -> None:
    """Run one block in the namespace of its document; line numbers in a traceback are those of the document."""
    if ">>>" in block.text:
        example = doctest.DocTestParser().get_doctest(block.text, namespace, str(block), str(block), block.line)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        results = runner.run(example, clear_globs=False)
        namespace.update(example.globs)
        assert results.failed == 0, f"{block}: see the captured output"
        return
    source = "\n" * (block.line - 1) + block.text
    # What a framework reads back with inspect.getsource (torch.jit, AutoGraph) must be findable.
    linecache.cache[str(block)] = (len(source), None, source.splitlines(keepends=True), str(block))
    exec(compile(source, str(block), "exec"), namespace)


# Keras's own, when it saves the variables of TensorFlow.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_blocks_run(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("document")
    monkeypatch.setitem(sys.modules, "document", module)

    for block in runnable(document, "python"):
        run_python(block, vars(module))


# ----------------------------------------------------------------------------------------------------------- commands


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output shown below it; a backslash joins two lines of a command."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        match = re.match(r"(?P<command>(?:[^\n]*\\\n)*[^\n]*)\n(?P<output>.*)", part, re.DOTALL)
        assert match is not None
        yield match["command"], match["output"]


def matches(shown: str, printed: str) -> bool:
    """Whether the lines shown are those printed, trailing spaces aside, where "..." stands for whatever it covers."""
    pattern = ""
    for line in shown.rstrip().splitlines():
        text = re.escape(line.rstrip()).replace(re.escape("..."), "[^\n]*")
        pattern += r"(?:[^\n]*\n)*?" if line.strip() == "..." else text + "\n"
    lines = "".join(line.rstrip() + "\n" for line in printed.rstrip().splitlines())
    return re.fullmatch(pattern, lines) is not None


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder that looks like the checkout, where `poolkit` and `python` are those under test."""
    for path in ROOT.iterdir():
        if path.name not in (".git", "__pycache__"):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / ".bin").mkdir()
    start = "import sys; from poolkit.cli import main; sys.argv[0] = 'poolkit'; main()"
    programs = {"python": "", "poolkit": f'-c "{start}"'}
    for name, arguments in programs.items():
        program = tmp_path / ".bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    return tmp_path


def run_command(command: str, folder: Path) -> str:
    path = f"{folder / '.bin'}:{environment().get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} fails with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


CONSOLE = [block for document in DOCUMENTS for block in runnable(document, "console")]


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_console_blocks_print_what_is_shown(block: Block, workplace: Path) -> None:
    for command, shown in commands(block.text):
        printed = run_command(command, workplace)
        # A command without any output shown has only to succeed.
        assert not shown.strip() or matches(shown, printed), f"$ {command}\nshown:\n{shown}\nprinted:\n{printed}"


# ------------------------------------------------------------------------------------------------- the rules themselves


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_that_are_not_run_are_few_and_counted(document: Path) -> None:
    skipped = [block for block in blocks(document, "python", "console") if block.reason is not None]

    assert len(skipped) == NOT_RUN.get(document.name, 0)
    # A comment that isn't just above a block would silently mark nothing.
    assert document.read_text().count("<!-- not run:") == len(skipped)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_program_hides_behind_another_language(document: Path) -> None:
    assert {block.language for block in blocks(document)} <= {"python", "console"} | INERT


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\n", "a\nb\nc\n", True),
        ("took ... s\n", "took 1.25 s\n", True),
        ("took ... s\n", "took 1.25\ns\n", False),
        ("(1.5)  \n", "(1.5)\n", True),
        ("(1.5)\n", "(1x5)\n", False),
    ],
)
def test_matches(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same


def test_commands() -> None:
    text = "$ poolkit backends\nnumpy\n$ poolkit lower \\\n    avg\n$ poolkit\n"

    assert list(commands(text)) == [
        ("poolkit backends", "numpy\n"),
        ("poolkit lower \\\n    avg", ""),
        ("poolkit", ""),
    ]
