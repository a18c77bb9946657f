"""python -m benchmarks porting: what `poolkit port` makes of real files, held against a count that is not its own.

    python -m benchmarks porting FOLDER... --to torch keras jax --json now.json --against before.json

Every Python file below the folders that names a pool is ported to each framework, without being run. The table says by
repository and by framework how many places `benchmarks.counting` finds spelled like a pool, and how many of them have a
row, were ported, refused, defined elsewhere (wrappers, other libraries) or left, or have no row (silent); which share
was ported of all that were ported or refused, and of the calls among them, since a class that is named alone, as in
isinstance(m, nn.MaxPool2d), may have none that stands for it in the target; then files that made the porter fail
(crashed), that it would not read, whose port does not compile, and the names that a port uses and nothing defines. A
call that is the target's own already is not counted. The result is kept with `--json`; with `--against` a kept one, the
files whose port differs are printed, and the exit code is 1 where there is one: a change that promises to leave ports
alone shows it so. Files of the frameworks themselves, which make what others call, are in a group beside those that
only call it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.counting import Counted, counted, framework, parsed, undefined
from poolkit.errors import PoolkitError
from poolkit.port.files import port_file
from poolkit.port.report import Ported, Row

TARGETS = ("torch", "keras", "jax")
POOLS = re.compile(r"pool|reduce_mean|reduce_max|reduce_window", re.IGNORECASE)
OUTCOMES = {"exact": "ported", "caveat": "ported", "failed": "refused", "left": "left"}
ELSEWHERE = "port the file that defines it"  # of wrappers and libraries, whose own file is the one to port
FRAMEWORKS = {"torch", "jax", "keras", "tensorflow", "flax", "haiku", "equinox", "objax", "trax"}
COLUMNS = (
    "files",
    "calls",
    "found",
    "ported",
    "refused",
    "share",
    "of calls",
    "elsewhere",
    "left",
    "silent",
    "crashed",
    "unread",
    "broken",
    "undefined",
)

Made = dict[str, Any]


def sources(folders: list[Path], most: int | None) -> Iterator[tuple[str, Path]]:
    """Files that name a pool, in an order that does not depend on the machine; `most` spread evenly over all."""
    found = sorted((str(path.relative_to(folder.parent)), path) for folder in folders for path in folder.rglob("*.py"))
    named = [entry for entry in found if POOLS.search(entry[1].read_text("utf-8", "replace"))]
    step = max(len(named) // (most or len(named) or 1), 1)
    yield from named[::step][:most]


def measured(path: Path, to: str) -> Made:
    """What a port is: the framework that it came from, a digest of its text and rows, and what is counted."""
    made: Made = {"framework": "", "calls": 0}
    try:
        text = path.read_text()
        tree = parsed(text)
        calls = counted(tree)
    except (SyntaxError, ValueError, RecursionError) as error:
        return made | {"unread": str(error)}
    made["framework"] = framework(tree)
    if made["framework"] == to:
        return made | {"own": True}
    made["calls"] = len(calls)
    try:
        result = port_file(path, to)
    except PoolkitError as error:
        return made | {"unread": f"{type(error).__name__}: {error}".replace(str(path), path.name)}
    except Exception as error:  # a crash is a result here: it is what is counted
        return made | {"crashed": f"{type(error).__name__}: {error}"}
    return made | {"digest": digest(result)} | outcomes(calls, result.rows) | whole(text, result.text)


def digest(result: Ported) -> str:
    rows = json.dumps([row.to_dict() for row in result.rows], sort_keys=True)
    return hashlib.sha256(f"{result.text}\0{rows}".encode("utf-8", "replace")).hexdigest()[:16]


def outcomes(calls: list[Counted], rows: tuple[Row, ...]) -> Made:
    """What came of each call, by the row that stands on its line and holds its word; a row is used once."""
    left = list(rows)
    made: Made = {"told": [], "silent": []}
    for call in calls:
        fitting = (
            row for row in left if int(row.where.removeprefix("line ")) in call.lines and call.word in row.before
        )
        row = next(fitting, None)
        if row is None:
            made["silent"].append(f"{call.lines[0]}: {call.word}")
            continue
        left.remove(row)
        outcome = "elsewhere" if ELSEWHERE in row.note else OUTCOMES[row.status]
        note = row.note if row.status != "exact" else ""
        made["told"].append([outcome, call.lines[0], call.word, note, call.called])
    return made


def whole(before: str, after: str) -> Made:
    """Whether a port still compiles, and what it uses that nothing defines."""
    try:
        tree = parsed(after)
        compile(tree, "port", "exec", dont_inherit=True)
    except SyntaxError as error:
        return {"broken": str(error)}
    return {"undefined": sorted(undefined(tree) - undefined(parsed(before)))}


def figures(made: Made) -> Counter[str]:
    """One port as numbers."""
    told = Counter(entry[0] for entry in made.get("told", ()))
    found: Counter[str] = Counter({"files": 1, "calls": made["calls"], "found": sum(told.values())}) + told
    found.update(f"{outcome} calls" for outcome, *_, called in made.get("told", ()) if called)
    found["silent"], found["undefined"] = len(made.get("silent", ())), len(made.get("undefined", ()))
    found.update({name: 1 for name in ("crashed", "unread", "broken") if name in made})
    return found


def table(kept: dict[str, dict[str, Made]], to: str) -> Table:
    """By repository, then by the framework of the file; `other` are those that poolkit does not read."""
    rows: dict[str, Counter[str]] = {}
    for name, ports in kept.items():
        made = ports[to]
        if not made.get("own"):
            source = f"from {made['framework'] or 'no framework'}"
            for group in (
                name.partition("/")[0],
                source,
                f"{source}, {'its own' if is_own(name) else 'others'}",
                "all",
            ):
                rows.setdefault(group, Counter()).update(figures(made))
    shown = Table(f"--to {to}", *COLUMNS)
    for group in sorted(rows, key=lambda group: (group == "all", group.startswith("from "), group)):
        row = rows[group]
        shares = {"share": share(row, ""), "of calls": share(row, " calls")}
        shown.add_row(group, *(shares.get(column, str(row[column])) for column in COLUMNS))
    return shown


def share(row: Counter[str], of: str) -> str:
    """Of what was ported or refused, how much was ported."""
    ported, refused = row[f"ported{of}"], row[f"refused{of}"]
    return f"{100 * ported / (ported + refused):.1f} %" if ported + refused else ""


def is_own(name: str) -> bool:
    """Whether a file is one of a framework itself, its examples and whole networks apart.

    >>> [is_own(name) for name in ("dm-haiku/haiku/_src/pool.py", "keras/src/applications/vgg16.py")]
    [True, False]
    """
    parts = name.split("/")
    return not FRAMEWORKS.isdisjoint(parts[:2]) and {"examples", "applications"}.isdisjoint(parts)


def differing(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The ports of files that are in both results, and that are not the same."""
    return [
        f"{name} --to {to}"
        for name in old
        for to in old[name]
        if name in new and to in new[name] and old[name][to] != new[name][to]
    ]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks porting", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--to", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--most", type=int, help="so many files, spread evenly over all")
    parser.add_argument("--json", type=Path, help="keep the result here")
    parser.add_argument("--against", type=Path, help="a kept result to hold this one against")
    options = parser.parse_args(arguments)
    kept = {
        name: {to: measured(path, to) for to in options.to} for name, path in sources(options.folders, options.most)
    }
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    console = Console()
    console.width = max(console.width, 150)
    for to in options.to:
        console.print(table(kept, to))
    if options.against is None:
        return 0
    found = differing(json.loads(options.against.read_text()), kept)
    print(*found, f"{len(found)} of {len(kept) * len(options.to)} ports differ", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
