"""`poolkit port`: files with pooling in them, written for another framework, or looked through."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from poolkit.errors import InputError, escaped
from poolkit.port import files
from poolkit.port.audit import Finding, audit
from poolkit.port.models.naming import shown
from poolkit.port.report import Line, Ported, Row, Status, counts, grouped
from poolkit.port.target import FRAMEWORKS

if TYPE_CHECKING:
    from poolkit.port.check import Checked
from poolkit.spec.validate import check_layout

STYLES = {"exact": "green", "caveat": "yellow", "left": "dim", "failed": "red"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(FRAMEWORKS), help="The framework to write for; without it, FILE is audited.")
@click.option("--layout", help="The layout of the ported tensors, such as NHWC, where it is not the framework's usual.")
@click.option("--source-layout", help="The layout of FILE's own tensors, such as NCHW, where the file does not say it.")
@click.option("--output", type=click.Path(path_type=Path), help="Write here and not to the standard output.")
@click.option("--in-place", is_flag=True, help="Write into FILE itself, which has to be Python source.")
@click.option("--check", "checked", is_flag=True, help="Run originals and ports on random inputs and compare them.")
@click.option("--verbose", is_flag=True, help="Say in the table, too, what is said of each row.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows of the report as JSON, and nothing else.")
def port(
    file: Path,
    to: str | None,
    layout: str | None,
    source_layout: str | None,
    output: Path | None,
    in_place: bool,
    checked: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Write the pooling calls of FILE for another framework, or say what each framework has for them.

    FILE is Python source (.py), a Keras model (.keras, .h5, or the .json of model.to_json()) or an ONNX model (.onnx).
    What it becomes goes to the standard output, a row of a report for each call to standard error. The exit code is 0
    where every pooling call was ported, 1 where one was not or --check found a difference, 2 for an unusable file.
    """
    if to is None and (layout or output or in_place or checked):
        raise click.UsageError("--layout, --output, --in-place and --check are about a port: say --to which framework")
    _check_options(file, output, in_place, source_layout)
    if to is None:
        audited = files.port_file(file, None, None, source_layout)
        _audit(audited, as_json)
        sys.exit(not audited.complete)
    for one in filter(None, (layout, source_layout)):
        check_layout(one)
    ported = files.port_file(file, to, layout, source_layout)
    checks = _checks(ported, to, layout) if checked else {}
    _write(ported, file, file if in_place else output, as_json)
    if as_json:
        told = ported.to_dict()
        for at, found in checks.items():
            told["rows"][at]["check"] = found.to_dict()
        click.echo(json.dumps(told, indent=2))
    else:
        _report(ported, model=not files.is_source(file), checks=checks, verbose=verbose)
    if not ported.complete or not all(check.agrees for check in checks.values()):
        sys.exit(1)


def _check_options(file: Path, output: Path | None, in_place: bool, source_layout: str | None) -> None:
    if source_layout and not files.is_source(file):
        raise click.UsageError("--source-layout is for Python source: a model file says the order of its axes itself")
    if output and in_place:
        raise click.UsageError("--output and --in-place are two places: give one of them")
    if in_place and not files.is_source(file):
        raise click.UsageError("--in-place is for Python source: a model file becomes a module, so give --output")
    if output and os.path.realpath(output) == os.path.realpath(file):
        raise InputError(f"received {output} as FILE and as --output; give another place, or --in-place for source")


def _write(ported: Ported, file: Path, place: Path | None, as_json: bool) -> None:
    if place is not None:
        files.write(place, ported.text, files.read_source(file)[1] if files.is_source(file) else "utf-8")
    elif not as_json:
        click.echo(escaped(ported.text) if sys.stdout.isatty() else ported.text, nl=False)


def _checks(ported: Ported, to: str, layout: str | None) -> dict[int, Checked]:
    from poolkit.port.check import checks  # which needs NumPy

    return checks(ported.rows, to, layout)


# ---------------------------------------------------------------------------------------------------------- for people


MOST_ROWS = 1000  # of a table
WIDE = 160  # columns of a report that goes to a file, where nothing says how many fit


def _report(ported: Ported, model: bool, checks: dict[int, Checked], verbose: bool) -> None:
    """The rows on standard error: as a table, or a line each where they are too many for one; then what to look at."""
    console, rows = Console(stderr=True), ported.rows
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    if len(rows) > MOST_ROWS:  # a table of 20,000 rows takes 12 s of 22
        lines = (_cells(row, model, checks, at) for at, row in enumerate(rows))
        click.echo("\n".join(escaped("  ".join(line)).replace("\n", " ") for line in lines), err=True)
    elif rows:
        console.print(_table(rows, model, checks, verbose))
        _tell(console, rows)
        _place(console, ported.lines)
    for before, _, after in (order.partition(" -> ") for order in ported.orders):
        told = f"the pools take {after} tensors now, and took {before}: turn what goes into them"
        told += f", or give --layout {before}"
        console.print(Text(told, "bold"))
    ran = sum(check.share is not None for check in checks.values())
    told = f"; {ran} of {len(checks)} checked" if checks else ""
    if ported.layers is not None:
        told += f"; pools only: {ported.pools} of {ported.layers} layers"
    console.print(_summary(rows) + told, highlight=False)


