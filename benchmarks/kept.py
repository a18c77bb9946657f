"""The file of results: small, written row by row, of one machine."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Results = dict[str, Any]  # "machine", and rows by what was measured

MEASURED = ("times", "factor", "us", "MB", "wrong", "nodes")  # fields of a row that do not say which cell it is


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = dict([part.strip() for part in line.split(":", 1)] for line in lines if ":" in line)
    packages = ("numpy", "torch", "tensorflow", "keras", "jax", "einops")
    return {
        "cpu": named.get("model name", platform.processor()),
        "avx512": "avx512f" in named.get("flags", ""),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(packages_distributions()[name][0]) for name in packages},
    }


def alike(kept: Results, here: dict[str, Any]) -> bool:
    """Whether results may stand beside those of another: the same machine and versions, on any day."""
    return all(kept["machine"].get(k) == v for k, v in here.items() if k not in ("date", "system"))


def merged(before: list[Row], rows: list[Row]) -> list[Row]:
    """Rows of before, those of the same cells replaced."""
    new = {_cell(row) for row in rows}
    return [row for row in before if _cell(row) not in new] + rows


def _cell(row: Row) -> str:
    return json.dumps({k: v for k, v in row.items() if k not in MEASURED})


def write(file: Path, results: Results) -> None:
    """A row a line, so that a difference of two files can be read; complete or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = [f'"machine": {json.dumps(results["machine"])}']
    for name, rows in results.items():
        if name != "machine":
            parts.append(f'"{name}": [\n' + ",\n".join(json.dumps(_short(row)) for row in rows) + "\n]")
    beside = file.with_suffix(".new")
    beside.write_text("{\n" + ",\n".join(parts) + "\n}\n")
    beside.replace(file)


def _short(value: Any) -> Any:
    """Four digits: what is measured is not steadier."""
    if isinstance(value, dict):
        return {k: _short(v) for k, v in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
