"""python -m benchmarks grid: poolkit beside the call that each framework documents, the Keras layer, einops and a copy.

`growth` is what a window of 63 costs against one of 3, `overhead` what a call adds on PyTorch. Each goes into
results.json, which `table` prints and `plot` (which needs matplotlib) draws. `porting` counts what `poolkit port` makes
of real files, and has options of its own. Each framework is measured in a process of
its own, with one thread, so that no two of them fight for a core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.frameworks import FRAMEWORKS
from benchmarks.grid import CLOCKS, grid, growth
from benchmarks.overhead import overhead
from benchmarks.porting import main as porting
from benchmarks.report import Row, machine, plots, tables
from benchmarks.sites import LAYOUTS

RESULTS = Path(__file__).parent / "results"
PARTS = {"grid": grid, "growth": growth, "overhead": overhead}


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


def measured_here(name: str, options: argparse.Namespace) -> list[Row]:
    """The rows of one framework, told line by line on stderr while it goes on."""
    rows: list[Row] = []
    for row in PARTS[options.part](name, options):
        rows.append(row)
        told = {k: {n: round(t["ratio"], 2) for n, t in v.items()} if k == "times" else v for k, v in row.items()}
        print(*told.values(), file=sys.stderr, flush=True)
    return rows


def measured_apart(name: str, options: argparse.Namespace, words: list[str]) -> list[Row]:
    """The same in a new process, whose environment the framework reads before it starts its threads."""
    command = [sys.executable, "-m", "benchmarks", *words, "--child", name]
    around = environment(options.threads) | {"KERAS_BACKEND": name}
    done = subprocess.run(command, env=around, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"measuring {name} failed, for the reason above")
    rows: list[Row] = json.loads(done.stdout)
    return rows


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
    parser.add_argument("--mode", nargs="+", help="only these modes: eager, compiled, function, jit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: of this process alone, for a machine that others use too"
    )
    parser.add_argument("--turns", type=int, help="turns of each comparison (15, quick 5)")
    parser.add_argument("--seconds", type=float, help="length of a turn of one call (0.01, quick 0.003)")
    parser.add_argument(
        "--results", type=Path, default=Path("benchmarks/results"), help="folder (default: %(default)s)"
    )
    parser.add_argument("--channels", type=int, help="so many at most, for a check")
    parser.add_argument("--child", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.turns = options.turns or (5 if options.quick else 15)
    options.seconds = options.seconds or (0.003 if options.quick else 0.01)
    return options


def main(words: list[str]) -> None:
    if words[:1] == ["porting"]:  # of files, and no measuring of time
        sys.exit(porting(words[1:]))
    options = arguments_of(words)
    if options.child:
        print(json.dumps(measured_here(options.child, options)))
        return
    file = options.results / "results.json"
    if options.part in ("table", "plot"):
        results = json.loads(file.read_text())
        if options.part == "plot":
            print(*plots(results, options.results), sep="\n")
            return
    else:
        rows = [row for name in options.backend for row in measured_apart(name, options, words)]
        results = {"machine": machine() | {"threads": options.threads, "clock": options.clock}, options.part: rows}
        if options.check:
            print(f"{len(rows)} cells give the numbers of the documented calls")
            return
        kept = json.loads(file.read_text()) if file.exists() else {}
        options.results.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(kept | results, indent=1) + "\n")
    console = Console()
    # A file or a pipe has no width of its own, and a cell that is cut says nothing.
    console.width = max(console.width, 130)
    for table in tables(results):
        console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
