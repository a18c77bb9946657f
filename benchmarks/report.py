"""What was measured, as tables, a file, and a plot for each backend."""

from __future__ import annotations

import importlib
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.sites import SITES

Row = dict[str, Any]
Results = dict[str, Any]  # "machine", and rows by what was measured

LEAST = 0.97  # a ratio below this is shown in red
EAGER = 0.75  # the same of windowed maxima over channels-last tensors in eager TensorFlow, whose own drop NaN
WINDOWED = {site.name for site in SITES if site.kind == "max" and not site.whole and (site.window or site.divides)}
PEERS = ("native", "keras", "einops")


def least(row: Row) -> float:
    windowed = row["site"] in WINDOWED and row["layout"] == "channels_last"
    return EAGER if windowed and (row["backend"], row["mode"]) == ("tensorflow", "eager") else LEAST


def ratio(row: Row, peer: str = "native") -> float | None:
    found: float | None = row["times"].get(peer, {}).get("ratio")
    return found


def site_table(rows: list[Row]) -> Table:
    """The ratio of the documented call to poolkit, by site."""
    table = Table(title="documented call / poolkit: above 1, poolkit is faster")
    for heading in ("backend", "threads", "site", "layout", "mode"):
        table.add_column(heading, no_wrap=True)
    columns = [(size, gradient) for size in ("one", "batch") for gradient in (False, True)]
    for size, gradient in columns:
        table.add_column(size + (" + grad." if gradient else ""), justify="right")
    lines: dict[tuple[str, ...], dict[tuple[str, bool], Row]] = defaultdict(dict)
    for row in rows:
        key = (row["backend"], str(row["threads"]), row["site"], row["layout"], row["mode"])
        lines[key]["one" if row["batch"] == 1 else "batch", row["gradient"]] = row
    for line, found in lines.items():
        table.add_row(*line, *[_coloured(found.get(column)) for column in columns])
    return table


def _coloured(row: Row | None) -> str:
    value = None if row is None else ratio(row)
    if row is None or value is None:
        return ""
    return f"[red]{value:.2f}[/red]" if value < least(row) else f"{value:.2f}"


def mean_table(rows: list[Row]) -> Table:
    """Geometric means over the sites, against each peer."""
    table = Table(title="geometric means, and how many cells are below the target")
    for heading in ("backend", "threads", "layout", "mode", "gradient"):
        table.add_column(heading, no_wrap=True)
    for heading in (*PEERS, "copy", "below", "cells"):
        table.add_column(heading, justify="right")
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        said = (row["backend"], str(row["threads"]), row["layout"], row["mode"], str(row["gradient"]))
        groups[said].append(row)
    for key, group in groups.items():
        means = [geometric(ratio(row, peer) for row in group) for peer in (*PEERS, "copy")]
        below = sum((ratio(row) or 0) < least(row) for row in group)
        table.add_row(*key, *["" if m is None else f"{m:.2f}" for m in means], str(below), str(len(group)))
    return table


def geometric(ratios: Iterable[float | None]) -> float | None:
    logs = [math.log(r) for r in ratios if r is not None]
    return math.exp(statistics.fmean(logs)) if logs else None


def mean_markdown(results: Results) -> str:
    """The geometric means as a table of docs/performance.md."""
    named = results["machine"]
    lines = [f"{named['cpu']}, {named['date']}", ""]
    table = mean_table(results["grid"])
    rows = zip(*[list(column.cells) for column in table.columns], strict=True)
    lines.append("| " + " | ".join(str(column.header) for column in table.columns) + " |")
    lines.append("|" + "---|" * len(table.columns))
    return "\n".join([*lines, *["| " + " | ".join(map(str, row)) + " |" for row in rows]])


def plain_table(title: str, rows: list[Row]) -> Table:
    """Rows with the fields that any of them has."""
    table, headings = Table(title=title), list(dict.fromkeys(key for row in rows for key in row))
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*[_text(row.get(heading, "")) for heading in headings])
    return table


TITLES = {
    "growth": "a window of 63 against a smaller one, stride 1",
    "kinds": "written by hand / poolkit: above 1, poolkit is faster",
    "memory": "PyTorch: the most memory of a call, and times that of the documented one",
    "overhead": "PyTorch, 1x64x7x7: microseconds added to a call",
}


def _text(value: Any) -> str:
    """Nodes are "2 of 1": those of poolkit, of the other."""
    if isinstance(value, dict):
        return " of ".join(map(str, value.values()))
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def tables(results: Results) -> list[Table]:
    grid = results.get("grid")
    made = [site_table(grid), mean_table(grid)] if grid else []
    return made + [plain_table(title, results[name]) for name, title in TITLES.items() if results.get(name)]


def plots(results: Results, folder: Path) -> list[Path]:
    """A plot for each backend of the grid."""
    return [_plotted(results, name, folder) for name in dict.fromkeys(row["backend"] for row in results["grid"])]


def _plotted(results: Results, backend: str, folder: Path) -> Path:
    """Each cell as a point, by site: how many times as long as poolkit the documented call took, on one thread."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("svg")  # which needs no display
    matplotlib.rcParams["svg.fonttype"] = "none"  # letters as text, a third of the file
    matplotlib.rcParams["svg.hashsalt"] = backend  # the same results give the same file
    plt = importlib.import_module("matplotlib.pyplot")
    rows = [row for row in results["grid"] if (row["backend"], row["threads"]) == (backend, 1) and ratio(row)]
    sites = list(dict.fromkeys(row["site"] for row in rows))
    figure, axes = plt.subplots(figsize=(9, 1 + 0.28 * len(sites)), layout="constrained")
    for (layout, gradient), marker in {
        ("channels_first", False): "o",
        ("channels_first", True): "^",
        ("channels_last", False): "s",
        ("channels_last", True): "D",
    }.items():
        group = [row for row in rows if (row["layout"], row["gradient"]) == (layout, gradient)]
        places = [sites.index(row["site"]) for row in group]
        label = layout.replace("_", " ") + (", with gradient" if gradient else "")
        axes.scatter([ratio(row) for row in group], places, marker=marker, s=18, alpha=0.6, label=label)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(sites)), sites)
    axes.invert_yaxis()
    axes.set_xlabel("time of the documented call / time of poolkit (right of 1: poolkit is faster)")
    named = results["machine"]
    axes.set_title(f"{backend}, {named['cpu']}, one thread, {named['date']}", fontsize=9)
    axes.legend(fontsize=8)
    path = folder / f"{backend}.svg"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
