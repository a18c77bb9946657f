"""Numbers from 0 to below 1 that follow from a key and their places: the same on every framework, in every layout.

They are those of `jax.random.uniform` in float32. All is int32, which PyTorch, too, can add and shift; sums wrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.spec.key import threefry

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


def canonical(plan: Plan) -> list[int]:
    """The axes in the order in which numbers are drawn for them: leading ones, batch, channels, then the others."""
    letters, every = plan.letters, range(plan.rank)
    first = [at for c in ".NC" for at in every if letters[at] == c]
    return first + [at for at in every if at not in first]


def batch(plan: Plan) -> list[int]:
    """Those of leading axes, batch and channels."""
    return [at for at in canonical(plan) if plan.letters[at] in ".NC"]


def uniform(o: Ops, key: Tensor, places: Tensor) -> Tensor:
    """A number for each of `places`, int32: a word's upper 23 bits over 2**23, which every float holds."""
    one = o.of_rank(1)
    words = [one.reshape(one.slice(key, 0, i, i + 1, 1), (1,) * o.rank) for i in range(2)]

    def added(a: Any, b: Any) -> Tensor:
        return o.add(b, a) if isinstance(a, int) else o.add(a, b)

    def turned(a: Tensor, n: int) -> Tensor:
        return o.bit_xor(o.shift_left(a, n), o.bit_and(o.shift_right(a, 32 - n), 2**n - 1))

    x, y = threefry((words[0], words[1]), 0, places, added, o.bit_xor, turned)
    bits = o.bit_and(o.shift_right(o.bit_xor(x, y), 9), 2**23 - 1)
    return o.multiply(o.cast(bits, o.dtype), 2.0**-23)


def within(o: Ops, samples: Tensor) -> Tensor:
    """Samples from 0 to 1, whatever they hold, where nobody can look at them."""
    above = o.where(o.greater(samples, 0), o.detach(samples), 0)  # and no NaN
    return o.where(o.less(above, 1), above, 1)


def places(o: Ops, like: Tensor, order: Sequence[int]) -> Tensor:
    """The row-major place of each number of a tensor, when its axes stand in this order; int32 wraps after 2**32."""
    flat: Tensor | None = None
    after: Any = 1
    for at in reversed(order):
        line = o.iota(like, at)
        flat = line if flat is None else o.add(o.multiply(line, o.number(after, "int32")), flat)
        after = after * o.size(like, at)
    return flat
