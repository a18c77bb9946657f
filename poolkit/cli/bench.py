"""The commands that time routes: `poolkit bench`, `poolkit tune`, and `poolkit tuned` for what that has kept."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
from rich.console import Console
from rich.table import Table

import poolkit as pk
from poolkit.cli.options import JSON, NAMES, shape_of
from poolkit.errors import escaped
from poolkit.running import tuned as kept
from poolkit.spec.operation import Operation
from poolkit.tools.bench import Timing
from poolkit.tools.bench import bench as timings_of

TURNS = click.option("--turns", default=15, show_default=True, help="Turns in which all routes are timed once.")


@click.command()
@click.argument("spec")
@click.argument("shape", callback=shape_of)
@NAMES
@TURNS
@JSON
def bench(spec: str, shape: tuple[int, ...], names: tuple[str, ...], turns: int, as_json: bool) -> None:
    """Time every route that each framework has for SPEC on an input of SHAPE."""
    _timed(timings_of, spec, shape, names, turns, as_json)


@click.command()
@click.argument("spec")
@click.argument("shape", callback=shape_of)
@NAMES
@TURNS
@JSON
def tune(spec: str, shape: tuple[int, ...], names: tuple[str, ...], turns: int, as_json: bool) -> None:
    """Time every route for SPEC on an input of SHAPE, and keep the fastest for `pool`."""
    _timed(pk.tune, spec, shape, names, turns, as_json)
    if not as_json:
        click.echo(f"kept in {escaped(kept.place())}")


def _timed(
    by: Callable[..., list[Timing]],
    spec: str,
    shape: tuple[int, ...],
    names: tuple[str, ...],
    turns: int,
    as_json: bool,
) -> None:
    parsed = Operation.parse(spec)
    rows = [row for name in names or pk.backends() for row in by(parsed, name, shape, turns=turns)]
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    table = Table("backend", "route", "microseconds", "own call / route")
    for row in rows:
        name = f"{row.route} (the framework's own call)" if row.native else row.route
        name += ", with gradient" if row.gradient else ""
        table.add_row(row.backend, name, f"{row.microseconds:.1f}", "" if row.ratio is None else f"{row.ratio:.2f}")
    Console().print(table)


@click.command()
@click.option("--clear", is_flag=True, help="Forget them all.")
@JSON
def tuned(clear: bool, as_json: bool) -> None:
    """Show the routes that `poolkit tune` has kept, and where."""
    if clear:
        click.echo(f"{kept.clear()} forgotten, of {escaped(kept.place())}")
        return
    winners = kept.read(kept.place())
    if as_json:
        click.echo(json.dumps({"file": kept.place(), "winners": winners}, indent=2))
        return
    click.echo(f"{len(winners)} in {escaped(kept.place())}")
    for what, route in winners.items():
        click.echo(escaped(f"{what}: {route}"))
