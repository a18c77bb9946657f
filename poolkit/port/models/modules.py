"""The Python module that a model file becomes: a function that returns its pooling layers, written for the target."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import poolkit
from poolkit.dialects.calls import Call, Name, text
from poolkit.port.models.layers import made_of
from poolkit.port.models.naming import clean, import_of, in_order, names_in, short, shown
from poolkit.port.report import Row
from poolkit.port.target import Target
from poolkit.running import registry
from poolkit.spec.values import is_many

WIDTH = 88  # what fits here, ruff and black leave as it is at any greater width too

FUNCTION = "Callable[[Any], Any]"
IMPORTS_OF_FUNCTION = ("from collections.abc import Callable", "from typing import Any")

TEMPLATE = '''"""{doc}
"""

{imports}


def layers() -> dict[str, {kind}]:
    """Make a layer for each pooling layer of the model, under its name there."""
    return {{{entries}}}


if __name__ == "__main__":
    for name, layer in layers().items():
        print(f"{{name}}: {{layer}}")
'''


def module_of(rows: Sequence[Row], backend: str, target_for: Callable[[Any], Target], file: str, command: str) -> str:
    """The source of a module whose `layers()` returns the ported layers by name."""
    targets = {row.where: target_for(row.spec) for row in rows if row.after and row.spec is not None}
    made = [made_of(row, targets[row.where]) for row in rows if row.where in targets]
    layer = registry.row(backend).layer
    kind = Name(layer) if layer else None
    names = [name for call in made for name in names_in(call)]
    imports = {import_of(name) for name in names}
    imports |= {import_of(kind.dotted)} if kind is not None else set(IMPORTS_OF_FUNCTION)
    entries = [line for row in rows for line in _entry(row, targets.get(row.where))]
    return TEMPLATE.format(
        doc=_doc(backend, list(targets.values()), _quiet(file), _quiet(command)),
        imports=in_order(imports),
        kind=text(kind, short) if kind else FUNCTION,
        entries="".join(f"\n        {line}" for line in entries) + ("\n    " if entries else ""),
    )


def _doc(backend: str, targets: list[Target], file: str, command: str) -> str:
    layouts = ", ".join(sorted({target.spec.layout for target in targets})) or "none"
    made = f"Made by `{command}` with poolkit {poolkit.__version__}, from what the file says of its layers. "
    taken = f"The layouts of the tensors that these layers take: {layouts}."
    head = textwrap.fill(f"The pooling layers of {file} for {registry.row(backend).title}.", WIDTH - 3)
    return f"{head}\n\n{textwrap.fill(made + taken, WIDTH)}"


def _quiet(given: str) -> str:
    """Text that may stand in a docstring."""
    return shown(given).replace("\\", "/").replace('"', "'")


def _entry(row: Row, target: Target | None) -> Iterator[str]:
    if row.status == "left":
        return
    if target is None:
        yield from _comment(f"not ported: {shown(row.where)}, {row.before}: {row.note}")
        return
    yield f"# {target.spec}"
    yield from _comment(row.note)
    yield from broken(made_of(row, target), f"{_key(row.where)}: ", 8)


def _key(name: str) -> str:
    """A name as a string of Python, whatever is in it."""
    plain = name.isprintable() and "\\" not in name and '"' not in name
    return f'"{name}"' if plain else repr(name)


def _comment(note: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(clean(note), WIDTH - 10)]


# ------------------------------------------------------------------------------------------------------ long calls


def broken(value: Any, before: str, indent: int) -> Iterator[str]:
    """A value as source with a comma, one argument a line where it is too long; lines lack the indent of the first."""
    flat = f"{before}{text(value, short)},"
    parts = _parts(value)
    if indent + len(flat) <= WIDTH or not parts:
        yield flat
        return
    opened, closed = ("[", "]") if isinstance(value, list) else ("(", ")")
    yield f"{before}{short(value.name) if isinstance(value, Call) else ''}{opened}"
    for name, part in parts:
        yield from (f"    {line}" for line in broken(part, name, indent + 4))
    yield f"{closed},"


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Call):
        return [("", part) for part in value.args] + [(f"{name}=", part) for name, part in value.kwargs]
    return [("", part) for part in value] if is_many(value) else []
