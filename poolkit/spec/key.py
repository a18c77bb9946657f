"""`Key`: what random numbers follow from, the same on every framework; and the rounds of Threefry-2x32."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from poolkit.spec.messages import shown, wrong
from poolkit.spec.signatures import explained_class
from poolkit.spec.values import is_integer

Word = Any  # 32 bits: an int, or a tensor of int32
MASK = 2**32 - 1
TURNS = ((13, 15, 26, 6), (17, 29, 16, 24))  # of Salmon, Moraes, Dror, Shaw: Parallel Random Numbers (2011)
PARITY = 0x1BD11BDA


def threefry(
    key: tuple[Word, Word],
    x: Word,
    y: Word,
    add: Callable[[Word, Word], Word],
    xor: Callable[[Word, Word], Word],
    turned: Callable[[Word, int], Word],
) -> tuple[Word, Word]:
    """Two words by 20 rounds of Threefry-2x32; `add` wraps around, `turned` rotates to the left."""
    words = (*key, xor(xor(*key), PARITY))
    x, y = add(x, words[0]), add(y, words[1])
    for block in range(1, 6):
        for n in TURNS[(block - 1) % 2]:
            x = add(x, y)
            y = xor(turned(y, n), x)
        x, y = add(x, words[block % 3]), add(y, add(words[(block + 1) % 3], block))
    return x, y


@explained_class
@dataclasses.dataclass(frozen=True)
class Key:
    """What the draws of a random pool follow from, as ``pk.pool(x, spec, key=pk.Key(0).at(step))``.

    `seed` is an int from 0 to 2**64 - 1. `at` gives the key of a step, and of a layer in that: `key.at(step).at(2)`.
    A key becomes a tensor of two int32, its `words`, so that another one compiles nothing anew. A compiled function
    takes that tensor as an argument, as in ``torch.tensor(key.words, dtype=torch.int32)``: a Key within it is constant.

    >>> Key(0).at(1), Key(0).at(1).words
    (Key(3989946895414531357), (928981903, -841280227))
    """

    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", _whole("seed", self.seed))

    def __repr__(self) -> str:
        return f"Key({self.seed})"

    @property
    def words(self) -> tuple[int, int]:
        """The key as two int32, the upper half first."""
        upper, lower = (word - ((word & 2**31) << 1) for word in divmod(self.seed, 2**32))
        return upper, lower

    def at(self, step: int) -> Key:
        """Another key for each `step`, from 0 to 2**64 - 1: what `jax.random.fold_in` gives below 2**32.

        >>> Key(7).at(0) == Key(7).at(0), Key(7).at(0) == Key(7).at(1)
        (True, False)
        """
        x, y = threefry(
            divmod(self.seed, 2**32),
            *divmod(_whole("step", step), 2**32),
            lambda a, b: a + b & MASK,
            lambda a, b: a ^ b,
            lambda a, n: (a << n | a >> 32 - n) & MASK,
        )
        return Key(x << 32 | y)


def _whole(name: str, value: object) -> int:
    if not is_integer(value) or not 0 <= int(value) < 2**64:
        raise wrong(f"{name}={shown(value)}", f"the {name} of a key is an int from 0 to 2**64 - 1", f"write {name}=0")
    return int(value)
