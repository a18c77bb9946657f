"""The command line. It needs the extra ``poolkit[cli]``; without it `main` says how to get it."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the command `poolkit`."""
    try:
        from poolkit.cli.commands import poolkit
    except ImportError as error:
        print(
            f"the command line needs {error.name}, which is not installed; run: pip install 'poolkit[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
    poolkit(prog_name="poolkit")
