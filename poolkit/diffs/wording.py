"""Sets of sizes as a few words: "at odd sizes", "at 7x7 only", "at sizes from 3"."""

from __future__ import annotations

from collections.abc import Sequence

Holds = list[bool | None]  # for the sizes 1, 2, …: whether it holds, None where the question does not arise

EVERY, NEVER = "at every size", "never"

MOST_PERIOD, MOST_LISTED = 24, 6


def sizes_text(axes: Sequence[Holds], letters: str) -> str:
    """The sizes at which something holds on all axes; `letters` has a letter for each.

    >>> sizes_text([[n == 7 for n in range(1, 65)]] * 2, "HW")
    'at 7x7 only'
    >>> sizes_text([[n % 2 == 1 for n in range(1, 65)], [True] * 64], "HW")
    'H: at odd sizes; W: at every size'
    """
    if any(not any(axis) for axis in axes):
        return NEVER
    singles = [[n for n, holds in enumerate(axis, 1) if holds] for axis in axes]
    if all(len(single) == 1 and not any(axis[-2:]) for single, axis in zip(singles, axes, strict=True)):
        return f"at {'x'.join(str(single[0]) for single in singles)} only"
    texts = [axis_text(axis) for axis in axes]
    if len(set(texts)) == 1:
        return texts[0]
    return "; ".join(f"{name}: {text}" for name, text in zip(letters, texts, strict=True))


def axis_text(axis: Holds) -> str:
    """The sizes of one axis.

    >>> axis_text([None, None] + [n % 3 == 1 for n in range(3, 65)])
    'at sizes n = 1 mod 3'
    """
    if not any(axis):
        return NEVER
    if all(holds is not False for holds in axis):
        return EVERY
    start, period = _tail(axis)
    residues = sorted({n % period for n in range(start, len(axis) + 1) if axis[n - 1]})
    first = _first(axis, period, residues)
    others = [n for n, holds in enumerate(axis, 1) if holds and (n % period not in residues or n < first)]
    if not residues:
        return _listed(others)
    return _tail_text(axis, first, period, residues) + (f" and at {_and(others)}" if others else "")


def _first(axis: Holds, period: int, residues: list[int]) -> int:
    """The size from which on it holds for every size with these remainders."""
    wrong = [n for n, holds in enumerate(axis, 1) if holds is False and n % period in residues]
    return next((n for n, holds in enumerate(axis, 1) if holds and n > max(wrong, default=0)), len(axis) + 1)


def _tail(axis: Holds) -> tuple[int, int]:
    """The size from which on membership repeats, and the period; the smallest period that leaves two of them."""
    for period in range(1, MOST_PERIOD + 1):
        start = _start(axis, period)
        if start + max(2 * period, 4) <= len(axis) + 1:
            return start, period
    return len(axis) + 1, 1


def _start(axis: Holds, period: int) -> int:
    """The smallest size from which on it is settled by the remainder alone."""
    settled: dict[int, bool] = {}
    for n in range(len(axis), 0, -1):
        holds = axis[n - 1]
        if holds is not None and settled.setdefault(n % period, holds) is not holds:
            return n + 1
    return 1


def _tail_text(axis: Holds, first: int, period: int, residues: list[int]) -> str:
    begins = any(holds is False and n % period in residues for n, holds in enumerate(axis, 1))
    begin = f" from {first}" if begins else ""
    if period == 1:
        return f"at sizes{begin}"
    if period == 2:
        return f"at {'odd' if residues == [1] else 'even'} sizes{begin}"
    return f"at sizes n = {' or '.join(map(str, residues))} mod {period}{begin}"


def _listed(sizes: list[int]) -> str:
    if len(sizes) == 1:
        return f"at {sizes[0]} only"
    if len(sizes) > 2 and sizes == list(range(1, len(sizes) + 1)):
        return f"at sizes up to {sizes[-1]}"
    if len(sizes) > MOST_LISTED and sizes == list(range(sizes[0], sizes[-1] + 1)):
        return f"at sizes from {sizes[0]} to {sizes[-1]}"
    return f"at sizes {_and(sizes)}"


def _and(sizes: list[int]) -> str:
    shown = [str(n) for n in sizes[:MOST_LISTED]]
    if len(sizes) > MOST_LISTED:
        return f"{', '.join(shown)} and {len(sizes) - MOST_LISTED} more up to {sizes[-1]}"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
