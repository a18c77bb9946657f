"""Running the conformance suite from the command line: progress while it runs, a table, a page of HTML."""

from __future__ import annotations

import collections
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from poolkit.running import registry
from poolkit_conformance import runner
from poolkit_conformance.modes import MODES

Result = runner.Result
ORDER = list(MODES)
STATUSES = ("passed", "failed", "known")


def run(backends: Sequence[str], quiet: bool = False, full: bool = False) -> list[Result]:
    """The results of the tests of these backends; a bar on the error output counts them."""
    results: list[Result] = []
    with Progress(console=Console(stderr=True), disable=quiet) as progress:
        for name in backends:
            task = progress.add_task(name, total=len(runner.tests(runner.harness(name), full)))
            for result in runner.run(name, full):
                results.append(result)
                progress.advance(task)
    return results


def counts(results: Sequence[Result]) -> dict[tuple[str, str], collections.Counter[str]]:
    """How many cases passed, failed, or failed as a row of the known failures says, for each backend and mode."""
    table: dict[tuple[str, str], collections.Counter[str]] = {}
    for result in results:
        table.setdefault((result.backend, result.mode), collections.Counter())[result.status] += 1
    return table


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """The counts, and what failed, for JSON."""
    rows = [
        {"backend": backend, "mode": mode} | {status: row[status] for status in STATUSES}
        for (backend, mode), row in counts(results).items()
    ]
    failures = [vars(result) for result in results if result.status == "failed"]
    return {"counts": rows, "failures": failures}


def show(results: Sequence[Result]) -> None:
    """The counts as a table, and what failed, on the terminal."""
    table = Table("backend", "mode", *STATUSES)
    for (backend, mode), row in counts(results).items():
        table.add_row(backend, mode, *(str(row[status]) for status in STATUSES))
    console = Console()
    console.print(table)
    for result in results:
        if result.status == "failed":
            console.print(f"{result.backend} {result.mode} {result.case}: {result.message}", markup=False)


def markdown(results: Sequence[Result], own: Mapping[str, int]) -> str:
    """What works where, as a table of Markdown: the cases that passed by mode and backend, and what did not.

    `own` is how many cases the own layers of a backend are right in.
    """
    found = counts(results)
    backends = [row.name for row in registry.facts() if any(row.name == backend for backend, _ in found)]
    modes = sorted({mode for _, mode in found}, key=lambda mode: (ORDER.index(mode.partition(":")[0]), mode))
    rows = [["mode", *backends], ["---"] * (1 + len(backends))]
    rows += [["its own layer, eager", *(str(own.get(backend, 0)) for backend in backends)]]
    rows += [[mode, *(_cell(found.get((backend, mode))) for backend in backends)] for mode in modes]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def written(file: Path, results: Sequence[Result], backends: Sequence[str]) -> str:
    """What a report holds: a page of HTML, or of Markdown, which keeps what it has besides the table."""
    if file.suffix != ".md":
        return page(results)
    own = {name: runner.own_layers(runner.harness(name))[0] for name in backends}
    return renewed(file.read_text() if file.exists() else "", markdown(results, own))


def renewed(text: str, table: str) -> str:
    """A page with this table in place of the one that it has; the table alone where it has none."""
    lines = text.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if line.startswith("| mode |")), None)
    if first is None:
        return table
    behind = next((i for i in range(first, len(lines)) if not lines[i].startswith("|")), len(lines))
    return "".join([*lines[:first], table, *lines[behind:]])


def _cell(row: collections.Counter[str] | None) -> str:
    if row is None:
        return ""
    return ", ".join([str(row["passed"]), *(f"{row[status]} {status}" for status in STATUSES[1:] if row[status])])


def page(results: Sequence[Result]) -> str:
    """The results as a page of HTML that needs nothing else."""
    rows = [
        _row("td", [backend, mode, *(row[status] for status in STATUSES)])
        for (backend, mode), row in counts(results).items()
    ]
    failures = [_row("td", [r.backend, r.mode, r.case, r.message]) for r in results if r.status == "failed"]
    return (
        '<!doctype html><meta charset="utf-8"><title>poolkit conformance</title>'
        "<style>body{font-family:sans-serif}td,th{padding:.2em .8em;text-align:left}</style>"
        "<h1>poolkit conformance</h1>"
        f"<table>{_row('th', ['backend', 'mode', *STATUSES])}{''.join(rows)}</table>"
        f"<h2>{len(failures)} failures</h2><table>{''.join(failures)}</table>\n"
    )


def _row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
