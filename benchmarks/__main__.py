"""python -m benchmarks grid: poolkit beside the call that each framework documents, the Keras layer, einops and a copy.

With `--mode exported`, `exported-any` or `traced` it and `kinds` are of graphs of PyTorch, and count their nodes.
`growth` is what a window of 63 costs against a smaller one, `kinds` what users write by hand against poolkit,
`overhead` what a call adds on PyTorch, `memory` the most that tensors take there at a time. Each goes into results.json
row by row, which `table` prints and `plot` (which needs the extra `benchmarks`) draws. `porting` counts what `poolkit
port` makes of real files, and has options of its own.
Each framework is measured in a process of its own, with one thread, so that no two of them fight for a core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console

from benchmarks.frameworks import FRAMEWORKS
from benchmarks.grid import CLOCKS, grid, growth
from benchmarks.kept import alike, machine, merged, write
from benchmarks.kinds import kinds
from benchmarks.memory import memory
from benchmarks.overhead import overhead
from benchmarks.porting import main as porting
from benchmarks.report import Results, Row, mean_markdown, plots, tables
from benchmarks.sites import LAYOUTS

PARTS = {"grid": grid, "growth": growth, "kinds": kinds, "memory": memory, "overhead": overhead}


def environment(threads: int) -> dict[str, str]:
    """So many threads; and memory that was freed is kept, since fresh pages cost more than any pooling."""
    return os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false" if threads == 1 else "",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(2**40),
    }


def measured_here(name: str, options: argparse.Namespace) -> None:
    """A line of JSON on stdout for each row of one framework, as soon as it is measured; and one on stderr to read."""
    for row in islice(PARTS[options.part](name, options), options.skip, None):
        print(json.dumps(row), flush=True)
        told = {k: {n: round(t["ratio"], 2) for n, t in v.items()} if k == "times" else v for k, v in row.items()}
        print(*told.values(), file=sys.stderr, flush=True)


def measured_apart(name: str, options: argparse.Namespace, words: list[str]) -> Iterator[Row]:
    """The same from a new process, whose environment the framework reads before it starts its threads.

    Where that process dies, as XLA's compiler may end one, another one goes on behind the cell that it died of.
    """
    done, died = 0, 0
    while died < 2:  # two that give no row in between: it is no single cell
        command = [sys.executable, "-m", "benchmarks", *words, "--child", name, "--skip", str(done)]
        around = environment(options.threads) | {"KERAS_BACKEND": name}
        with subprocess.Popen(command, env=around, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                yield json.loads(line)
                done, died = done + 1, 0
        if child.returncode == 0:
            return
        print(f"measuring {name} ended at cell {done + 1}, for the reason above", file=sys.stderr)
        done, died = done + 1, died + 1
        options.failed.append(name)


def arguments_of(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "table", "plot"])
    parser.add_argument(
        "--quick", action="store_true", help="batch 1, few turns, nothing that takes seconds to compile"
    )
    parser.add_argument("--check", action="store_true", help="hold the results against each other, and time nothing")
    parser.add_argument("--backend", nargs="+", choices=FRAMEWORKS, default=["torch", "tensorflow", "jax"])
    parser.add_argument("--site", nargs="+", default=[""], help="only sites whose name holds one of these texts")
    parser.add_argument("--layout", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument(
        "--mode",
        nargs="+",
        help="only these modes: eager, compiled, function, jit; or those of graphs, exported, exported-any, traced",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: of this process alone, for a machine that others use too"
    )
    parser.add_argument("--turns", type=int, help="turns of each comparison (15, quick 5)")
    parser.add_argument("--seconds", type=float, help="length of a turn of one call (0.01, quick 0.003)")
    parser.add_argument("--markdown", action="store_true", help="`table` as docs/performance.md has it")
    parser.add_argument(
        "--results", type=Path, default=Path("benchmarks/results"), help="folder (default: %(default)s)"
    )
    parser.add_argument("--channels", type=int, help="so many at most, for a check")
    parser.add_argument("--child", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    parser.add_argument("--skip", type=int, default=0, help=argparse.SUPPRESS)  # cells that are measured already
    parser.set_defaults(failed=[])
    options = parser.parse_args(words)
    options.turns = options.turns or (5 if options.quick else 15)
    options.seconds = options.seconds or (0.003 if options.quick else 0.01)
    return options


def main(words: list[str]) -> None:
    if words[:1] == ["porting"]:  # of files, and no measuring of time
        sys.exit(porting(words[1:]))
    options = arguments_of(words)
    if options.child:
        measured_here(options.child, options)
        return
    file = options.results / "results.json"
    if options.part == "plot":
        print(*plots(json.loads(file.read_text()), options.results), sep="\n")
    elif options.part == "table":
        shown(json.loads(file.read_text()), markdown=options.markdown)
    else:
        measure(file, options, words)
        if options.failed:
            sys.exit(f"not all was measured: {', '.join(options.failed)}")


def measure(file: Path, options: argparse.Namespace, words: list[str]) -> None:
    """Every row is kept as soon as it is there, beside what the file holds of this machine."""
    here = machine()
    kept: Results = json.loads(file.read_text()) if file.exists() else {"machine": here}
    if not options.check and not alike(kept, here):
        sys.exit(f"{file} was measured on another machine or with other versions: give a folder by --results")
    results: Results = kept | {"machine": here}
    rows: list[Row] = []
    before = results.get(options.part, [])
    for row in (row for name in options.backend for row in measured_apart(name, options, words)):
        rows.append({"threads": options.threads, "clock": options.clock} | row)
        if not options.check:
            results[options.part] = merged(before, rows)
            write(file, results)
    if options.check:
        print(f"{len(rows)} cells give the numbers of the documented calls")
    else:
        shown({"machine": here, options.part: rows})


def shown(results: Results, *, markdown: bool = False) -> None:
    if markdown:
        print(mean_markdown(results))
        return
    console = Console()
    # A file or a pipe has no width of its own, and a cell that is cut says nothing.
    console.width = max(console.width, 130)
    for table in tables(results):
        console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
