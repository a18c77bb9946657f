"""Running the conformance suite from the command line: progress while it runs, a table, a page of HTML."""

from __future__ import annotations

import collections
import html
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from poolkit_conformance import runner

Result = runner.Result
STATUSES = ("passed", "failed", "known")


def run(backends: Sequence[str], quiet: bool = False) -> list[Result]:
    """The results of every case in every mode of these backends; a bar on the error output counts them."""
    results: list[Result] = []
    with Progress(console=Console(stderr=True), disable=quiet) as progress:
        for name in backends:
            task = progress.add_task(name, total=len(runner.tests(runner.harness(name))))
            for result in runner.run(name):
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


def markdown(results: Sequence[Result]) -> str:
    """What works where, as a table of Markdown: the cases that passed by mode and backend, and what did not."""
    found = counts(results)
    backends, modes = (list(dict.fromkeys(key[i] for key in found)) for i in (0, 1))
    rows = [["mode", *backends], ["---"] * (1 + len(backends))]
    rows += [[mode, *(_cell(found.get((backend, mode))) for backend in backends)] for mode in modes]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


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
