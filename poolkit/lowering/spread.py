"""Windows that are spread over an axis: as many as are asked for, moved by a number u from 0 to below 1 (Graham, 2014).

All of it is in float32, on every framework, so that no place depends on one: sums first, then one product.
"""

from __future__ import annotations

import math
import struct

from poolkit.errors import ShapeError

MIDDLE = 0.5  # u where nothing is drawn


def single(x: float) -> float:
    """The nearest number of float32."""
    nearest: float = struct.unpack("f", struct.pack("f", x))[0]
    return nearest


def step(n: int, out: int, window: int | None) -> float:
    """How far apart `out` windows over `n` cells are on average; those without a length of their own touch."""
    return single(n / out if window is None else (n - window) / max(out - 1, 1))


def spread(n: int, out: int, window: int | None, u: float = MIDDLE) -> list[range]:
    """The cells of each window."""
    by = step(n, out, window)
    if window is None:
        edges = [max(math.ceil(single(single(i + u) * by)) - 1, 0) for i in range(out + 1)]
        firsts = [min(edge, n - 1) for edge in edges]
        return [range(low, min(max(high, low + 1), n)) for low, high in zip(firsts, edges[1:], strict=False)]
    firsts = [int(single(single(i + u) * by)) - int(single(u * by)) for i in range(out - 1)]
    return [range(low, low + window) for low in [*firsts, n - window]]


def count(n: int, size: int | None, ratio: float | None) -> int:
    """How many windows there are; of a ratio as PyTorch counts them."""
    return int(n * ratio) if size is None and ratio is not None else size or 0


def check(letter: str, n: int, window: int | None, out: int) -> None:
    """`ShapeError` where there are more windows than places for them, or none."""
    if out < 1 or out + (window or 1) - 1 > n:
        most = f"{n - (window or 1) + 1} windows of {window}" if window else f"{n} windows without an overlap"
        raise ShapeError(
            f"received {out} windows for axis {letter} of size {n}, and {most} are the most that it has, 1 the fewest; "
            f"give another output_size or output_ratio"
        )
