"""`poolkit diff`: what two poolings do differently."""

from __future__ import annotations

import json
import sys

import click

from poolkit.cli.options import JSON, shape_of
from poolkit.diffs.diff import diff as difference_of


def _layout(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str | None, str | None]:
    first, comma, second = (text or "").partition(",")
    return (first or None, (second if comma else first) or None)


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--shape", callback=shape_of, help="The shape of an input of A, such as 2,64,32,32.")
@click.option("--layout", callback=_layout, help="The layout of source whose axes have no names: NHWC, or NHWC,NCHW.")
@JSON
def diff(a: str, b: str, shape: tuple[int, ...] | None, layout: tuple[str | None, str | None], as_json: bool) -> None:
    """Say what A and B pool differently, and at which sizes they agree.

    Each is a line of source such as "nn.AvgPool2d(3, 2)", a spec's text such as "max window=3 layout=NHWC", or an
    einops pattern with its reduction such as "b h w c -> b 1 1 c, mean". The exit code is 0 where they are equal at
    every size, and 1 where they are not.
    """
    found = difference_of(a, b, shape, layout=layout)
    click.echo(json.dumps(found.to_dict(), indent=2) if as_json else str(found))
    if not found.equal:
        sys.exit(1)
