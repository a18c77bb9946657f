"""python -m benchmarks: poolkit beside the call that each framework documents.

Each framework is measured in a process of its own, with one thread, so that no two of them fight for a core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import poolkit as pk
from benchmarks.native import FRAMEWORKS, Framework, Function, framework
from benchmarks.sites import LAYOUTS, SITES, SMALL, Site
from poolkit.measure import compare, overheads

Row = dict[str, Any]

LEAST = 0.9  # a ratio below this is shown in red

# One thread for each framework; and memory that was freed is kept, since fresh pages cost more than any pooling.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
}


# ------------------------------------------------------------------------------------ in the process of one framework


def sites_of(name: str, options: argparse.Namespace) -> Iterator[Row]:
    """A row for every site, layout, batch size and mode, without a gradient and with it."""
    f = framework(name)
    wanted = [site for site in SITES if options.site.lower() in site.name.lower()]
    for site in wanted:
        for layout in options.layout:
            for batch in options.batch:
                for mode in f.modes:
                    for train in (False, True) if f.gradients else (False,):
                        yield {
                            "backend": name,
                            "site": site.name,
                            "layout": layout,
                            "batch": batch,
                            "mode": mode,
                            "gradient": train,
                            **compared(f, site, layout, batch, mode, train, options),
                        }


def compared(
    f: Framework, site: Site, layout: str, batch: int, mode: str, train: bool, options: argparse.Namespace
) -> Row:
    # A uniform map is not negative, as after a ReLU.
    array = np.random.default_rng(0).random(site.shape(layout, batch), dtype=np.float32)
    x = f.tensor(array, train=train)
    native, ours = f.native(site, layout), f.poolkit(site, layout)
    expected, got = native(x), ours(x)
    np.testing.assert_allclose(numbers(got), numbers(expected), rtol=1e-5, atol=1e-6)
    inputs = (x, f.weights(expected)) if train else (x,)
    if train:
        native, ours = f.with_gradient(native), f.with_gradient(ours)
    native, ours = f.compiled(native, mode), f.compiled(ours, mode)
    result = compare(
        lambda: f.finish(native(*inputs)), lambda: f.finish(ours(*inputs)), turns=options.turns, seconds=options.seconds
    )
    return {"native_us": result.native * 1e6, "poolkit_us": result.poolkit * 1e6, "ratio": result.ratio}


def numbers(y: Any) -> np.ndarray[Any, Any]:
    return np.asarray(y.detach() if hasattr(y, "detach") else y)


def overhead_of_torch(options: argparse.Namespace) -> Iterator[Row]:
    """Microseconds that poolkit adds to a call on PyTorch, for a global average of 1x64x7x7.

    `x.mean` is what the program of poolkit calls there too, so that dispatch alone is left. The layer is held
    against the layer of torch.nn, since either has the cost of a module.
    """
    import torch

    x = torch.rand(SMALL.shape("NCHW", 1))
    spec = SMALL.spec("NCHW")
    layer, module = spec.layer("torch"), torch.nn.AdaptiveAvgPool2d(1)
    calls: dict[str, tuple[Function, dict[str, Function]]] = {
        "pk.pool": (
            lambda x: pk.pool(x, spec),
            {
                "x.mean": lambda x: x.mean((2, 3), keepdim=True),
                "adaptive_avg_pool2d": lambda x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
            },
        ),
        "layer": (layer, {"AdaptiveAvgPool2d": module}),
    }
    for call, (ours, bares) in calls.items():
        for over, bare in bares.items():
            turns = 5 * options.turns
            [seconds] = overheads(partial(bare, x), [partial(ours, x)], turns=turns, seconds=options.seconds)
            yield {"call": call, "over": over, "overhead_us": seconds * 1e6}


def measured_here(name: str, options: argparse.Namespace) -> dict[str, list[Row]]:
    """Everything that is measured of one framework, told line by line on stderr while it goes on."""
    rows = []
    for row in sites_of(name, options):
        rows.append(row)
        told = "{backend} {site} {layout} b{batch} {mode} gradient={gradient}: {ratio:.2f}".format(**row)
        print(told, file=sys.stderr, flush=True)
    return {"sites": rows, "overhead": list(overhead_of_torch(options)) if name == "torch" else []}


# ------------------------------------------------------------------------------------ in the parent process


def measured_apart(name: str, arguments: list[str]) -> dict[str, list[Row]]:
    """The same in a new process, whose environment the framework reads before it starts its threads."""
    command = [sys.executable, "-m", "benchmarks", *arguments, "--child", name]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"measuring {name} failed, for the reason above")
    result: dict[str, list[Row]] = json.loads(done.stdout)
    return result


def site_table(rows: list[Row]) -> Table:
    table = Table(title="native / poolkit: above 1, poolkit is faster")
    for heading in ("backend", "site", "layout", "mode"):
        table.add_column(heading, no_wrap=True)
    batches = sorted({row["batch"] for row in rows})
    for batch in batches:
        table.add_column(f"batch {batch}", justify="right")
        table.add_column("with grad.", justify="right")
    lines: dict[tuple[str, ...], dict[tuple[int, bool], float]] = {}
    for row in rows:
        line = lines.setdefault((row["backend"], row["site"], row["layout"], row["mode"]), {})
        line[row["batch"], row["gradient"]] = row["ratio"]
    for line_of, ratios in lines.items():
        cells = [coloured(ratios.get((batch, gradient))) for batch in batches for gradient in (False, True)]
        table.add_row(*line_of, *cells)
    return table


def coloured(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"[red]{ratio:.2f}[/red]" if ratio < LEAST else f"{ratio:.2f}"


def overhead_table(rows: list[Row]) -> Table:
    table = Table(title=f"PyTorch, {SMALL.what}: microseconds added to a call")
    for heading in ("call", "over"):
        table.add_column(heading)
    table.add_column("added", justify="right")
    for row in rows:
        table.add_row(row["call"], row["over"], f"{row['overhead_us']:.2f}")
    return table


def arguments_of(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--backend", nargs="+", choices=FRAMEWORKS, default=list(FRAMEWORKS))
    parser.add_argument("--site", default="", help="only sites whose name holds this text, as in: --site stem")
    parser.add_argument("--layout", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--turns", type=int, default=15, help="turns of each comparison (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.01, help="length of a turn (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    parser.add_argument("--child", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    options = arguments_of(words)
    if options.child:
        print(json.dumps(measured_here(options.child, options)))
        return
    parts = [measured_apart(name, words) for name in options.backend]
    sites = [row for part in parts for row in part["sites"]]
    overhead = [row for part in parts for row in part["overhead"]]
    if options.json:
        print(json.dumps({"sites": sites, "overhead": overhead}, indent=1))
        return
    console = Console()
    # A file or a pipe has no width of its own, and a cell that is cut says nothing.
    console.width = max(console.width, 110)
    console.print(site_table(sites))
    if overhead:
        console.print(overhead_table(overhead))
    slow = sum(row["ratio"] < LEAST for row in sites)
    console.print(f"{slow} of {len(sites)} comparisons are below {LEAST}")


if __name__ == "__main__":
    main(sys.argv[1:])
