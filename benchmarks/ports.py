"""python -m benchmarks.ports: what `poolkit port` makes of real files, kept to be held against a later commit.

    python -m benchmarks.ports record before.json FOLDER...
    python -m benchmarks.ports compare before.json after.json

`record` ports every Python file below the folders that names a pool, to each framework, and keeps a digest of the
ported text and of the rows. `compare` prints the files in which a port differs, and ends with 1 where there is one. A
change that promises to leave the porter's behaviour alone shows that this way.
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

from poolkit.errors import PoolkitError
from poolkit.port.files import port_file

TARGETS = ("torch", "keras", "jax")
POOLS = re.compile(r"pool|reduce_mean|reduce_max|reduce_window", re.IGNORECASE)


def sources(folders: list[Path], most: int) -> Iterator[tuple[str, Path]]:
    """Files that name a pool, in an order that does not depend on the machine; `most` spread evenly over all."""
    found = sorted((str(path.relative_to(folder.parent)), path) for folder in folders for path in folder.rglob("*.py"))
    named = [entry for entry in found if POOLS.search(entry[1].read_text("utf-8", "replace"))]
    step = max(len(named) // most, 1)
    yield from named[::step][:most]


def ported(path: Path, to: str) -> dict[str, object]:
    """What a port is: a digest of its text and rows, and how many rows have which status."""
    try:
        result = port_file(path, to)
    except PoolkitError as error:
        return {"refused": f"{type(error).__name__}: {error}".replace(str(path), path.name)}
    except Exception as error:  # a crash is a result here: it is what is counted
        return {"crashed": type(error).__name__}
    rows = json.dumps([row.to_dict() for row in result.rows], sort_keys=True)
    digest = hashlib.sha256(f"{result.text}\0{rows}".encode("utf-8", "replace")).hexdigest()[:16]
    return {"digest": digest, "rows": dict(sorted(Counter(row.status for row in result.rows).items()))}


def record(out: Path, folders: list[Path], most: int) -> None:
    made = {name: {to: ported(path, to) for to in TARGETS} for name, path in sources(folders, most)}
    out.write_text(json.dumps(made, indent=1))
    print(f"{len(made)} files, {len(made) * len(TARGETS)} ports")


def compare(before: Path, after: Path) -> int:
    old, new = (json.loads(path.read_text()) for path in (before, after))
    differing = [f"{name} --to {to}" for name in old for to in TARGETS if old[name][to] != new.get(name, {}).get(to)]
    print(*differing, f"{len(differing)} of {len(old) * len(TARGETS)} ports differ", sep="\n")
    return 1 if differing else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ports", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("out", type=Path)
    recording.add_argument("folders", type=Path, nargs="+")
    recording.add_argument("--most", type=int, default=200)
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    options = parser.parse_args(arguments)
    if options.command == "compare":
        return compare(options.before, options.after)
    record(options.out, options.folders, options.most)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
