"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence

import click

from poolkit.spec.operation import Operation

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")

NAMES = click.option(
    "--backend", "names", multiple=True, help="Only these; otherwise every framework that is installed."
)

WITH = click.option(
    "--with",
    "tensors",
    multiple=True,
    help="A tensor besides the input: mask, key, or weight=NHWC where it has channels, or mask=NHW:float32.",
)


def described_in(tensors: Sequence[str], spec: Operation) -> dict[str, str | tuple[str, str]]:
    """Tensors besides the input as `poolkit.lower` takes them; those without axes have none for channels.

    >>> from poolkit import GlobalAvgPool
    >>> described_in(["mask", "weight=NLC:float16"], GlobalAvgPool(layout="NLC", keepdims=False))
    {'mask': 'NL', 'weight': ('NLC', 'float16')}
    """
    found: dict[str, str | tuple[str, str]] = {}
    for text in tensors:
        name, _, rest = text.partition("=")
        axes, _, dtype = rest.partition(":")
        axes = axes or spec.axes_of(name, spec.letters)[0]
        found[name] = (axes, dtype) if dtype else axes
    return found


def shape_of(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """A shape from text, as a callback of click."""
    if text is None:
        return None
    try:
        return tuple(int(n) for n in text.split(","))
    except ValueError:
        raise click.BadParameter(f"received {text!r}, and a shape is ints with commas, such as 2,32,32,256") from None