MOST_PLACES = 8  # that a line names


def _tell(console: Console, rows: Sequence[Row]) -> None:
    """What is said of the rows, once for each kind with how many there are and where."""
    for group, notes in grouped(rows).items():
        if notes:
            console.print(Text(f"{len({id(row) for _, alike in notes for row in alike})} {group}:", "bold"))
        for note, alike in notes:
            places = ", ".join(shown(row.where).removeprefix("line ") for row in alike[:MOST_PLACES])
            more = ", ..." if len(alike) > MOST_PLACES else ""
            line = "line " if alike[0].where.startswith("line ") else ""
            console.print(_text(f"  {len(alike)}x  {line}{places}{more}: {note}"), soft_wrap=False)


def _place(console: Console, lines: Sequence[Line]) -> None:
    """The lines that count axes, each with what it becomes where the axes have moved; what is said of many, once."""
    if not lines:
        return
    console.print(Text(f"{len(lines)} by the order of the axes, for you to write in the new one:", "bold"))
    alike: dict[tuple[str, str, str], list[str]] = {}
    for line in lines:
        alike.setdefault((line.before, line.after, line.note), []).append(line.where.removeprefix("line "))
    for (before, after, note), places in list(alike.items())[:MOST_ROWS]:
        more = ", ..." if len(places) > MOST_PLACES else ""
        told = " ".join(f"{before} -> {after}".split()) if after else " ".join(before.split())
        console.print(_text(f"  line {', '.join(places[:MOST_PLACES])}{more}: {told}{f'  ({note})' if note else ''}"))


def _table(rows: Sequence[Row], model: bool, checks: dict[int, Checked], verbose: bool) -> Table:
    names = ["layer", "spec", "input", "becomes"] if model else ["where", "before", "after"]
    names += ["result", *(["largest difference"] if checks else []), *(["note"] if verbose else [])]
    table = Table(*[Column(name, overflow="fold") for name in names])
    for at, row in enumerate(rows):
        cells = [_text(cell) for cell in _cells(row, model, checks, at)][: len(names)]
        cells[names.index("result")].stylize(STYLES[row.status])
        table.add_row(*cells)
    return table


def _cells(row: Row, model: bool, checks: dict[int, Checked], at: int) -> list[str]:
    cells = _of_model(row) if model else [row.where, row.before, row.after]
    return [*cells, row.status, *([str(checks.get(at, ""))] if checks else []), row.note]


def _text(text: str) -> Text:
    return Text(escaped(text))


def _of_model(row: Row) -> list[str]:
    shape = "" if row.shape is None else ", ".join("?" if n is None else str(n) for n in row.shape)
    return [shown(row.where), row.before if row.spec is None else str(row.spec), shape, row.after]


def _summary(rows: Sequence[Row]) -> str:
    texts: dict[Status, str] = {
        "exact": "exact",
        "caveat": "with a caveat",
        "left": "left alone",
        "failed": "not ported",
    }
    parts = [f"{n} {texts[status]}" for status, n in counts(rows).items() if n]
    return ", ".join(parts) or "no pooling in this file"


def _audit(audited: Ported, as_json: bool) -> None:
    """What each framework has for every row; equal calls of equal pools are looked up once."""
    rows = audited.rows
    alike = {(row.spec, row.before): row for row in reversed(rows)}
    kept = {key: audit(row) for key, row in alike.items()}
    found = [kept[row.spec, row.before] for row in rows]
    if as_json:
        told = audited.to_dict()
        for row, findings in zip(told["rows"], found, strict=True):
            row["frameworks"] = [one.to_dict() for one in findings]
        click.echo(json.dumps(told, indent=2))
        return
    console = Console()
    if len(rows) > MOST_ROWS:
        for row, findings in zip(rows, found, strict=True):
            each = "".join(f"\n  {one.framework}  {one}" for one in findings)
            click.echo(escaped(f"{shown(row.where)}  {row.before}  {row.spec or ''}  {row.note}{each}"))
        return
    for row, findings in zip(rows, found, strict=True):
        _show_audit(console, row, findings)
    if not rows:
        console.print(_summary(rows))


def _show_audit(console: Console, row: Row, found: Sequence[Finding]) -> None:
    console.print(Text.assemble((shown(row.where), "bold"), "  ", escaped(row.before)))
    if row.status in ("left", "failed"):
        console.print(_text(f"  {'no pooling' if row.status == 'left' else 'not read'}: {row.note}"))
    grid = Table.grid(padding=(0, 2))
    if row.spec is not None:
        shape = "" if row.shape is None else f", of an input of shape {row.shape}".replace("None", "?")
        grid.add_row("", "spec", Text(f"{row.spec}{shape}"))
    if row.note and row.status not in ("left", "failed"):
        grid.add_row("", "note", _text(row.note))
    for one in found:
        grid.add_row("", one.framework, _text(str(one)))
    console.print(grid)
