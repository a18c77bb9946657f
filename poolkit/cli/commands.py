"""The commands of `poolkit`, as click commands. Output is for people first, and `--json` for programs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

import poolkit as pk
from poolkit.cli.bench import bench, tune, tuned
from poolkit.cli.diff import diff
from poolkit.cli.options import JSON, NAMES, WITH, described_in, shape_of
from poolkit.cli.port import port
from poolkit.errors import escaped
from poolkit.running import registry
from poolkit.spec.messages import shown
from poolkit.spec.operation import Operation
from poolkit.tools import demo as demonstration
from poolkit.tools import skeleton

BACKENDS = ", ".join(row.name for row in registry.FIRST_PARTY)


class _Errors(click.Group):
    """Shows an error of poolkit's as a line and exits with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except pk.PoolkitError as error:
            click.echo(escaped(f"{type(error).__name__}: {error}"), err=True)
            ctx.exit(2)


@click.group(cls=_Errors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(pk.__version__)
def poolkit() -> None:
    """One pooling spec, the same numbers in PyTorch, Keras, TensorFlow, JAX and NumPy."""


@poolkit.command()
@click.option("--spec", default=demonstration.SPEC, show_default=True, help="The spec; its layout must be NHWC.")
@NAMES
@click.option("--save", type=click.Path(path_type=Path), default=Path("poolkit_demo.png"), show_default=True)
@JSON
def demo(spec: str, names: tuple[str, ...], save: Path, as_json: bool) -> None:
    """Pool a photograph with every installed framework and compare their results."""
    _writable(save)
    report = demonstration.run(
        Operation.parse(spec),
        names or tuple(pk.backends()),
        lambda name: None if as_json else click.echo(f"running {name} …", err=True),
    )
    demonstration.save_picture(report, save)
    if as_json:
        click.echo(json.dumps(report.to_dict() | {"picture": str(save)}, indent=2))
    else:
        _show_demo(report, save)
    if not report.agrees:
        sys.exit(1)


def _show_demo(report: demonstration.Report, save: Path) -> None:
    console = Console()
    console.print(f"[bold]{report.spec}[/bold]\non a photograph of shape {report.shape} -> {report.pooled.shape}\n")
    for name, program in report.programs.items():
        console.rule(f"the calls on {name}")
        console.print(Syntax(program.source, "python", word_wrap=True))
    table = Table("backend", "largest difference from the definition in float64", "in units of eps")
    for name, difference in report.differences.items():
        table.add_row(name, f"{difference:.2e}", f"{difference / 2**-23:.2f}")
    console.print(table)
    verdict = "all agree" if report.agrees else "they do not agree"
    console.print(f"largest difference between any two: {report.largest:.2e}: {verdict}, to {report.bound:.1e}")
    console.print(f"the picture before and after: {save}", soft_wrap=True)


@poolkit.command()
@click.argument("spec")
@click.option("--backend", required=True, help=f"{BACKENDS}, or one from outside.")
@click.option("--shape", callback=shape_of, help="Specialise to a shape, such as 2,32,32,256.")
@click.option("--dtype", default="float32", show_default=True)
@click.option("--route", help="A route by name, or native for the framework's own pooling call.")
@WITH
@JSON
def lower(
    spec: str,
    backend: str,
    shape: tuple[int, ...] | None,
    dtype: str,
    route: str | None,
    tensors: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print the framework calls that SPEC becomes, as Python source that runs by itself."""
    parsed = Operation.parse(spec)
    given = described_in(tensors, parsed)
    program = pk.lower(parsed, backend, shape, dtype=dtype, route=route, tensors=given)
    if as_json:
        click.echo(json.dumps({"backend": backend, "route": program.route, "source": program.source}, indent=2))
    else:
        click.echo(program.source, nl=False)


@poolkit.command()
@click.argument("spec")
@click.argument("shape", callback=shape_of)
@WITH
@JSON
def explain(spec: str, shape: tuple[int, ...], tensors: tuple[str, ...], as_json: bool) -> None:
    """Say what SPEC pools on an input of SHAPE: output shape, windows and divisors; with --json what it costs, too."""
    parsed = Operation.parse(spec)
    given = described_in(tensors, parsed)
    text = parsed.explain(shape, given)
    if as_json:
        facts = {
            "spec": parsed.to_dict(),
            "output_shape": parsed.output_shape(shape),
            "cost": parsed.cost(shape, given)._asdict(),
        }
        click.echo(json.dumps(facts | {"text": text}, indent=2))
    else:
        click.echo(text)


@poolkit.command()
@JSON
def backends(as_json: bool) -> None:
    """List the known backends and whether their framework is installed."""
    rows = registry.facts()
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    table = Table("backend", "framework", "install")
    for row in rows:
        table.add_row(row.name, row.version or "not installed", "" if row.version else row.install)
    Console().print(table)


@poolkit.command()
@NAMES
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Write the results: FILE.html a page, FILE.md its table or a new one.",
)
@click.option("--full", is_flag=True, help="Every case in every mode, which takes hours, and not those of CI alone.")
@JSON
def conformance(names: tuple[str, ...], report: Path | None, full: bool, as_json: bool) -> None:
    """Run the conformance suite: every mode that a backend has, the slow ones on the cases that CI runs."""
    from poolkit.tools import conformance_report

    if report is not None:
        _writable(report)  # the suite runs for minutes before anything is written
    chosen = names or tuple(pk.backends())
    for name in chosen:
        registry.adapter(name)  # an absent framework is an error with the command that installs it
    results = conformance_report.run(chosen, quiet=as_json, full=full)
    if as_json:
        click.echo(json.dumps(conformance_report.summary(results), indent=2))
    else:
        conformance_report.show(results)
    if report is not None:
        report.write_text(conformance_report.written(report, results, chosen))
    sys.exit(any(result.status == "failed" for result in results))


@poolkit.command()
@click.argument("name")
@click.option("--package", help="The module that holds it; otherwise poolkit_NAME.")
@click.option("--framework", help="First name of the modules that define its tensors; otherwise NAME.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="Where to write; otherwise here.")
def new_backend(name: str, package: str | None, framework: str | None, folder: Path) -> None:
    """Write the skeleton of a package that adds the backend NAME, with a test that runs the conformance suite."""
    for path in skeleton.write(folder, name, package, framework):
        click.echo(escaped(str(path)))


def _writable(path: Path) -> None:
    """An error of the command line where a file can't be written."""
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        do = "give a file in a folder that is there and can be written to"
        raise click.BadParameter(f"received {shown(str(path))}, and nothing can be written there; {do}")


for _command in (bench, diff, port, tune, tuned):
    poolkit.add_command(_command)
