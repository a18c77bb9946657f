"""The command `poolkit bench`."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

import poolkit as pk
from poolkit.cli.options import JSON, shape_of
from poolkit.spec.operation import Operation
from poolkit.tools.bench import Timing
from poolkit.tools.bench import bench as timings_of


@click.command()
@click.argument("spec")
@click.argument("shape", callback=shape_of)
@click.option("--backend", "names", multiple=True, help="Only these; otherwise every framework that is installed.")
@click.option("--turns", default=15, show_default=True, help="Turns in which all routes are timed once.")
@JSON
def bench(spec: str, shape: tuple[int, ...], names: tuple[str, ...], turns: int, as_json: bool) -> None:
    """Time every route that each framework has for SPEC on an input of SHAPE."""
    parsed = Operation.parse(spec)
    rows = [row for name in names or pk.backends() for row in timings_of(parsed, name, shape, turns=turns)]
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        Console().print(table_of(rows))


def table_of(rows: list[Timing]) -> Table:
    table = Table("backend", "route", "microseconds", "own call / route")
    for row in rows:
        name = f"{row.route} (the framework's own call)" if row.native else row.route
        name += ", with gradient" if row.gradient else ""
        table.add_row(row.backend, name, f"{row.microseconds:.1f}", "" if row.ratio is None else f"{row.ratio:.2f}")
    return table
