"""What a library of C reads of a file that may be hostile: a process of its own, with bounds of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys

SECONDS, MEMORY = 5, 2**31

BOUNDS = f"""
import sys
sys.path[:] = {{path!r}}
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY} + {{more}}, {MEMORY} + {{more}}))
except ImportError:
    pass
"""


def bounded(code: str, *arguments: str, data: bytes = b"", more: int = 0) -> bytes | None:
    """What a program prints that is given these arguments and this input; None where it fails, or takes too much.

    >>> bounded("print(sys.argv[1], end='')", "pool")
    b'pool'
    """
    program = BOUNDS.format(path=sys.path, more=more) + code
    command = [sys.executable, "-c", program, *arguments]
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # which would reserve memory for each processor of the machine
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=3 * SECONDS, check=True, env=env)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
