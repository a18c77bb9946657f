"""The commands `poolkit tune`, and `poolkit tuned`, which shows and clears what it has kept."""

from __future__ import annotations

import json

import click
from rich.console import Console

import poolkit as pk
from poolkit.cli.bench import table_of
from poolkit.cli.options import JSON, shape_of
from poolkit.errors import escaped
from poolkit.running import tuned as kept
from poolkit.spec.operation import Operation


@click.command()
@click.argument("spec")
@click.argument("shape", callback=shape_of)
@click.option("--backend", "names", multiple=True, help="Only these; otherwise every framework that is installed.")
@click.option("--turns", default=15, show_default=True, help="Turns in which all routes are timed once.")
@JSON
def tune(spec: str, shape: tuple[int, ...], names: tuple[str, ...], turns: int, as_json: bool) -> None:
    """Time every route for SPEC on an input of SHAPE, and keep the fastest for `pool`."""
    parsed = Operation.parse(spec)
    rows = [row for name in names or pk.backends() for row in pk.tune(parsed, name, shape, turns=turns)]
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        Console().print(table_of(rows))
        click.echo(f"kept in {escaped(kept.place())}")


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
