"""`python -m poolkit_conformance torch`: run a backend's cases, print what fails, and exit with 1 if any does."""

from __future__ import annotations

import collections
import sys

from poolkit_conformance import runner


def main(backend: str) -> int:
    counts: collections.Counter[str] = collections.Counter()
    for result in runner.run(backend):
        counts[result.status] += 1
        if result.status == "failed":
            sys.stdout.write(f"{result.mode}-{result.case}: {result.message}\n")
    sys.stdout.write(f"{backend}: {', '.join(f'{n} {status}' for status, n in sorted(counts.items()))}\n")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
