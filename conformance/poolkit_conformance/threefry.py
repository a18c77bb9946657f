"""The definition of what follows from a key: Threefry-2x32 in NumPy's unsigned integers, number by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)


def words(key: Array, counters: Array) -> tuple[Array, Array]:
    """The two words of each counter, of which the first is 0."""
    a, b = (int(word) % 2**32 for word in key)
    keys = [np.uint64(k) for k in (a, b, a ^ b ^ 0x1BD11BDA)]
    low = np.uint64(2**32 - 1)
    x, y = np.full(counters.shape, keys[0]), (counters.astype(np.uint64) + keys[1]) & low
    for i in range(20):
        n = np.uint64(ROTATIONS[i % 8])
        x = (x + y) & low
        y = ((y << n) | (y >> (np.uint64(32) - n))) & low ^ x
        if i % 4 == 3:
            turn = i // 4 + 1
            x = (x + keys[turn % 3]) & low
            y = (y + keys[(turn + 1) % 3] + np.uint64(turn)) & low
    return x, y


def uniform(key: Array, shape: tuple[int, ...]) -> Array:
    x, y = words(key, np.arange(math.prod(shape)))
    u: Array = ((x ^ y) >> np.uint64(9)).astype(np.float64) / 2**23
    return u.reshape(shape)


def in_layout(letters: str, key: Array, shape: tuple[int, ...]) -> Array:
    """A number for each of a tensor of this shape, which are counted channels first: batch, channels, the others."""
    rank = len(shape)
    order = sorted(range(rank), key=lambda at: (".NC".find(letters[at]) % 4, at))
    return np.transpose(uniform(key, tuple(shape[at] for at in order)), np.argsort(order))
