"""Positions of the axes of a tensor with channels last, or first, and where the same axes are in the other order."""

from __future__ import annotations

from dataclasses import dataclass

from poolkit.spec.values import is_many

SPATIAL = {3: "L", 4: "HW", 5: "DHW"}


def lettered(layout: object) -> str:
    """The letters of a layout; those of images where it is a word."""
    return {"channels_last": "NHWC", "channels_first": "NCHW"}.get(str(layout), str(layout))


def letters(rank: int, last: bool) -> str:
    spatial = SPATIAL.get(rank, "")
    return f"N{spatial}C" if last else f"NC{spatial}"


@dataclass(frozen=True)
class Order:
    """Whether channels come last.

    >>> Order(last=True).moved((1, -1), 4)
    ((2, 1), False)
    """

    last: bool

    def both(self, rank: int) -> tuple[str, str]:
        """The axes in this order and in the other one."""
        return letters(rank, self.last), letters(rank, not self.last)

    def moved(self, place: object, rank: int) -> tuple[object, bool]:
        """Positions in the other order, and whether they are so at every rank; None where there are none."""
        if is_many(place):
            several = [self.moved(one, rank) for one in place]
            found = [one for one, _ in several]
            moved = tuple(found) if isinstance(place, tuple) else found
            return None if None in found else moved, all(sure for _, sure in several)
        before, after = self.both(rank)
        if not isinstance(place, int) or not -len(before) <= place < len(before):
            return None, False
        letter = before[place]
        if rank not in SPATIAL:
            return place, True
        if letter == "C":
            return (1, place == -1) if self.last else (-1, True)
        new = after.index(letter)
        return (new - len(after) if place < 0 else new), place == 0
