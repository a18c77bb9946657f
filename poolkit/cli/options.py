"""Options that several commands share."""

from __future__ import annotations

import click

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")


def shape_of(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """A shape from text, as a callback of click."""
    if text is None:
        return None
    try:
        return tuple(int(n) for n in text.split(","))
    except ValueError:
        raise click.BadParameter(f"received {text!r}, and a shape is ints with commas, such as 2,32,32,256") from None
